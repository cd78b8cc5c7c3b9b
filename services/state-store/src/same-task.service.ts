import type { SubmitItem } from '@umpire/contract';
import type { Actor, SameTask } from '@umpire/domain';
import { withDeadline, type Sql } from '@umpire/runtime';
import { parseState } from './escalation.queries.ts';
import { findOthersOfTasks, findPendingOfTasks, type OfTask, type Task } from './same-task.queries.ts';
import { keyOf, type Transitions } from './transition.service.ts';

type Opening = Extract<SubmitItem, { type: 'escalation' | 'interaction' }>;

const STATEMENT_MS = 12_000;
/** How many earlier ones an escalation names: ids are long, and every event has to fit. */
const MOST_NAMED = 20;
const POLICY: Actor = { kind: 'system', id: 'same_task', user_id: null, roles: [], auth: 'service' };

/**
 * A task that is evaluated again, where its policy says what becomes of earlier escalations: the new one names what was pending, and
 * with `supersede` cancels it.
 *
 * Arrival in the stream is what makes one the newer. Each looks after its own commit, at what came before it and at what came after:
 * of two that are stored at once the one that commits last sees the other, so exactly one of them does what is to be done. No
 * submission has its verdict before that, so a crash in between is made good when it is delivered again.
 */
export class SameTasks {
  private readonly sql: Sql;
  private readonly transitions: Transitions;

  constructor(sql: Sql, transitions: Transitions) {
    this.sql = sql;
    this.transitions = transitions;
  }

  /** @returns what each of a batch is to say of earlier ones; undefined where its policy says nothing */
  async earlier(items: readonly Opening[]): Promise<(SameTask | undefined)[]> {
    const tasks = tasksOf(items);
    if (tasks.length === 0) return items.map(() => undefined);
    const pending = await withDeadline(findPendingOfTasks(this.sql, tasks), STATEMENT_MS, 'pending escalations of tasks');
    return items.map((item, index) => {
      if (item.same_task === undefined || item.task_id === null) return undefined;
      const before = items.slice(0, index).filter((other) => isSameTask(other, item)).toReversed();
      const ids = [...before, ...pending.filter((other) => isSameTask(other, item))].map((other) => other.request_id);
      return { mode: item.same_task, earlier: [...new Set(ids)].filter((id) => id !== item.request_id).slice(0, MOST_NAMED) };
    });
  }

  /**
   * Cancels what these supersede, and those of these that something newer supersedes already. Safe to repeat.
   * @param stored committed, this time or before
   * @throws when the database cannot be asked: the submissions have no verdict then
   */
  async settle(stored: readonly Opening[]): Promise<void> {
    const tasks = tasksOf(stored);
    if (tasks.length === 0) return;
    const found = await withDeadline(findOthersOfTasks(this.sql, tasks), STATEMENT_MS, 'escalations of tasks');
    const cancels = new Map<string, { row: OfTask; by: OfTask }>();
    for (const { namespace, task_id } of tasks) {
      const newestFirst = found.filter((row) => row.namespace === namespace && row.task_id === task_id).sort((a, b) => compareArrival(b.submission, a.submission));
      const concerned = new Set(stored.map(keyOf));
      newestFirst.forEach((row, index) => {
        const by = newestFirst.slice(0, index).find((newer) => supersedes(newer));
        if (row.status === 'pending' && by && (concerned.has(keyOf(row)) || concerned.has(keyOf(by)))) cancels.set(keyOf(row), { row, by });
      });
    }
    await Promise.all([...cancels.values()].map(({ row, by }) => this.transitions.execute({
      namespace: row.namespace,
      request_id: row.request_id,
      command: { type: 'cancel', actor: POLICY, detail: 'a newer evaluation of the task took its place', superseded_by: by.request_id },
    })));
  }
}

/** One that its producer took back supersedes nothing; one that was superseded itself still does. */
function supersedes(row: OfTask): boolean {
  const { same_task, outcome } = parseState(row.state);
  return same_task?.mode === 'supersede' && !(outcome?.source === 'cancel' && outcome.superseded_by === undefined);
}

function tasksOf(items: readonly Opening[]): Task[] {
  const tasks = new Map<string, Task>();
  for (const { namespace, task_id, same_task } of items) {
    if (same_task !== undefined && task_id !== null) tasks.set(JSON.stringify([namespace, task_id]), { namespace, task_id });
  }
  return [...tasks.values()];
}

function isSameTask(a: { namespace: string; task_id: string | null }, b: { namespace: string; task_id: string | null }): boolean {
  return a.namespace === b.namespace && a.task_id === b.task_id;
}

/** `<stream>:<sequence>@<nanoseconds>`: by time, since a stream that was made again counts from one; by place where that is the same. */
function compareArrival(a: string, b: string): number {
  const [placeA, timeA] = arrival(a);
  const [placeB, timeB] = arrival(b);
  return timeA === timeB ? Number(placeA > placeB) - Number(placeA < placeB) : Number(timeA > timeB) - Number(timeA < timeB);
}

function arrival(submission: string): [bigint, bigint] {
  const match = /:(\d+)(?:@(\d+))?$/.exec(submission);
  return [BigInt(match?.[1] ?? 0), BigInt(match?.[2] ?? 0)];
}
