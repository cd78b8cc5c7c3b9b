import { randomBytes } from 'node:crypto';
import { subjects, UmpireError, type Principal } from '@umpire/contract';
import { evolve, withoutPerson, type Actor, type DomainEvent, type EscalationState } from '@umpire/domain';
import { hexOf, type Erasure } from '@umpire/record';
import { counter, databaseNow, Loop, newId, transaction, withDeadline, type Bus, type Logger, type Sql, type Tx } from '@umpire/runtime';
import { directingActor } from '../command-actor.ts';
import { lockEscalations, saveTransitions, type CurrentRow, type Transition } from '../escalation.queries.ts';
import { recordEvent } from '../event-record.ts';
import type { OutboxItem } from '../outbox.queries.ts';
import { outboxItem } from '../transition.service.ts';
import { appendLog } from './audit-log.queries.ts';
import {
  advanceErasure, eraseContent, escalationsNaming, eventsNaming, findErasure, finishErasure, forgetIdentity, insertErasure, listErasures, openErasureOf, payloadDigests, redactEvents,
  renameInFigures, renameInReads, renameInRows, stillAsked, takeErasure, toldEvents, unpublishedOf, windowEnd, type ErasureRow, type NamingEvent,
} from './erasure.queries.ts';

const READ_MS = 5_000;
const TRANSACTION_MS = 12_000;
const LOOK_EVERY_MS = 5_000;
/** Escalations looked through, and at most so many changed, in one transaction: decisions wait for a lock this long at worst. */
const WINDOW = 500;
const CHANGED_AT_ONCE = 25;
const FORGET_MS = 10_000;

const erased = counter('umpire_store_erased_escalations_total', 'Escalations whose content was erased or changed', ['scope']);

type Committed = (items: OutboxItem[], states: EscalationState[]) => void;
type Why = { scope: Erasure['scope']; actor: Actor; reason: string; erasure_id: string | null };

/**
 * Takes content, or a person, out of the record. What happened stays proved: digests and hashes are never touched, and each escalation that
 * is changed says so by an `erased` event, which also tells everyone else who keeps a copy.
 */
export class Erasures {
  private readonly sql: Sql;
  private readonly bus: Bus;
  private readonly committed: Committed;
  private readonly logger: Logger;
  private readonly loop: Loop;

