import { REASONS } from '@umpire/contract';
import { counter, gauge, histogram, openSpan, traceHeaders, withinSpan, type Clock, type Logger, type Span, type TraceContext } from '@umpire/runtime';
import type { AttemptRecorder } from './attempt-recorder.ts';
import type { AttemptRow } from './delivery.queries.ts';
import type { Endpoint } from './endpoint.ts';
import type { Answer, HttpSender } from './http-sender.ts';
import { Lane, type Delivery, type Held, type Sign } from './lane.ts';
import { retryDelay } from './retry-schedule.ts';
import { signatureHeaders } from './signature.ts';
import { thinBody } from './webhook-body.ts';

/** A lane may hold this share of what is free in all: however many endpoints hang, some room is left for the next. */
const SHARE = 0.25;
const MAX_HELD_BYTES = 64 * 1024 * 1024;
const FIRST_RETRY_MS = 5_000;
const NO_BODY = new Uint8Array(0);
/** What a metric says of deliveries about no escalation. */
const NO_REASON = 'none';

export type EngineOptions = {
  replica: string;
  sender: Pick<HttpSender, 'send'>;
  recorder: AttemptRecorder;
  logger: Logger;
  clock: Clock;
  leaseMs: number;
  maxInFlight: number;
  concurrency: number;
  retrySeconds: readonly number[];
  /** Those whose counts are told from zero on. */
  namespaces?: readonly string[];
  random?: () => number;
};

/**
 * Sends deliveries: a lane for each endpoint, caps on each and on all, and the results to the recorder. What may be sent comes
 * from the fan-out (new ones, at once) and from the claim loop (all others). Sharing follows Choudhury and Hahne's dynamic
 * thresholds ("Dynamic queue length thresholds for shared-memory packet switches", 1998): a lane is bounded by a share of
 * what is free, so hanging endpoints cannot take it all, and nobody has to know how many there are.
 */
