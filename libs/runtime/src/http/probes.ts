import Fastify, { type FastifyInstance } from 'fastify';
import { metrics, startDefaultMetrics } from '../metrics.ts';
import { withDeadline } from '../postgres/connect.ts';
import { TIMEOUTS } from './timeouts.ts';

type Check = { check: () => Promise<unknown>; needed: boolean };

/** What must answer before a process takes traffic. */
export class Readiness {
  private readonly checks = new Map<string, Check>();

  add(name: string, check: () => Promise<unknown>): void {
    this.checks.set(name, { check, needed: true });
  }

  /** What is told, and keeps nobody out: the process has work that it can do without it. */
  tell(name: string, check: () => Promise<unknown>): void {
    this.checks.set(name, { check, needed: false });
  }

  /** @returns each check's error text, or 'ok'; every check has 2 s. */
  async run(): Promise<{ ready: boolean; checks: Record<string, string> }> {
    let ready = true;
    const entries = await Promise.all([...this.checks].map(async ([name, { check, needed }]): Promise<[string, string]> => {
      try {
        await withDeadline(check(), 2_000, name);
        return [name, 'ok'];
      } catch (error) {
        if (needed) ready = false;
        return [name, (error as Error).message];
      }
    }));
    return { ready, checks: Object.fromEntries(entries) };
  }
}

/** Adds `/healthz` (the process lives), `/readyz` (its servers answer) and `/metrics` (Prometheus text). */
export function mountProbes(server: FastifyInstance, readiness: Readiness): void {
  startDefaultMetrics();
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_, reply) => {
    const result = await readiness.run();
    return reply.status(result.ready ? 200 : 503).send({ status: result.ready ? 'ok' : 'not_ready', checks: result.checks });
  });
  server.get('/metrics', async (_, reply) => reply.header('content-type', metrics.contentType).send(await metrics.metrics()));
}

/** A server of its own for probes and metrics, so that they can be kept off the public port. */
export async function startInternalServer(host: string, port: number, readiness: Readiness): Promise<FastifyInstance> {
  const server = Fastify({ logger: false, forceCloseConnections: true, ...TIMEOUTS });
  mountProbes(server, readiness);
  await server.listen({ host, port });
  return server;
}