  constructor(parts: { sql: Sql; bus: Bus; logger: Logger; committed: Committed }) {
    this.sql = parts.sql;
    this.bus = parts.bus;
    this.logger = parts.logger;
    this.committed = parts.committed;
    this.loop = new Loop({ name: 'erasure', intervalMs: LOOK_EVERY_MS, runOnce: () => this.runOnce(), logger: parts.logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** @throws UmpireError `not_found`; `conflict` while it is pending or its events are not out yet; `erased` */
  async escalation(caller: Principal, requestId: string, reason: string): Promise<ErasureView> {
    const { namespace } = caller;
    const actor = directingActor(caller);
    const { row, told } = await transaction(this.sql, TRANSACTION_MS, async (tx) => {
      const [locked] = await lockEscalations(tx, [{ namespace, request_id: requestId }]);
      if (!locked) throw new UmpireError('not_found', `no escalation has the id ${JSON.stringify(requestId)}`);
      if (locked.state.status === 'pending') throw new UmpireError('conflict', 'this is pending: cancel it first');
      if (locked.state.erased) throw new UmpireError('erased', 'its content is gone already');
      const id = newId();
      const done = await this.takeContent(tx, [locked], { scope: 'content', actor, reason, erasure_id: id });
      if (done.transitions.length === 0) throw new UmpireError('conflict', 'its last events are not published yet: try again in a moment');
      const inserted = await insertErasure(tx, { id, namespace, scope: 'content', request_id: requestId, user_id: null, pseudonym: null, reason, requested_by: actor.id, done: true, events: done.events });
      await appendLog(tx, namespace, { kind: 'erasure', by: actor.id, erasure: id, scope: 'content', request_id: requestId, reason });
      return { row: inserted, told: done.transitions };
    });
    this.tell('content', told);
    return viewOf(row);
  }

  /**
   * Begins to take a person out of a namespace; the rest is done by the loop, whichever replica's.
   * @throws UmpireError `conflict` while something pending still asks them
   */
  async person(caller: Principal, userId: string, reason: string): Promise<ErasureView> {
    const { namespace } = caller;
    const actor = directingActor(caller);
    const asked = await withDeadline(stillAsked(this.sql, namespace, userId, 20), READ_MS, 'open assignments');
    if (asked.length > 0) throw new UmpireError('conflict', 'they are still asked: reassign, cancel or wait for what is pending', { extra: { interaction_ids: asked } });
    const row = await transaction(this.sql, TRANSACTION_MS, async (tx) => {
      const open = await openErasureOf(tx, namespace, userId);
      if (open) return open;
      const pseudonym = `erased-${randomBytes(8).toString('hex')}`;
      // Who it was is what nobody shall know: the log, which is never erased, has the name that stands in their place.
      const why = reason.replaceAll(userId, pseudonym);
      const inserted = await insertErasure(tx, { id: newId(), namespace, scope: 'person', request_id: null, user_id: userId, pseudonym, reason: why, requested_by: actor.id, done: false, events: 0 });
      await forgetIdentity(tx, namespace, userId, pseudonym);
      await appendLog(tx, namespace, { kind: 'erasure', by: actor.id === userId ? pseudonym : actor.id, erasure: inserted.id, scope: 'person', pseudonym, reason: why });
      return inserted;
    });
    return viewOf(row);
  }

  /** @throws UmpireError `not_found` */
  async get(namespace: string, id: string): Promise<ErasureView> {
    const row = await withDeadline(findErasure(this.sql, namespace, id), READ_MS, 'erasure');
    if (!row) throw new UmpireError('not_found', 'no erasure has this id');
    return viewOf(row);
  }

  async list(namespace: string, before: string | null, limit: number) {
    const rows = await withDeadline(listErasures(this.sql, namespace, before, limit), READ_MS, 'erasures');
    return { items: rows.map(viewOf), next: rows.length === limit ? rows.at(-1)!.id : null };
  }

  /**
   * Takes the content of settled escalations, locked by this transaction. Those whose events JetStream has not acknowledged are left
   * alone: an outcome is told before it is forgotten.
   */
  async takeContent(tx: Tx, rows: CurrentRow[], why: Why): Promise<{ transitions: Transition[]; events: number }> {
    const settled = rows.filter(({ state }) => state.status !== 'pending' && !state.erased);
    if (settled.length === 0) return { transitions: [], events: 0 };
    const { namespace } = settled[0]!;
    const waiting = new Set((await unpublishedOf(tx, namespace, settled.map((row) => row.request_id))).map((row) => row.request_id));
    const ready = settled.filter((row) => !waiting.has(row.request_id));
    if (ready.length === 0) return { transitions: [], events: 0 };
    const events = await eraseContent(tx, namespace, ready.map((row) => row.request_id));
    const now = await databaseNow(tx);
    const told = await toldEvents(tx, namespace, ready.map((row) => row.request_id));
    const transitions = ready.map((row) => erasedOf(row, { ...why, event_ids: told.get(row.request_id) ?? [] }, { scope: why.scope, events: 'all', payload: true }, now));
    await saveTransitions(tx, transitions);
    return { transitions, events };
  }

  /** After the commit: events go out, cached renderings go. */
  tell(scope: string, transitions: Transition[]): void {
    if (transitions.length === 0) return;
    erased.inc({ scope }, transitions.length);
    this.committed(transitions.flatMap(({ state, events, traceparent }) => events.map((event) => outboxItem(event, state, traceparent ?? undefined))), transitions.map(({ state }) => state));
  }

  /** One step of a person's erasure. @returns 1 while there is more to do */
  async runOnce(): Promise<number> {
    const step = await transaction(this.sql, TRANSACTION_MS, async (tx) => {
      const erasure = await takeErasure(tx);
      return erasure === null ? null : { erasure, ...(await this.walk(tx, erasure)) };
    });
    if (step === null) return 0;
    this.tell('person', step.transitions);
    if (step.more) return 1;
    const { id, namespace, user_id, pseudonym } = step.erasure;
    while ((await withDeadline(renameInReads(this.sql, namespace, user_id!, pseudonym!), TRANSACTION_MS, 'reads of a person')) > 0) continue;
    await this.bus.request(subjects.forget, JSON.stringify({ namespace, user_id }), FORGET_MS);
    await transaction(this.sql, TRANSACTION_MS, async (tx) => {
      const done = await finishErasure(tx, id);
      if (done === null) return;
      await renameInFigures(tx, namespace, user_id!, pseudonym!);
      await appendLog(tx, namespace, { kind: 'erasure', by: 'umpire', erasure: id, scope: 'person', pseudonym: done.pseudonym, escalations: done.escalations, events: done.events, done: true });
    });
    this.logger.info({ erasure_id: id, namespace }, 'person_erased');
    return 1;
  }

  private async walk(tx: Tx, erasure: ErasureRow): Promise<{ transitions: Transition[]; more: boolean }> {
    const { id, namespace, after_id } = erasure;
    const person = erasure.user_id!;
    const name = erasure.pseudonym!;
    const until = await windowEnd(tx, namespace, after_id, WINDOW);
    if (until === null) return { transitions: [], more: false };
    const found = await escalationsNaming(tx, namespace, { after: after_id, until }, JSON.stringify(person));
    const ids = found.slice(0, CHANGED_AT_ONCE);
    const changed = ids.length === 0 ? { transitions: [], events: 0 } : await this.rename(tx, erasure, ids, { person, name });
    await advanceErasure(tx, id, { after_id: found.length > ids.length ? ids.at(-1)! : until, escalations: changed.transitions.length, events: changed.events });
    return { transitions: changed.transitions, more: true };
  }

  private async rename(tx: Tx, { id, namespace, reason, requested_by }: ErasureRow, ids: string[], { person, name }: { person: string; name: string }): Promise<{ transitions: Transition[]; events: number }> {
    const rows = await lockEscalations(tx, ids.map((request_id) => ({ namespace, request_id })));
    const naming = await eventsNaming(tx, namespace, ids, JSON.stringify(person));
    await redactEvents(tx, namespace, naming.map((event) => ({ ...event, actor: renamedText(event.actor, person, name), data: renamedText(event.data, person, name) })));
    await renameInRows(tx, namespace, ids, person, name);
    const digests = new Map((await payloadDigests(tx, namespace, ids)).map((row) => [row.request_id, hexOf(row.digest)]));
    const now = await databaseNow(tx);
    const by = requested_by === person ? name : requested_by;
    const told = await toldEvents(tx, namespace, ids);
    const why: Why = { scope: 'person', actor: { kind: 'admin', id: by, user_id: null, roles: ['admin'], auth: 'api_key' }, reason, erasure_id: id };
    const transitions = rows.map((row) => {
      const events = naming.filter((event) => event.request_id === row.request_id);
      const payload = digests.get(row.request_id);
      const unnamed = { ...row, state: withoutPerson(row.state, person, name) };
      return erasedOf(unnamed, { ...why, event_ids: told.get(row.request_id) ?? [] }, { scope: 'person', events: events.map((event) => event.seq), payload: false, ...(opens(events) && payload ? { payload_digest: payload } : {}) }, now);
    });
    await saveTransitions(tx, transitions);
    return { transitions, events: naming.length };
  }
}

const opens = (events: NamingEvent[]): boolean => events.some((event) => event.seq === 1 && event.data !== null);
const renamedText = (text: string | null, person: string, name: string): string | null => (text === null ? null : JSON.stringify(withoutPerson(JSON.parse(text) as unknown, person, name)));

/** The escalation after its `erased` event, which keeps its data for good. */
function erasedOf({ state, head, traceparent }: CurrentRow, { actor, reason, erasure_id, event_ids }: Why & { event_ids: string[] }, erasure: Erasure, at: number): Transition {
  const clocks = erasure.scope === 'person' ? state.clocks.map((clock) => ({ ...clock, due_at: new Date(clock.due_at).toISOString() })) : [];
  const event: DomainEvent = { type: 'erased', at, actor, data: { erasure, reason, ...(erasure_id === null ? {} : { erasure_id }), event_ids, clocks } };
  const next = evolve(state, event);
  const recorded = recordEvent(next, event, head);
  return { state: next, head: recorded.hash, traceparent, events: [recorded] };
}

export type ErasureView = Omit<ErasureRow, 'after_id' | 'user_id' | 'namespace'> & { state: 'running' | 'done' };

function viewOf({ after_id: _, user_id: __, namespace: ___, ...row }: ErasureRow): ErasureView {
  return { ...row, state: row.done_at === null ? 'running' : 'done' };
}