export class DeliveryEngine {
  readonly replica: string;
  readonly leaseMs: number;
  private readonly options: EngineOptions;
  private readonly lanes = new Map<string, Lane>();
  private readonly random: () => number;
  private held = 0;
  private heldBytes = 0;
  private starved = false;
  private stopping = false;
  private turn = 0;
  private onRoom: () => void = () => undefined;
  private onIdle: () => void = () => undefined;
  private readonly attempts = counter('umpire_notifier_attempts_total', 'Webhook attempts by how they ended', ['result']);
  private readonly latency = histogram('umpire_notifier_attempt_seconds', 'Webhook attempts, from name resolution to the last byte');
  private readonly ended = counter('umpire_notifier_deliveries_total', 'Deliveries that ended, by how', ['namespace', 'reason', 'state']);
  private readonly delivered = histogram('umpire_notifier_delivery_seconds', 'From an event to its acceptance by an endpoint, retries included', ['namespace', 'reason'],
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 28_800, 86_400]);
  private readonly heldGauge = gauge('umpire_notifier_deliveries_held', 'Deliveries that this process holds');

  constructor(options: EngineOptions) {
    this.options = options;
    this.replica = options.replica;
    this.leaseMs = options.leaseMs;
    this.random = options.random ?? Math.random;
    // What appears with its first failure would not be seen to rise.
    for (const namespace of options.namespaces ?? []) for (const reason of [...REASONS, NO_REASON]) this.ended.inc({ namespace, reason, state: 'failed' }, 0);
  }

  /** @param claim is called when there is room for, or news of, something that the database has due */
  whenRoom(claim: () => void): void {
    this.onRoom = claim;
  }

  /** Promises a place for a delivery that is about to be inserted, if it could go out at once: false leaves it to the claim loop. */
  reserve(endpoint: Endpoint, bytes: number): boolean {
    const lane = this.lane(endpoint);
    const now = performance.now();
    // What waits in the database goes first; an endpoint with a rate takes its turn through the pace row.
    if (this.stopping || endpoint.ratePerSecond !== null || lane.dueAt <= now || this.roomFor(lane, now) < 1) return false;
    this.promise(lane, 1, bytes);
    return true;
  }

  /** Takes the promise of `reserve` back, before `take` or instead of it. */
  release(endpoint: Endpoint, bytes: number): void {
    const lane = this.lanes.get(endpoint.id);
    if (lane) this.promise(lane, -1, -bytes);
  }

  /** @param leasedFrom monotonic ms before the statement that leased it was sent: its lease lasts at least from then */
  take(endpoint: Endpoint, delivery: Delivery, leasedFrom: number): void {
    const lane = this.lane(endpoint);
    this.hold(1, delivery.body.length);
    lane.queue.push({ ...delivery, leaseUntil: leasedFrom + this.leaseMs, lost: false });
    this.pump(lane);
  }

  /** The database has something due for this endpoint. */
  due(endpoint: Endpoint): void {
    this.lane(endpoint).note(performance.now());
    this.onRoom();
  }

  /** The lane of an endpoint, with the newest that is known of it. */
  lane(endpoint: Endpoint): Lane {
    const known = this.lanes.get(endpoint.id);
    if (!known) {
      const lane = new Lane(endpoint, this.options.concurrency, (endpoint.retrySeconds?.[0] ?? FIRST_RETRY_MS / 1000) * 1000);
      this.lanes.set(endpoint.id, lane);
      return lane;
    }
    if (endpoint.version >= known.endpoint.version) known.endpoint = endpoint;
    return known;
  }

  allLanes(): Lane[] {
    return [...this.lanes.values()];
  }

  /** Lanes that have something due and room for it, in turn; each with how many it may take. */
  candidates(): { lane: Lane; room: number }[] {
    const now = performance.now();
    const ready = this.allLanes().filter((lane) => lane.wakeAt <= now);
    this.turn = ready.length > 0 ? (this.turn + 1) % ready.length : 0;
    this.starved = false;
    return [...ready.slice(this.turn), ...ready.slice(0, this.turn)].flatMap((lane) => {
      const room = this.roomFor(lane, now);
      if (room < 1) this.starved ||= lane.room(now) > 0;
      return isWorthAsking(lane, room) ? [{ lane, room }] : [];
    });
  }

  /** Monotonic ms of the next time that a lane wants to be claimed for; full lanes say so themselves when they have room. */
  get wakeAt(): number {
    const now = performance.now();
    return this.allLanes().reduce((soonest, { wakeAt }) => (wakeAt > now && wakeAt < soonest ? wakeAt : soonest), Infinity);
  }

  /** Keeps places while a claim or an insert is under way (`places` > 0), or gives them back. */
  promise(lane: Lane, places: number, bytes = 0): void {
    lane.reserved += places;
    this.hold(places, bytes);
  }

  /** What is held longer than a third of its lease: to be renewed. */
  ageing(): Held[] {
    const limit = performance.now() + (this.leaseMs * 2) / 3;
    return this.allLanes().flatMap((lane) => [...lane.active, ...lane.queue].filter((delivery) => !delivery.lost && delivery.leaseUntil < limit));
  }

  /** Drops lanes that hold nothing and have nothing to wait for. */
  forgetIdle(): void {
    for (const [id, lane] of this.lanes) if (lane.idle) this.lanes.delete(id);
  }

  /** Starts nothing more from now on. */
  quiesce(): void {
    this.stopping = true;
  }

  /**
   * Waits for what is under way.
   * @returns what was held but not sent: to be given back
   */
  async stop(withinMs: number): Promise<Held[]> {
    this.quiesce();
    const unsent = this.allLanes().flatMap((lane) => this.drop(lane));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
    const idle = new Promise<void>((resolve) => (this.onIdle = resolve));
    if (this.held > 0) await Promise.race([idle, late]);
    clearTimeout(timer);
    return unsent;
  }

  private roomFor(lane: Lane, now: number): number {
    const free = this.options.maxInFlight - this.held;
    if (this.stopping || free < 1 || this.heldBytes > MAX_HELD_BYTES) return 0;
    const share = Math.max(1, Math.floor(free * SHARE)) - lane.held;
    return Math.max(0, Math.min(lane.room(now), share, free));
  }

  private pump(lane: Lane): void {
    const now = performance.now();
    while (lane.queue.length > 0 && !this.stopping && lane.maySend(now)) {
      const delivery = lane.queue.shift()!;
      if (delivery.lost || delivery.leaseUntil <= now) this.letGo(delivery);
      else void this.attempt(lane, delivery);
    }
    if (lane.isPaused(now) || !lane.endpoint.enabled) this.drop(lane);
  }

  /** Forgets what a lane has in wait: the leases run out and the deliveries are due again. */
  private drop(lane: Lane): Held[] {
    const dropped = lane.queue.splice(0);
    for (const delivery of dropped) this.letGo(delivery);
    if (dropped.length > 0) lane.note(performance.now() + this.leaseMs);
    return dropped;
  }

  /** Only its result is to be kept now. */
  private letGoBody(delivery: Held): void {
    this.hold(0, -delivery.body.length);
    delivery.body = NO_BODY;
  }

  private letGo(delivery: Held): void {
    this.hold(-1, -delivery.body.length);
  }

  private hold(count: number, bytes: number): void {
    this.held += count;
    this.heldBytes += bytes;
    this.heldGauge.set(this.held);
    if (this.held === 0) this.onIdle();
  }

  private attempt(lane: Lane, delivery: Held): Promise<void> {
    if (delivery.trace === undefined) return this.attemptOnce(lane, delivery, undefined);
    const attributes = { 'umpire.event': delivery.event, 'umpire.endpoint_id': lane.endpoint.id, 'umpire.attempt': delivery.attempts + 1, 'messaging.message.id': delivery.eventId };
    const span = openSpan('webhook POST', { parent: delivery.trace, kind: 'client', attributes });
    return withinSpan(span, () => this.attemptOnce(lane, delivery, span));
  }

  private async attemptOnce(lane: Lane, delivery: Held, span: Span | undefined): Promise<void> {
    const { endpoint } = lane;
    const began = performance.now();
    const startedAt = this.options.clock.now();
    lane.started(delivery);
    const answer = await this.send(endpoint, delivery, startedAt, span?.context);
    const row = this.judge(endpoint, delivery, answer, startedAt);
    if (answer.status !== null) span?.set({ 'http.response.status_code': answer.status });
    if (answer.error !== null) span?.fail(new Error(answer.error));
    span?.end();
    this.letGoBody(delivery);
    this.reflect(lane, answer, began);
    this.pump(lane);
    // The next ones come while others are on their way, not when this one's result stands in the database.
    if (wantsMore(lane)) this.onRoom();
    const ok = answer.error === null;
    const { failingSince } = endpoint;
    // Known here before the database's word comes back with the next load.
    endpoint.failingSince = ok ? null : (failingSince ?? startedAt);
    await this.options.recorder.record({ ...row, endpointId: endpoint.id, ok, gone: row.failure === 'gone' && endpoint.kind === 'endpoint', failingSince });
    lane.active.delete(delivery);
    this.letGo(delivery);
    if (row.delayMs !== null) lane.note(performance.now() + row.delayMs);
    // What is still to be recorded may have been what kept it from more.
    if (row.delayMs !== null || this.starved || wantsMore(lane)) this.onRoom();
  }

  private async send(endpoint: Endpoint, delivery: Held, now: number, trace: TraceContext): Promise<Answer> {
    try {
      const body = endpoint.payload === 'thin' ? thinBody(delivery.body) : delivery.body;
      return await this.options.sender.send({ url: new URL(delivery.url ?? endpoint.url), headers: { ...this.headers(endpoint, delivery, body, now), ...traceHeaders(trace) }, body });
    } catch (error) {
      return { status: null, error: 'protocol', detail: (error as Error).message.slice(0, 300), response: Buffer.alloc(0), latencyMs: 0, retryAfterMs: null };
    }
  }

  private headers(endpoint: Endpoint, delivery: Held, body: Uint8Array, now: number): Record<string, string> {
    if (endpoint.keys.length === 0) throw new Error('its signing secret was sealed under a key that this process does not have');
    const keys = endpoint.keys.filter(({ until }) => until === null || until > now).map(({ key }) => key);
    return {
      ...endpoint.headers,
      'content-type': 'application/json',
      'user-agent': 'Umpire-Webhooks/1',
      'x-event-type': 'hitl_escalation',
      ...signatureHeaders(delivery.eventId, Math.floor(now / 1000), body, keys),
    };
  }

  private judge(endpoint: Endpoint, delivery: Held, answer: Answer, startedAt: number): AttemptRow {
    const number = delivery.attempts + 1;
    const schedule = endpoint.retrySeconds ?? this.options.retrySeconds;
    const gone = answer.status === 410;
    const delayMs = answer.error === null || gone ? null : retryDelay(schedule, number - delivery.roundStart, answer.retryAfterMs, this.random());
    const state = answer.error === null ? 'delivered' : delayMs === null ? 'failed' : 'pending';
    this.attempts.inc({ result: answer.error ?? 'delivered' });
    this.latency.observe(answer.latencyMs / 1000);
    const labels = { namespace: endpoint.namespace, reason: delivery.reason ?? NO_REASON };
    if (state !== 'pending') this.ended.inc({ ...labels, state });
    if (state === 'delivered' && delivery.occurredAt !== undefined) {
      this.delivered.observe(labels, Math.max(0, startedAt + answer.latencyMs - delivery.occurredAt) / 1000);
    }
    const line = { delivery_id: delivery.id, event_id: delivery.eventId, event: delivery.event, endpoint_id: endpoint.id, namespace: endpoint.namespace, attempt: number, state, status: answer.status, error: answer.error, latency_ms: answer.latencyMs, retry_in_ms: delayMs };
    if (state === 'delivered') this.options.logger.debug(line, 'webhook_attempt');
    else this.options.logger.info(line, 'webhook_attempt');
    return {
      deliveryId: delivery.id, fence: delivery.fence, number, state, failure: state === 'failed' ? (gone ? 'gone' : 'exhausted') : null, delayMs,
      startedAt: new Date(startedAt).toISOString(), latencyMs: answer.latencyMs, status: answer.status, error: answer.error, detail: answer.detail, response: answer.response,
    };
  }

  private reflect(lane: Lane, answer: Answer, began: number): void {
    const now = performance.now();
    if (lane.answered(signOf(answer), began, now, this.random())) {
      this.options.logger.warn({ endpoint_id: lane.endpoint.id, namespace: lane.endpoint.namespace, error: answer.error, status: answer.status }, 'endpoint_paused');
    }
    if (answer.retryAfterMs !== null && (answer.status === 429 || answer.status === 503)) lane.rest(now + answer.retryAfterMs, now);
  }
}

/** A lane that still has work in wait is not worth a query for one more. */
const isWorthAsking = (lane: Lane, room: number): boolean => room >= 1 && (lane.queue.length === 0 || room >= lane.limit / 2);

function wantsMore(lane: Lane): boolean {
  const now = performance.now();
  return lane.dueAt <= now && isWorthAsking(lane, lane.room(now));
}

/** Any complete answer shows life, save those that say "not now". */
function signOf(answer: Answer): Sign {
  if (answer.status === null) return 'down';
  return answer.status >= 500 || answer.status === 429 ? 'down' : 'alive';
}
