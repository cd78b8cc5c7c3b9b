import type { Outcome } from '@umpire/contract';
import { UmpireError } from '@umpire/contract';
import { decide, evolve, type Command, type Decision, type EscalationState } from '@umpire/domain';
import { Batcher, counter, databaseNow, isDataError, transaction, type Sql, type Tx } from '@umpire/runtime';
import { lockEscalations, saveTransitions, type Key, type LockedRow, type Transition } from './escalation.queries.ts';
import { recordEvent, type EventRecord } from './event-record.ts';
import { replySubject, type OutboxItem } from './outbox.queries.ts';

/** What came of a command: the domain's decision, and the events as they were committed. `null` where the id is unknown. */
export type Executed = { decision: Decision; events: EventRecord[]; outcome: Outcome | null } | null;
export type Asked = Key & { command: Command };

const TRANSACTION_MS = 12_000;
const commands = counter('umpire_store_commands_total', 'Commands by type and result', ['type', 'result']);

/**
 * The one way in which state changes: lock the rows, read the database's clock, decide, append, save; one transaction for whatever
 * has arrived meanwhile. Two lanes: while one batch waits for its fsync the next is decided.
 */
export class Transitions {
  private readonly sql: Sql;
  private readonly committed: (items: OutboxItem[], states: EscalationState[]) => void;
  private readonly batcher: Batcher<Asked, Executed>;

  /** @param committed called after the commit with what is to be published */
  constructor(sql: Sql, committed: (items: OutboxItem[], states: EscalationState[]) => void) {
    this.sql = sql;
    this.committed = committed;
    this.batcher = new Batcher((asked) => this.executeBatch(asked), { items: 200, size: Number.MAX_SAFE_INTEGER, lanes: 2 });
  }

  /**
   * Runs one command.
   * @throws UmpireError `invalid` if Postgres refuses its data; connection faults as they come
   */
  execute(asked: Asked): Promise<Executed> {
    return this.batcher.add(asked, 1);
  }

  /** One bad command never sinks its batch: on a data error the batch is halved until it stands alone. */
  private async executeBatch(asked: Asked[]): Promise<Executed[]> {
    try {
      return await this.executeTogether(asked);
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (asked.length === 1) throw new UmpireError('invalid', 'the store cannot keep this command', { cause: error });
      const middle = asked.length >> 1;
      const halves = await Promise.allSettled([this.executeBatch(asked.slice(0, middle)), this.executeBatch(asked.slice(middle))]);
      const rejected = halves.find((half) => half.status === 'rejected');
      if (rejected) throw rejected.reason;
      return halves.flatMap((half) => (half as PromiseFulfilledResult<Executed[]>).value);
    }
  }

  private async executeTogether(asked: Asked[]): Promise<Executed[]> {
    const { results, transitions } = await transaction(this.sql, TRANSACTION_MS, async (tx) => {
      const folded = await this.fold(tx, asked);
      if (folded.transitions.length > 0) await saveTransitions(tx, folded.transitions);
      return folded;
    });
    const items = transitions.flatMap(({ state, events }) => events.map((event) => outboxItem(event, state)));
    if (items.length > 0) this.committed(items, transitions.map((transition) => transition.state));
    asked.forEach(({ command }, index) => commands.inc({ type: command.type, result: results[index] === null ? 'not_found' : results[index]!.decision.refusal?.code ?? 'ok' }));
    return results;
  }

  /** Decides every command in order; several for one escalation see each other's effects. */
  private async fold(tx: Tx, asked: Asked[]): Promise<{ results: Executed[]; transitions: Transition[] }> {
    const distinct = [...new Map(asked.map((a) => [keyOf(a), { namespace: a.namespace, request_id: a.request_id }])).values()];
    // Sent together, run in order on one connection: the clock is read after the locks are held.
    const [rows, now] = await Promise.all([lockEscalations(tx, distinct), databaseNow(tx)]);
    const working = new Map<string, LockedRow & { events: EventRecord[] }>(rows.map((row) => [keyOf(row), { ...row, events: [] }]));
    const results = asked.map((item): Executed => {
      const row = working.get(keyOf(item));
      if (!row) return null;
      const decision = decide(row.state, item.command, now);
      const events: EventRecord[] = [];
      for (const event of decision.events) {
        row.state = evolve(row.state, event);
        const record = recordEvent(row.state, event, row.head);
        row.head = record.hash;
        events.push(record);
      }
      row.events.push(...events);
      // A later event of the same command (consumed) keeps the outcome that stands in the state.
      if (events.length > 0 && row.state.outcome) rememberOutcomeId(row.state, events);
      return { decision, events, outcome: outcomeWithId(row.state) };
    });
    const transitions = [...working.values()].filter((row) => row.events.length > 0);
    return { results, transitions };
  }
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
export function outboxItem(event: EventRecord, state: EscalationState, payload: string | null = null): OutboxItem {
  const { namespace, request_id, seq, id, type, occurred_at, data } = event;
  return { namespace, request_id, seq, id, type, occurred_at, data, reason: state.reason, payload, reply_subject: replySubject(state) };
}
