import type { Principal } from '@umpire/contract';
import type { Actor } from '@umpire/domain';
import { counter, delay, gauge, Loop, transaction, withDeadline, type Logger, type Sql } from '@umpire/runtime';
import { lockEscalations } from '../escalation.queries.ts';
import { appendLog, askerOf } from './audit-log.queries.ts';
import type { Erasures } from './erasure.service.ts';
import { findRetention, headsBehind, moveRetentionCursor, saveRetention, takeRetentionCursor, type RetentionRules, type RetentionRow } from './retention.queries.ts';

const READ_MS = 5_000;
const ROUND_MS = 12_000;
const LOOK_EVERY_MS = 60_000;
/** Heads looked at in one transaction, and how long the loop rests between two: the hot path hardly notices. */
const HEADS = 50;
const REST_MS = 100;

const RETENTION: Actor = { kind: 'system', id: 'retention', user_id: null, roles: [], auth: 'service' };
const KEPT: RetentionRules = { completed_days: null, expired_days: null, cancelled_days: null };

const looked = counter('umpire_store_retention_looked_total', 'Sealed chains that retention has gone through', ['namespace', 'state']);
const expired = counter('umpire_store_retention_erased_total', 'Escalations whose content retention has taken', ['namespace', 'state']);

/** Takes the content of what ended longer ago than a namespace keeps it. Only what a checkpoint has sealed is ever taken. */
export class Retention {
  private readonly sql: Sql;
  private readonly erasures: Erasures;
  private readonly loop: Loop;

  constructor({ sql, erasures, logger }: { sql: Sql; erasures: Erasures; logger: Logger }) {
    this.sql = sql;
    this.erasures = erasures;
    this.loop = new Loop({ name: 'retention', intervalMs: LOOK_EVERY_MS, logger, runOnce: async (signal) => {
      const heads = await this.runOnce();
      if (heads > 0) await delay(REST_MS, signal);
      return heads;
    } });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** A namespace that says nothing keeps everything. */
  async rules(namespace: string): Promise<RetentionRules & Partial<RetentionRow>> {
    return (await withDeadline(findRetention(this.sql, namespace), READ_MS, 'retention')) ?? KEPT;
  }

  async change(caller: Principal, rules: RetentionRules): Promise<RetentionRules & Partial<RetentionRow>> {
    const by = askerOf(caller);
    await transaction(this.sql, ROUND_MS, async (tx) => {
      const before = await findRetention(tx, caller.namespace);
      await saveRetention(tx, caller.namespace, rules, by);
      const kept = before && { completed_days: before.completed_days, expired_days: before.expired_days, cancelled_days: before.cancelled_days };
      await appendLog(tx, caller.namespace, { kind: 'retention', by, before: kept, after: rules });
    });
    this.loop.wake();
    return this.rules(caller.namespace);
  }

  /** One batch. @returns how many chains were looked at, at least 1 while there is more; 0 to rest */
  async runOnce(): Promise<number> {
    const round = await transaction(this.sql, ROUND_MS, async (tx) => {
      const cursor = await takeRetentionCursor(tx);
      if (cursor === null) return null;
      const heads = await headsBehind(tx, cursor, HEADS);
      const due = heads.filter((head) => head.due).map(({ request_id }) => ({ namespace: cursor.namespace, request_id }));
      const rows = due.length === 0 ? [] : await lockEscalations(tx, due);
      const reason = `kept for ${cursor.days} days after it was ${cursor.status}`;
      const { transitions } = await this.erasures.takeContent(tx, rows, { scope: 'retention', actor: RETENTION, reason, erasure_id: null });
      await moveRetentionCursor(tx, cursor, heads.length === 0 ? { number: cursor.number + 1, request_id: '' } : { number: cursor.number, request_id: heads.at(-1)!.request_id });
      return { cursor, looked: heads.length, transitions };
    });
    gauge('umpire_store_retention_busy', 'Whether there was something for retention to go through when it looked last').set(round === null ? 0 : 1);
    if (round === null) return 0;
    const labels = { namespace: round.cursor.namespace, state: round.cursor.status };
    looked.inc(labels, round.looked);
    expired.inc(labels, round.transitions.length);
    this.erasures.tell('retention', round.transitions);
    return Math.max(1, round.looked);
  }
}
