import { cp, mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import postgres from 'postgres';
import { operatorConnection } from '../../e2e/src/operator.ts';
import { Receiver } from '../../e2e/src/receiver.ts';
import { audit, type Counts } from './audit.ts';
import { Book } from './book.ts';
import { FaultStack, type FaultStackOptions } from './fault-stack.ts';
import { Load, type LoadOptions } from './load.ts';
import { randomFrom } from './random.ts';

export type FaultCase = {
  name: string;
  /** What it breaks, in one line. */
  breaks: string;
  stack?: FaultStackOptions;
  load?: Partial<LoadOptions>;
  /** Counts of its own that are above zero where the fault took place. */
  shows?: string[];
  /** Why it cannot run here, if it cannot. */
  unless?: () => Promise<string | null> | string | null;
  /** Breaks one thing while the load goes on. What it returns is printed with the counts. */
  run: (run: FaultRun) => Promise<Counts | void>;
};

/** Everything of one case: the stack, the load on it, and its chances. */
export class FaultRun {
  readonly faults: FaultStack;
  readonly load: Load;
  readonly random: () => number;
  readonly receivers: Map<string, Receiver>;
  /** A short run breaks the same things less often. */
  readonly short: boolean;
  readonly say: (text: string) => void;

  constructor(parts: Pick<FaultRun, 'faults' | 'load' | 'random' | 'receivers' | 'short' | 'say'>) {
    this.faults = parts.faults;
    this.load = parts.load;
    this.random = parts.random;
    this.receivers = parts.receivers;
    this.short = parts.short;
    this.say = parts.say;
  }

  get servers() {
    return this.faults.stack.servers;
  }

  /** @returns how often the log of a service or server has it. `what` is global. */
  async logged(name: string, what: RegExp): Promise<number> {
    const log = join(this.faults.stack.home, 'logs', `${name}.log`);
    const texts = await Promise.all([`${log}.1`, log].map((path) => readFile(path, 'utf8').catch(() => '')));
    return texts.reduce((sum, text) => sum + (text.match(what)?.length ?? 0), 0);
  }

  /** Works with the operator's NATS connection. */
  async operator<T>(work: (connection: NatsConnection) => Promise<T>): Promise<T> {
    const connection = await operatorConnection(this.faults.stack);
    try {
      return await work(connection);
    } finally {
      await connection.close();
    }
  }

  /** Works with the superuser's connections to Postgres. */
  async database<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    const sql = postgres(this.faults.stack.connection.postgres_url, { max: 4, onnotice: () => undefined });
    try {
      return await work(sql);
    } finally {
      await sql.end({ timeout: 2 });
    }
  }
}

const LOAD: LoadOptions = { perSecond: 40, mostWaiting: 400 };

/**
 * Runs a case from start to audit.
 * @returns the counts, and what was found broken
 */
export async function runCase(chosen: FaultCase, seed: number, short: boolean): Promise<{ counts: Counts; findings: string[] }> {
  const began = performance.now();
  const say = (text: string) => console.log(`[faults ${chosen.name} ${((performance.now() - began) / 1_000).toFixed(1)} s] ${text}`);
  const receivers = new Map<string, Receiver>();
  const closing: Receiver[] = [];
  let faults: FaultStack | null = null;
  let load: Load | null = null;
  let healthy = false;
  try {
    faults = await FaultStack.start(chosen.stack);
    const { stack } = faults;
    const { namespaces } = stack.connection;
    for (const namespace of Object.keys(namespaces)) {
      const receiver = await Receiver.register(stack, namespaces[namespace]!.keys.admin, { retry_schedule_seconds: RETRIES });
      receivers.set(namespace, receiver);
      closing.push(receiver);
    }
    const failing = await Receiver.register(stack, stack.connection.keys.admin, { events: ['hitl_escalation_required'], retry_schedule_seconds: [0.2, 0.4] });
    closing.push(failing);
    failing.answer = (response) => void response.writeHead(422).end();
    const prefix = `f/${chosen.name}/${seed}`;
    // Four of five escalations belong to the first.
    const parties = await Promise.all(['default', 'default', 'default', 'default', 'bystander'].map(async (namespace) => ({ namespace, js: (await stack.producer(namespace)).js, receiver: receivers.get(namespace)! })));
    const book = new Book();
    load = new Load({ stack, book, parties, prefix, seed, options: { ...LOAD, ...chosen.load } });
    say(`breaks: ${chosen.breaks}`);
    load.start();
    await load.moreAcked(20);
    const more = await chosen.run(new FaultRun({ faults, load, random: randomFrom(seed), receivers, short, say }));
    say(`broken and mended; ${load.sent} sent, ${book.acked.length} acknowledged`);
    await load.finish();
    const result = await audit({ stack, book, prefix, receivers, failing });
    const counts = { sent: load.sent, ...result.counts, ...more };
    say(JSON.stringify(counts));
    healthy = result.findings.length === 0;
    return { counts, findings: result.findings };
  } finally {
    load?.abandon();
    if (faults && !healthy) await keepLogs(chosen.name, faults.stack.home, say).catch((error: Error) => say(`no logs are kept: ${error.message}`));
    await Promise.all(closing.map((receiver) => receiver.close()));
    await faults?.stop();
  }
}

/** Long enough for anything that is broken here to come back. */
const RETRIES = [0.5, 1, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8];

async function keepLogs(name: string, home: string, say: (text: string) => void): Promise<void> {
  const folder = join(tmpdir(), 'umpire-faults-logs', name);
  await mkdir(folder, { recursive: true });
  await cp(join(home, 'logs'), folder, { recursive: true });
  say(`the logs are kept in ${folder}`);
}
