import { backoffDelay, Loop, newId, withDeadline, type Logger, type Sql } from '@umpire/runtime';
import { Allowance } from './allowance.ts';
import type { DatabaseClock } from './database-clock.ts';
import type { Firing, LeasedBatch } from './firing.service.ts';
import { Moments } from './moments.ts';
import { claimDue, claimOverdue, lookAhead, STATEMENT_MS, type Lease, type LeasedTimer, type Outlook } from './timer.queries.ts';

export type FireLoopOptions = {
  sql: Sql;
  firing: Firing;
  clock: DatabaseClock;
  logger: Logger;
  monotonic: () => number;
  /** How long a claim is ours; longer than the store may take to answer. */
  leaseMs: number;
  /** Most timers in one request. */
  batch: number;
  /** Most requests under way; half of them at most for what is overdue. */
  inFlight: number;
  /** Timers that were due longer ago than this are overdue: caught up with in due order, at this rate a second. */
  overdueMs: number;
  catchUpPerSecond: number;
  /** How often to look for what other replicas have armed or left behind. */
  lookEveryMs: number;
};

const PAUSE = { baseMs: 100, maxMs: 5_000 };
/**
 * In a crowd, the least time from one claim to the next: each costs a round through the database and the store, so a thousand timers
 * a second go in forty batches instead of a thousand. A timer alone never waits for it.
 */
const CLAIM_EVERY_MS = 25;
/** When another replica holds a lane's head this very moment. */
const TRY_AGAIN_MS = 25;

/**
 * Wakes at the very moment at which the next timer is due, claims what is due, and has it fired; several batches are under way at
 * once, and what falls due while all are busy goes together into the next.
 *
 * Two lanes. *Due*: what has just become due, fairly from every namespace. *Overdue*: what an outage (of ours or of the store) left
 * behind: everything due before this replica started, before the store last failed, or longer ago than `overdueMs`. It is fired in
 * due order, one batch of a namespace after the other even across replicas, in turns between namespaces, and no faster than
 * allowed; so what becomes due meanwhile keeps its time.
 *
 * Nothing depends on how often `look` runs: arming wakes the loop, and every claim says when its namespaces are due next. Looking finds
 * what others armed and died before firing, and leases that ended.
 */
export class FireLoop {
  private readonly options: FireLoopOptions;
  private readonly loop: Loop;
  private readonly allowance: Allowance;
  /** A lone straggler waits for one token, a crowd for a worthwhile batch. */
  private readonly smallestShare: number;
  private readonly due = new Moments();
  private readonly overdue = new Moments();
  private readonly floors = new Map<string, number>();
  private readonly batches = new Set<Promise<void>>();
  private overdueBatches = 0;
  private failures = 0;
  private pausedUntil = Number.NEGATIVE_INFINITY;
  private lookAt = Number.NEGATIVE_INFINITY;
  private claimAt = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | null = null;
  /** What was due before this moment (the database's clock) is overdue, however little. */
  private behindUntil = Number.NEGATIVE_INFINITY;

  constructor(options: FireLoopOptions) {
    this.options = options;
    this.allowance = new Allowance(options.catchUpPerSecond, options.batch, options.monotonic);
    this.smallestShare = Math.max(1, Math.min(options.batch, Math.floor(options.catchUpPerSecond / 20)));
    this.loop = new Loop({ name: 'fire', intervalMs: options.lookEveryMs, runOnce: () => this.runOnce(), logger: options.logger });
  }

  start(): void {
    this.loop.start();
  }

  /** Claims nothing more; what is under way is settled first. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.looking?.catch(() => undefined);
    await Promise.all(this.batches);
  }

  /** A timer was armed for this moment (ms, the database's clock): wake then, if nothing comes before. */
  armed(namespace: string, wakeAt: number): void {
    const late = this.options.clock.known && wakeAt < this.overdueBefore();
    if (late) this.noteOverdue(namespace, this.options.clock.now(), wakeAt);
    if (late || this.due.note(namespace, wakeAt)) this.loop.wake();
  }

