import type { Outcome } from '@umpire/contract';
import { UmpireError } from '@umpire/contract';
import { evolve, type Command, type Decision, type EscalationState } from '@umpire/domain';
import { Batcher, counter, currentTrace, databaseNow, isDataError, traceClock, transaction, withDeadline, type Query, type Sql, type TraceContext, type Tx } from '@umpire/runtime';
import { lockEscalations, needsTransaction, readEscalation, saveTransitions, saveUnlessChanged, type Key, type CurrentRow, type Transition } from './escalation.queries.ts';
import { decideActing } from './identity-acting.ts';
import { findDelegators } from './identity-delegations.queries.ts';
import { recordEvent, type EventRecord } from './event-record.ts';
import { countEnded } from './transition-metrics.ts';
import { tellTransition } from './transition-trace.ts';
import { unlessChanged, type IfMatch } from './if-match.ts';
import { replySubject, type OutboxItem } from './outbox.queries.ts';

/** What came of a command: the domain's decision, and the events as they were committed. `null` where the id is unknown. */
export type Executed = { decision: Decision; events: EventRecord[]; outcome: Outcome | null } | null;

/**
 * A command for one escalation. `if_match` is what the caller last saw (`If-Match`): it is compared with the very row that is changed, so that
 * nothing can come between the look and the change. `trace` is what asked; left out, it is what runs now.
 */
export type Asked = Key & { command: Command; if_match?: IfMatch; trace?: TraceContext };

const TRANSACTION_MS = 12_000;
/** Three bytes a character at most, and the rest of the message: within NATS's 1 MiB. */
const EVENT_CHARACTERS = 320 * 1024;
const commands = counter('umpire_store_commands_total', 'Commands by type and result', ['type', 'result']);

/** What a batch came to: each command's result, and what is to be saved. */
type Folded = { results: Executed[]; transitions: Transition[] };

/**
 * The one way in which state changes: read the rows, then the database's clock, decide, append, save; whatever has arrived meanwhile goes together. Several
 * escalations are locked in one transaction. One alone is saved if it still is what was read, which takes two round trips instead of four; if somebody was quicker,
 * it is locked as well. What waits for a lock that somebody holds does not keep the others: they go on in further lanes.
 */
export class Transitions {
  private readonly sql: Sql;
  private readonly committed: (items: OutboxItem[], states: EscalationState[]) => void;
  private readonly batcher: Batcher<Asked, Executed | Error>;

  /** @param committed called after the commit with what is to be published */
  constructor(sql: Sql, committed: (items: OutboxItem[], states: EscalationState[]) => void) {
    this.sql = sql;
    this.committed = committed;
    this.batcher = new Batcher((asked) => this.executeBatch(asked), { items: 200, size: Number.MAX_SAFE_INTEGER, lanes: 3, patienceMs: 50 });
  }

  /**
   * Runs one command.
   * @throws UmpireError `invalid` if Postgres refuses its data; connection faults as they come
   */
  async execute(asked: Asked): Promise<Executed> {
    const trace = asked.trace ?? currentTrace();
    const executed = await this.batcher.add(trace === undefined ? asked : { ...asked, trace }, 1);
    if (executed instanceof Error) throw executed;
    return executed;
  }

  /**
   * One bad command never sinks its batch: on a data error the batch is halved until it stands alone. Failures are results here,
   * so that what one half has committed is told to those who asked for it, whatever becomes of the other.
   */
  private async executeBatch(asked: Asked[]): Promise<(Executed | Error)[]> {
    try {
      return await this.executeTogether(asked);
    } catch (error) {
      if (!isDataError(error)) return asked.map(() => error as Error);
      if (asked.length === 1) return [new UmpireError('invalid', 'the store cannot keep this command', { cause: error })];
      const middle = asked.length >> 1;
      return [...(await this.executeBatch(asked.slice(0, middle))), ...(await this.executeBatch(asked.slice(middle)))];
    }
  }

  private async executeTogether(asked: Asked[]): Promise<Executed[]> {
    const began = traceClock();
    const { results, transitions } = await this.decideTogether(asked);
    const items = transitions.flatMap((transition) => {
      const trace = tellTransition(transition, asked, began);
      return transition.events.map((event) => outboxItem(event, transition.state, trace));
    });
    if (items.length > 0) this.committed(items, transitions.map((transition) => transition.state));
    countEnded(transitions);
    asked.forEach(({ command }, index) => commands.inc({ type: command.type, result: results[index] === null ? 'not_found' : results[index]!.decision.refusal?.code ?? 'ok' }));
    return results;
  }

  private async decideTogether(asked: Asked[]): Promise<Folded> {
    const until = performance.now() + TRANSACTION_MS;
    const alone = asked.every((item) => keyOf(item) === keyOf(asked[0]!)) ? await withDeadline(this.decideAlone(asked, until), TRANSACTION_MS, 'postgres statements') : null;
    return alone ?? transaction(this.sql, Math.max(1, until - performance.now()), (tx) => this.decideLocked(tx, asked));
  }

