import { Refused, Unreachable, UsageError } from '../failures.ts';

/** Nobody there, as sockets, NATS and Postgres word it. */
const AWAY = /ECONN|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT|EAI_AGAIN|CONNECT_TIMEOUT|CONNECTION_REFUSED|connection refused|timeout/i;

/** Words what a server or the configuration said as the command line does: refused, nobody there, or not understood. */
export async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UsageError || error instanceof Refused || error instanceof Unreachable) throw error;
    const { name, message, code } = error as Error & { code?: string };
    if (name === 'ConfigError') throw new UsageError(message);
    if (AWAY.test(`${code ?? ''} ${message}`)) throw new Unreachable(message || String(code), { cause: error });
    throw new Refused({ status: 0, code: 'server', detail: message } as unknown as Refused['problem']);
  }
}