  /** One round: claims once from each lane, as far as there is room. @returns timers claimed, and when to come again */
  async runOnce(): Promise<{ handled: number; nextInMs: number }> {
    const { clock, monotonic } = this.options;
    if (!clock.known) await this.startLooking();
    else if (monotonic() >= this.lookAt && !this.looking) void this.startLooking().catch((error: unknown) => this.options.logger.error({ err: error }, 'look_failed'));
    if (monotonic() < this.pausedUntil) return { handled: 0, nextInMs: Math.ceil(this.pausedUntil - monotonic()) };
    const handled = (await this.claimDue()) + (await this.claimOverdue());
    return { handled, nextInMs: this.nextInMs() };
  }

  private startLooking(): Promise<void> {
    this.looking = this.lookNow().then(() => this.loop.wake()).finally(() => (this.looking = null));
    return this.looking;
  }

  private async lookNow(): Promise<void> {
    const { sql, clock, monotonic, lookEveryMs } = this.options;
    const first = !clock.known;
    const startedAt = monotonic();
    // A database that is slow to look is looked at less.
    this.lookAt = startedAt + lookEveryMs;
    const { now, namespaces } = await withDeadline(lookAhead(sql, first ? Number.POSITIVE_INFINITY : this.overdueBefore()), STATEMENT_MS, 'look');
    this.observe(startedAt, now);
    if (first) this.behindUntil = now;
    for (const outlook of namespaces) this.noteOutlook(outlook, now);
    this.lookAt = monotonic() + Math.max(lookEveryMs, 20 * (monotonic() - startedAt));
  }

  private noteOutlook({ namespace, next, missed, head }: Outlook, now: number): void {
    if (next !== null) this.due.note(namespace, next);
    if (missed) this.due.note(namespace, now);
    // A lane that is known keeps its moment: it may be under way.
    if (head && head.wake_at <= now) this.noteOverdue(namespace, Math.max(now, head.leased_until), head.wake_at);
  }

  private async claimDue(): Promise<number> {
    const { sql, clock, monotonic, batch, leaseMs } = this.options;
    if (!this.hasRoom() || monotonic() < this.claimAt) return 0;
    const namespaces = this.due.takeDue(clock.now(), batch);
    if (this.failures > 0) for (const namespace of namespaces) this.noteOverdue(namespace, clock.now(), Number.NEGATIVE_INFINITY);
    if (this.failures > 0 || namespaces.length === 0) return 0;
    const quota = Math.floor(batch / namespaces.length);
    const lease = newLease(leaseMs);
    const sentAt = monotonic();
    let claimed;
    try {
      claimed = await withDeadline(claimDue(sql, { namespaces, from: this.overdueBefore(), quota, lease }), STATEMENT_MS, 'claim');
    } catch (error) {
      for (const namespace of namespaces) this.due.note(namespace, clock.now());
      throw error;
    }
    this.observe(sentAt, claimed.now);
    const counts = countByNamespace(claimed.timers);
    for (const namespace of namespaces) {
      const next = counts.get(namespace) === quota ? claimed.now : claimed.next.get(namespace);
      if (next != null) this.due.note(namespace, next);
    }
    if (claimed.timers.length === 0) return 0;
    if (claimed.timers.length < batch) this.claimAt = sentAt + CLAIM_EVERY_MS;
    this.launch({ timers: claimed.timers, lease, leasedUntil: sentAt + leaseMs }, []);
    return claimed.timers.length;
  }