  /**
   * Commands for one escalation. Optimistic concurrency, by `seq`: the clock is read with the row, so a transition that somebody else saved before has an earlier time, and one that they save after makes
   * this one's statement change nothing.
   * @param until monotonic ms after which nothing is saved any more: nobody waits for it
   * @returns null where it takes a lock: for what takes several statements to save, and where somebody was quicker; nothing was saved
   */
  private async decideAlone(asked: Asked[], until: number): Promise<Folded | null> {
    const seen = await readEscalation(this.sql, asked[0]!);
    if (!seen) return { results: asked.map(() => null), transitions: [] };
    const folded = await this.fold(this.sql, asked, [seen.row], seen.now);
    const [transition] = folded.transitions;
    if (transition && (needsTransaction(transition) || performance.now() >= until || !(await saveUnlessChanged(this.sql, transition)))) return null;
    return folded;
  }

  private async decideLocked(tx: Tx, asked: Asked[]): Promise<Folded> {
    const distinct = [...new Map(asked.map((a) => [keyOf(a), { namespace: a.namespace, request_id: a.request_id }])).values()];
    // Sent together, run in order on one connection: the clock is read after the locks are held.
    const [rows, now] = await Promise.all([lockEscalations(tx, distinct), databaseNow(tx)]);
    const folded = await this.fold(tx, asked, rows, now);
    if (folded.transitions.length > 0) await saveTransitions(tx, folded.transitions);
    return folded;
  }

  /** Decides every command in order; several for one escalation see each other's effects. */
  private async fold(query: Query, asked: Asked[], rows: CurrentRow[], now: number): Promise<Folded> {
    const working = new Map<string, CurrentRow & { events: EventRecord[] }>(rows.map((row) => [keyOf(row), { ...row, events: [] }]));
    const decideOne = async (item: Asked): Promise<Executed> => {
      const row = working.get(keyOf(item));
      if (!row) return null;
      const decision = unlessChanged(row.state, item.if_match, await decideActing(row.state, item.command, now, (userId) => findDelegators(query, item.namespace, userId)));
      const { state, head, events } = record(row, decision);
      if (events.some((event) => event.data.length > EVENT_CHARACTERS)) return tooLarge(row.state, decision);
      Object.assign(row, { state, head });
      row.events.push(...events);
      // A later event of the same command (consumed) keeps the outcome that stands in the state.
      if (events.length > 0 && row.state.outcome) rememberOutcomeId(row.state, events);
      return { decision, events, outcome: outcomeWithId(row.state) };
    };
    const results: Executed[] = [];
    for (const item of asked) results.push(await decideOne(item));
    const transitions = [...working.values()].filter((row) => row.events.length > 0);
    return { results, transitions };
  }
}

/** The row after a decision's events, each in its place in the chain. */
function record(row: CurrentRow, decision: Decision): { state: EscalationState; head: Uint8Array; events: EventRecord[] } {
  let { state, head } = row;
  const events = decision.events.map((event) => {
    state = evolve(state, event);
    const recorded = recordEvent(state, event, head);
    head = recorded.hash;
    return recorded;
  });
  return { state, head, events };
}

/** What could be stored but never published would be stuck in the outbox for ever: it is refused, and nothing of it is kept. */
function tooLarge(state: EscalationState, decision: Decision): NonNullable<Executed> {
  const refusal = { code: 'invalid' as const, detail: 'this would make an event that is too large to publish: name fewer people, or a role' };
  return { decision: { ...decision, events: [], state, refusal }, events: [], outcome: outcomeWithId(state) };
}

/** The settling event's id is the outcome's; the state keeps it so that every reader tells the same. */
function rememberOutcomeId(state: EscalationState, events: EventRecord[]): void {
  const settling = events.find((event) => event.type === 'resolved' || event.type === 'expired' || event.type === 'cancelled');
  if (settling) state.outcome = (JSON.parse(settling.data) as { outcome: NonNullable<EscalationState['outcome']> }).outcome;
}

/** @returns the outcome with its id, as kept in the state by the settling transition, or null while pending. */
export function outcomeWithId(state: EscalationState): Outcome | null {
  return state.outcome as Outcome | null;
}

export const keyOf = (key: Key) => `${key.namespace}/${key.request_id}`;

/** @param payload JSON text, for `opened` only */
export function outboxItem(event: EventRecord, state: EscalationState, trace: TraceContext, payload: Uint8Array | null = null): OutboxItem {
  const { namespace, request_id, seq, id, type, occurred_at, data } = event;
  return { namespace, request_id, seq, id, type, occurred_at, data, reason: state.reason, payload, reply_subject: replySubject(state), trace };
}
