import type { Endpoint } from './endpoint.ts';

/** One delivery as the engine holds it. `fence` is the taking under which its result will count. */
export type Delivery = {
  id: string;
  eventId: string;
  url: string | null;
  event: string;
  /** Of the escalation that it tells of; null where it tells of none (a test, an endpoint that was disabled). */
  reason: string | null;
  body: Uint8Array;
  attempts: number;
  roundStart: number;
  fence: number;
  /** When what it tells of happened, ms since the epoch. */
  occurredAt?: number;
  /** What caused it, while something is traced. */
  trace?: string | undefined;
};
export type Held = Delivery & { leaseUntil: number; lost: boolean };

/** Failures in a row, none of them an answer that shows life, after which a lane closes for a while. */
const OPEN_AFTER = 5;
const MAX_PAUSE_MS = 300_000;
/** So many times as many as may be sent at once may be held, answered ones included. */
const MOST_UNRECORDED = 8;
/** An endpoint that answers promptly has as many in wait as it takes in this time, ms, if no more than so many times as may be sent at once. */
const WAIT_MS = 200;
const MOST_WAITING = 7;
/** Of the time that answers take, what the newest one says. */
const NEWEST = 0.2;
/** The breaker's first pause; an endpoint whose first retry comes sooner pauses no longer than that. */
const FIRST_PAUSE_MS = 5_000;

/** How an answer reflects on the endpoint: it works, or it cannot take anything now. */
export type Sign = 'alive' | 'down';

/**
 * What the engine knows of one endpoint: the deliveries it holds for it, how many may go at a time, and a circuit breaker.
 * Times are milliseconds of the process's monotonic clock.
 *
 * Breaker: five failures in a row close the lane for a pause that doubles each time (5 s to 5 min). After it one attempt goes
 * as a probe; success opens the lane, and the window doubles with each further success until it is whole again, so that
 * an endpoint that has just recovered is not run over by its own backlog.
 */
export class Lane {
  endpoint: Endpoint;
  readonly queue: Held[] = [];
  readonly active = new Set<Held>();
  /** Places promised to a claim or an insert that is under way. */
  reserved = 0;
  /** No earlier by the endpoint's own rate. */
  pacedUntil = 0;
  private due = Infinity;
  private notes = 0;
  private sending = 0;
  private pausedUntil = 0;
  private failures = 0;
  private pauses = 0;
  private pausedAt = -1;
  /** How long its answers take of late, ms; long until there was one. */
  private answerMs = Infinity;
  private window: number;
  private readonly standardLimit: number;
  private readonly firstPauseMs: number;

  constructor(endpoint: Endpoint, standardLimit: number, firstRetryMs: number) {
    this.endpoint = endpoint;
    this.standardLimit = standardLimit;
    this.firstPauseMs = Math.min(FIRST_PAUSE_MS, firstRetryMs);
    this.window = this.limit;
  }

  get limit(): number {
    return this.endpoint.maxConcurrency ?? this.standardLimit;
  }

  /** Deliveries and promised places that count against the cap on all, those whose result is still to be recorded among them. */
  get held(): number {
    return this.queue.length + this.active.size + this.reserved;
  }

  /** Those that have no answer yet: what else it holds keeps the endpoint from nothing. */
  private get ahead(): number {
    return this.queue.length + this.sending + this.reserved;
  }

  get inFlight(): number {
    return this.sending;
  }

  /** Whether one more may be sent now. */
  maySend(now: number): boolean {
    return this.endpoint.enabled && now >= this.pausedUntil && this.sending < Math.min(this.window, this.limit);
  }

  /**
   * How many more the lane may take: what it can send, and as much again in wait so that it never runs dry; more, if its answers are prompt, since
   * what a burst brings need not be claimed then. What a crash would send again has a bound: results that are still to be recorded.
   */
  room(now: number): number {
    if (!this.endpoint.enabled || now < this.pausedUntil) return 0;
    const abreast = Math.min(this.window, this.limit);
    const waiting = Math.min(MOST_WAITING, Math.max(1, WAIT_MS / this.answerMs)) * abreast;
    const places = this.pauses > 0 ? 1 : abreast + Math.floor(waiting);
    return Math.max(0, Math.min(places - this.ahead, MOST_UNRECORDED * this.limit - this.held));
  }

  /** When the database has something for this endpoint that nobody holds, as far as is known; Infinity when it has nothing. */
  get dueAt(): number {
    return this.due;
  }

  /** Something will be due then. */
  note(at: number): void {
    this.due = Math.min(this.due, at);
    this.notes += 1;
  }

  /**
   * Before asking the database what is due.
   * @returns takes its answer, save that what was noted meanwhile stands
   */
  ask(): (at: number) => void {
    const before = this.notes;
    return (at) => {
      this.due = this.notes === before ? at : Math.min(this.due, at);
    };
  }

  /** When it would be worth asking the database again. */
  get wakeAt(): number {
    return Math.max(this.due, this.pausedUntil, this.pacedUntil);
  }

  started(delivery: Held): void {
    this.sending += 1;
    this.active.add(delivery);
  }

  /**
   * An attempt has its answer.
   * @param startedAt when the attempt began: those begun before a pause say nothing about the time after it
   * @returns true if the lane has just been closed
   */
  answered(sign: Sign, startedAt: number, now: number, random: number): boolean {
    this.sending -= 1;
    this.learn(sign, now - startedAt);
    if (sign === 'alive') {
      this.failures = 0;
      this.pauses = 0;
      this.window = Math.min(this.limit, this.window * 2);
      return false;
    }
    if (startedAt <= this.pausedAt) return false;
    this.failures += 1;
    if (this.pauses === 0 && this.failures < OPEN_AFTER) return false;
    this.failures = 0;
    this.pauses += 1;
    this.window = 1;
    this.pausedAt = now;
    this.pausedUntil = Math.max(this.pausedUntil, now + Math.min(MAX_PAUSE_MS, this.firstPauseMs * 2 ** (this.pauses - 1)) * (0.8 + 0.4 * random));
    return true;
  }

  /** Whoever cannot take anything has no more in wait than at first, however promptly it says so. */
  private learn(sign: Sign, tookMs: number): void {
    if (sign === 'down') this.answerMs = Infinity;
    else this.answerMs = this.answerMs === Infinity ? tookMs : this.answerMs + NEWEST * (tookMs - this.answerMs);
  }

  /** The endpoint asked for a break (429, 503 with `Retry-After`). */
  rest(until: number, now: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, Math.min(until, now + MAX_PAUSE_MS));
  }

  /** Whether nothing may be sent for a while. */
  isPaused(now: number): boolean {
    return now < this.pausedUntil;
  }

  /** Nothing held, nothing known to come, nothing worth remembering. */
  get idle(): boolean {
    return this.held === 0 && this.due === Infinity && this.pauses === 0 && this.failures === 0;
  }
}
