import type { Query } from '@umpire/runtime';
import type { Key } from './escalation.queries.ts';

export type Task = { namespace: string; task_id: string };
export type OfTask = Key & { task_id: string; submission: string; status: string; state: string };

/** What is told of a task's other escalations stays small: a task with more pending ones than this has other troubles. */
const MOST = 200;

/** @returns what is pending of each task, newest first. The ids are known to Postgres by their hash: they may be longer than an index entry. */
export async function findPendingOfTasks(sql: Query, tasks: Task[]): Promise<(Key & { task_id: string })[]> {
  return sql<(Key & { task_id: string })[]>`
    select found.namespace, found.request_id, found.task_id
    from unnest(${tasks.map((task) => task.namespace)}::text[], ${tasks.map((task) => task.task_id)}::text[]) as k (namespace, task_id)
    cross join lateral (
      select e.namespace, e.request_id, e.task_id from store.escalations e
      where e.namespace = k.namespace and hashtextextended(e.task_id, 0) = hashtextextended(k.task_id, 0) and e.task_id = k.task_id and e.status = 'pending'
      order by e.opened_at desc limit ${MOST}
    ) as found`;
}

/**
 * @returns what is pending of each task, and what ended within the last ten minutes: two that were stored at once look for each other
 * after their commits, and one of them may have been decided by then.
 */
export async function findOthersOfTasks(sql: Query, tasks: Task[]): Promise<OfTask[]> {
  return sql<OfTask[]>`
    select found.namespace, found.request_id, found.task_id, found.submission, found.status, convert_from(found.state, 'UTF8') as state
    from unnest(${tasks.map((task) => task.namespace)}::text[], ${tasks.map((task) => task.task_id)}::text[]) as k (namespace, task_id)
    cross join lateral (
      (select e.namespace, e.request_id, e.task_id, e.submission, e.status, e.state from store.escalations e
       where e.namespace = k.namespace and hashtextextended(e.task_id, 0) = hashtextextended(k.task_id, 0) and e.task_id = k.task_id and e.status = 'pending'
       order by e.opened_at desc limit ${MOST})
      union all
      (select e.namespace, e.request_id, e.task_id, e.submission, e.status, e.state from store.escalations e
       where e.namespace = k.namespace and hashtextextended(e.task_id, 0) = hashtextextended(k.task_id, 0) and e.task_id = k.task_id and e.status <> 'pending'
         and e.opened_at > (select clock_timestamp()) - interval '10 minutes'
       order by e.opened_at desc limit ${MOST})
    ) as found`;
}
