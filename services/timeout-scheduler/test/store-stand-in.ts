import {
  subjects, REQUESTS, SCHEMA_VERSION, type ApplyItem, type ApplyReply, type ApplyRequest, type ChangesQuery, type ChangesReply, type Clock, type ClockKind,
  type EscalationEvent, type EventType, type Principal, type PrincipalQuery,
} from '@umpire/contract';
import { ensureStreams, keyDigest, newId, type Bus } from '@umpire/runtime';

export type Wanted = { kind: ClockKind; ordinal?: number; dueAt: number };
type Escalation = { namespace: string; request_id: string; seq: number; clocks: Clock[]; changed: number };
/** One timer asked about: when (the database's clock), what was said, and in which request. */
export type Asked = ApplyItem & { at: number; dueAt: number | null; said: 'applied' | 'stale' | 'retry_at'; request: number };

/**
 * Answers for the state store over the same subjects, with its rules for clocks: the database's clock decides, a clock that is not
 * armed under just that generation is stale, and whatever changes is told on `HITL_EVENTS`. It keeps a record of all that it was asked.
 */
export class StoreStandIn {
  readonly asked: Asked[] = [];
  readonly applied: Asked[] = [];
  /** Asks about a clock before its time. */
  readonly early: Asked[] = [];
  requests = 0;
  /** Called with every request before it is answered; waits for it, fails with it. */
  gate: (items: ApplyItem[], request: number) => Promise<void> = async () => undefined;
  /** Called when a request has taken effect, before it is answered; waits for it. */
  beforeAnswer: (request: number) => Promise<void> = async () => undefined;
  /** The clocks that follow when one is applied: by default those that are left. */
  follow: (escalation: Escalation, applied: Clock, now: number) => { type: EventType; clocks: Wanted[] | null } = () => ({ type: 'reminded', clocks: null });
  /** Whether the events that follow from applied clocks are published. */
  telling = true;
  private readonly escalations = new Map<string, Escalation>();
  private readonly principals = new Map<string, Principal>();
  private readonly bus: Bus;
  private readonly now: () => Promise<number>;
  private changes = 0;
  private stopApply: (() => Promise<void>) | null = null;
  private stops: (() => Promise<void>)[] = [];
  private readonly waiting: { until: () => boolean; settle: () => void }[] = [];

  /** @param now the clock that decides what is due, ms */
  constructor(bus: Bus, now: () => Promise<number>) {
    this.bus = bus;
    this.now = now;
  }

  async start(): Promise<void> {
    await ensureStreams(this.bus);
    this.stops = [
      this.bus.respond(request('umpire.store.query.changes'), async (data) => JSON.stringify(this.changesSince(parse<ChangesQuery>(data)))),
      this.bus.respond(request('umpire.store.query.principal'), async (data) => {
        const query = parse<PrincipalQuery>(data);
        return JSON.stringify({ principal: ('key_digest' in query && this.principals.get(query.key_digest)) || null });
      }),
    ];
    this.comeBack();
  }

  async stop(): Promise<void> {
    await this.goAway();
    await Promise.all(this.stops.map((stop) => stop()));
  }

  /** Nobody answers `umpire.store.apply` from now on. */
  async goAway(): Promise<void> {
    await this.stopApply?.();
    this.stopApply = null;
  }

  comeBack(): void {
    this.stopApply ??= this.bus.respond(request('umpire.store.apply'), async (data) => JSON.stringify(await this.apply(parse<ApplyRequest>(data))));
  }

  allow(key: string, principal: Principal): void {
    this.principals.set(keyDigest(key), principal);
  }

  /** Sets an escalation's clocks, armed by its next event, and publishes that. @returns the event */
  async change(namespace: string, requestId: string, wanted: Wanted[], type: EventType = 'opened'): Promise<EscalationEvent> {
    const event = this.changed(namespace, requestId, wanted, type);
    await this.publish(event);
    return event;
  }

