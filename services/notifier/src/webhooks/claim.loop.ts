import { Loop, type Logger, type Sql } from '@umpire/runtime';
import type { DeliveryEngine } from './delivery.engine.ts';
import { claimDue, claimPaced, nextDue, type ClaimedRow } from './delivery.queries.ts';
import type { EndpointOpener } from './endpoint-opener.ts';
import { sendableByIds } from './endpoint.queries.ts';
import type { Lane } from './lane.ts';

/** What was due a moment ago and could not be had: another replica is taking it. Look again after this, ms. */
const LOOK_AGAIN_MS = 50;

export type ClaimLoopOptions = { sql: Sql; engine: DeliveryEngine; opener: EndpointOpener; logger: Logger; pollMs: number };

/**
 * Brings due deliveries from the database to the engine. Wakes when a lane has room, when the next one that is known is due, and
 * every few seconds to find what nobody in this process knows of: leases of the dead, work left by other replicas.
 */
export class ClaimLoop {
  private readonly options: ClaimLoopOptions;
  private readonly loop: Loop;
  private nextPoll = 0;

  constructor(options: ClaimLoopOptions) {
    this.options = options;
    this.loop = new Loop({ name: 'webhook-claims', intervalMs: options.pollMs, runOnce: () => this.runOnce(), logger: options.logger });
    options.engine.whenRoom(() => this.loop.wake());
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** @returns how long there is nothing to do, ms */
  async runOnce(): Promise<{ handled: number; nextInMs: number }> {
    const { engine } = this.options;
    if (performance.now() >= this.nextPoll) await this.discover();
    const candidates = engine.candidates();
    const plain = candidates.filter(({ lane }) => lane.endpoint.ratePerSecond === null);
    await Promise.all([
      plain.length > 0 ? this.claimPlain(plain) : undefined,
      ...candidates.filter(({ lane }) => lane.endpoint.ratePerSecond !== null).map(({ lane, room }) => this.claimAtPace(lane, room)),
    ]);
    return { handled: 0, nextInMs: Math.max(0, Math.ceil(Math.min(engine.wakeAt, this.nextPoll) - performance.now())) };
  }

  /** An endpoint or its deliveries were changed from outside: look at once. */
  changed(): void {
    this.nextPoll = 0;
    this.loop.wake();
  }

  /** Looks through all endpoints for what is due, and when. */
  private async discover(): Promise<void> {
    const { engine, sql, pollMs } = this.options;
    this.nextPoll = performance.now() + pollMs;
    const answers = new Map(engine.allLanes().map((lane) => [lane.endpoint.id, lane.ask()]));
    const due = new Map((await nextDue(sql, null)).map((row) => [row.endpoint_id, performance.now() + row.in_ms]));
    for (const endpoint of await this.load([...new Set([...due.keys(), ...answers.keys()])])) {
      const lane = engine.lane(endpoint);
      const answer = answers.get(endpoint.id);
      if (answer) answer(due.get(endpoint.id) ?? Infinity);
      else lane.note(due.get(endpoint.id)!);
    }
    engine.forgetIdle();
  }

  private async claimPlain(wanted: { lane: Lane; room: number }[]): Promise<void> {
    const { engine, sql } = this.options;
    for (const { lane, room } of wanted) engine.promise(lane, room);
    let rows: ClaimedRow[] = [];
    const leasedFrom = performance.now();
    try {
      rows = await claimDue(sql, wanted.map(({ lane, room }) => ({ endpointId: lane.endpoint.id, room })), engine.replica, engine.leaseMs);
    } finally {
      for (const { lane, room } of wanted) engine.promise(lane, -room);
    }
    const got = Map.groupBy(rows, (row) => row.endpoint_id);
    await this.hand(rows, leasedFrom);
    const drained = wanted.filter(({ lane, room }) => (got.get(lane.endpoint.id)?.length ?? 0) < room).map(({ lane }) => lane);
    await this.refresh(drained, (lane) => !got.has(lane.endpoint.id));
  }

  private async claimAtPace(lane: Lane, room: number): Promise<void> {
    const { engine, sql } = this.options;
    engine.promise(lane, room);
    const leasedFrom = performance.now();
    let claimed: Awaited<ReturnType<typeof claimPaced>> = { rows: [], nextInMs: LOOK_AGAIN_MS };
    try {
      claimed = await claimPaced(sql, lane.endpoint.id, lane.endpoint.ratePerSecond!, room, engine.replica, engine.leaseMs);
    } finally {
      engine.promise(lane, -room);
    }
    await this.hand(claimed.rows, leasedFrom);
    lane.pacedUntil = performance.now() + (claimed.nextInMs ?? LOOK_AGAIN_MS);
    if (claimed.nextInMs === 0 || claimed.rows.length > 0) await this.refresh([lane], () => claimed.rows.length === 0);
  }

  private async hand(rows: ClaimedRow[], leasedFrom: number): Promise<void> {
    const { engine } = this.options;
    const fresh = new Map((await this.load([...new Set(rows.map((row) => row.endpoint_id))])).map((endpoint) => [endpoint.id, endpoint]));
    for (const row of rows) {
      const endpoint = fresh.get(row.endpoint_id)!;
      engine.take(endpoint, { id: row.id, eventId: row.event_id, url: row.url, event: row.event, reason: row.reason, body: row.body, attempts: row.attempts, roundStart: row.round_start, fence: row.fence, occurredAt: row.occurred_at.getTime(), trace: row.traceparent ?? undefined }, leasedFrom);
    }
  }

  /** Asks when these lanes' next deliveries are due. @param missed whether one that seemed due could not be had */
  private async refresh(lanes: Lane[], missed: (lane: Lane) => boolean): Promise<void> {
    if (lanes.length === 0) return;
    const answers = lanes.map((lane) => lane.ask());
    const due = new Map((await nextDue(this.options.sql, lanes.map((lane) => lane.endpoint.id))).map((row) => [row.endpoint_id, row.in_ms]));
    const now = performance.now();
    lanes.forEach((lane, index) => {
      const inMs = due.get(lane.endpoint.id) ?? Infinity;
      answers[index]!(now + (missed(lane) ? Math.max(LOOK_AGAIN_MS, inMs) : inMs));
    });
  }

  private async load(ids: string[]) {
    if (ids.length === 0) return [];
    return (await sendableByIds(this.options.sql, ids)).map((row) => this.options.opener.open(row));
  }
}
