import type { Query } from '@umpire/runtime';

/** How a task's escalations stand: ids of up to three that are pending, and the newest of all, null if there is none. */
export async function findTaskEscalations(sql: Query, namespace: string, taskId: string): Promise<{ pending: string[]; newest: string | null }> {
  const ofTask = sql`namespace = ${namespace} and hashtextextended(task_id, 0) = hashtextextended(${taskId}, 0) and task_id = ${taskId}`;
  const [row] = await sql<{ pending: string[]; newest: string | null }[]>`
    select array(select request_id from store.escalations where ${ofTask} and status = 'pending' order by opened_at, request_id limit 3) as pending,
      (select request_id from store.escalations where ${ofTask} order by opened_at desc, request_id desc limit 1) as newest`;
  return row!;
}