  /** As `change`, without the publishing. A clock wanted for the same moment keeps its generation. */
  changed(namespace: string, requestId: string, wanted: Wanted[], type: EventType = 'opened'): EscalationEvent {
    const key = `${namespace}/${requestId}`;
    const known = this.escalations.get(key);
    const seq = (known?.seq ?? 0) + 1;
    const clocks = wanted.map(({ kind, ordinal = 0, dueAt }): Clock => {
      const due_at = new Date(dueAt).toISOString();
      const kept = known?.clocks.find((clock) => clock.kind === kind && clock.ordinal === ordinal && clock.due_at === due_at);
      return kept ?? { kind, ordinal, due_at, generation: seq };
    });
    this.changes += 1;
    this.escalations.set(key, { namespace, request_id: requestId, seq, clocks, changed: this.changes });
    return {
      id: newId(), schema_version: SCHEMA_VERSION, type, namespace, request_id: requestId, seq, reason: 'custom_rule', occurred_at: new Date(0).toISOString(), data: { clocks },
    };
  }

  /** Until it is acked, as the store's outbox does. */
  async publish(event: EscalationEvent): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.bus.publish(subjects.event(event.namespace, event.type, event.reason), JSON.stringify(event), { msgId: event.id });
        return;
      } catch (error) {
        if (attempt === 6) throw error;
      }
    }
  }

  async publishAll(events: EscalationEvent[]): Promise<void> {
    for (let i = 0; i < events.length; i += 200) await Promise.all(events.slice(i, i + 200).map((event) => this.publish(event)));
  }

  clocksOf(namespace: string, requestId: string): Clock[] {
    return this.escalations.get(`${namespace}/${requestId}`)?.clocks ?? [];
  }

  /** Resolves once the condition holds; it is looked at after every request. */
  async until(what: string, condition: () => boolean, withinMs = 20_000): Promise<void> {
    if (condition()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`not within ${withinMs} ms: ${what} (asked ${this.asked.length}, applied ${this.applied.length})`)), withinMs);
    this.waiting.push({ until: condition, settle: () => { clearTimeout(timer); resolve(); } });
    await promise;
  }

  private async apply({ items }: ApplyRequest): Promise<ApplyReply> {
    this.requests += 1;
    const number = this.requests;
    await this.gate(items, number);
    const now = await this.now();
    const events: EscalationEvent[] = [];
    const results = items.map((item) => this.applyOne(item, now, number, events));
    for (let i = this.waiting.length - 1; i >= 0; i--) if (this.waiting[i]!.until()) this.waiting.splice(i, 1)[0]!.settle();
    // As the store's relay does: after the answer's facts are settled, beside the answer.
    if (this.telling) void Promise.all(events.map((event) => this.publish(event))).catch(() => undefined);
    await this.beforeAnswer(number);
    return { results };
  }

  private applyOne(item: ApplyItem, now: number, number: number, events: EscalationEvent[]): ApplyReply['results'][number] {
    const escalation = this.escalations.get(`${item.namespace}/${item.request_id}`);
    const clock = escalation?.clocks.find((other) => other.kind === item.kind && other.ordinal === item.ordinal && other.generation === item.generation);
    const dueAt = clock ? Date.parse(clock.due_at) : null;
    const said = !escalation || !clock ? 'stale' : now < dueAt! ? 'retry_at' : 'applied';
    const record: Asked = { ...item, at: now, dueAt, said, request: number };
    this.asked.push(record);
    if (said === 'retry_at') this.early.push(record);
    if (said === 'applied') this.applied.push(record);
    if (said === 'applied') events.push(this.afterApplied(escalation!, clock!, now));
    return said === 'retry_at' ? { status: said, retry_at: clock!.due_at } : said === 'applied' ? { status: said, reason: 'custom_rule' } : { status: said };
  }

  private afterApplied(escalation: Escalation, clock: Clock, now: number): EscalationEvent {
    const left = escalation.clocks.filter((other) => other !== clock).map((other): Wanted => ({ kind: other.kind, ordinal: other.ordinal, dueAt: Date.parse(other.due_at) }));
    const { type, clocks } = this.follow(escalation, clock, now);
    return this.changed(escalation.namespace, escalation.request_id, clocks ?? left, type);
  }

  private changesSince({ after, limit }: ChangesQuery): ChangesReply {
    const since = after === null ? 0 : Number(after);
    const found = [...this.escalations.values()].filter((escalation) => escalation.changed > since).sort((a, b) => a.changed - b.changed).slice(0, limit);
    const items = found.map(({ namespace, request_id, seq, clocks }) => ({ namespace, request_id, seq, clocks }));
    return { items, next: found.length > 0 ? String(found.at(-1)!.changed) : after };
  }
}

const parse = <T>(data: Uint8Array): T => JSON.parse(new TextDecoder().decode(data)) as T;
const request = (subject: string) => REQUESTS.find((spec) => spec.subject === subject)!;