  private async claimOverdue(): Promise<number> {
    const { sql, clock, monotonic, batch, leaseMs } = this.options;
    const room = Math.min(batch, this.allowance.available);
    if (!this.hasRoomForOverdue() || room < this.smallestShare) return 0;
    const namespaces = this.overdue.takeDue(clock.now(), room);
    if (namespaces.length === 0) return 0;
    const lease = newLease(leaseMs);
    const sentAt = monotonic();
    const lanes = namespaces.map((namespace) => ({ namespace, floor: this.takeFloor(namespace) }));
    let claimed;
    try {
      const ask = { lanes, before: this.overdueBefore(), quota: Math.floor(room / namespaces.length), lease };
      claimed = await withDeadline(claimOverdue(sql, ask), STATEMENT_MS, 'claim');
    } catch (error) {
      for (const { namespace, floor } of lanes) this.noteOverdue(namespace, clock.now(), floor);
      throw error;
    }
    this.observe(sentAt, claimed.now);
    const counts = countByNamespace(claimed.timers);
    for (const [namespace, head] of claimed.heads) {
      if (!counts.has(namespace)) this.noteOverdue(namespace, head.leased_until > claimed.now ? head.leased_until : claimed.now + TRY_AGAIN_MS, head.wake_at);
    }
    this.allowance.spend(claimed.timers.length);
    if (claimed.timers.length > 0) this.launch({ timers: claimed.timers, lease, leasedUntil: sentAt + leaseMs }, [...counts.keys()]);
    return claimed.timers.length;
  }

  /** @param lanes namespaces whose overdue lane waits for this batch */
  private launch(batch: LeasedBatch, lanes: string[]): void {
    if (lanes.length > 0) this.overdueBatches += 1;
    const work = this.options.firing.fire(batch).then(({ answered, again }) => {
      this.batches.delete(work);
      if (lanes.length > 0) this.overdueBatches -= 1;
      if (answered) this.succeeded();
      else this.failed();
      for (const { namespace, at } of again) this.armed(namespace, at);
      const now = this.options.clock.now();
      for (const namespace of lanes) this.noteOverdue(namespace, now, batch.timers.find((timer) => timer.namespace === namespace)!.wake_at);
      this.loop.wake();
    });
    this.batches.add(work);
  }

  /** The store is away: until it answers, all that is due is overdue, and one request at a time asks. */
  private failed(): void {
    this.failures += 1;
    this.pausedUntil = this.options.monotonic() + backoffDelay(this.failures, PAUSE);
    this.lookAt = Number.NEGATIVE_INFINITY;
  }

  private succeeded(): void {
    if (this.failures > 0) this.behindUntil = this.options.clock.now();
    this.failures = 0;
  }

  /** @param floor no overdue timer of the namespace is older */
  private noteOverdue(namespace: string, at: number, floor: number): void {
    this.overdue.note(namespace, at);
    this.floors.set(namespace, Math.min(floor, this.floors.get(namespace) ?? Number.POSITIVE_INFINITY));
  }

  /** Takes the floor out, so that what is noted while a claim is under way counts for the next. */
  private takeFloor(namespace: string): number {
    const floor = this.floors.get(namespace) ?? Number.NEGATIVE_INFINITY;
    this.floors.delete(namespace);
    return floor - 1;
  }

  private observe(sentAt: number, now: number): void {
    if (!this.options.clock.observe(sentAt, now)) return;
    this.behindUntil = Math.min(this.behindUntil, now);
  }

  private overdueBefore(): number {
    if (this.failures > 0) return this.options.clock.now();
    return Math.max(this.behindUntil, this.options.clock.now() - this.options.overdueMs);
  }

  private hasRoom(): boolean {
    return this.batches.size < (this.failures > 0 ? 1 : this.options.inFlight);
  }

  private hasRoomForOverdue(): boolean {
    return this.hasRoom() && this.overdueBatches < Math.max(1, this.options.inFlight >> 1);
  }

  private nextInMs(): number {
    if (!this.hasRoom()) return Number.POSITIVE_INFINITY;
    const { clock, monotonic } = this.options;
    const now = clock.now();
    const overdueIn = this.hasRoomForOverdue() ? Math.max(this.overdue.soonest - now, this.allowance.msUntil(this.smallestShare)) : Number.POSITIVE_INFINITY;
    const dueIn = Math.max(this.due.soonest - now, this.claimAt - monotonic());
    return Math.ceil(Math.max(0, Math.min(dueIn, overdueIn, this.lookAt - monotonic())));
  }
}

const newLease = (ms: number): Lease => ({ id: newId(), ms });

function countByNamespace(timers: LeasedTimer[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { namespace } of timers) counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  return counts;
}
