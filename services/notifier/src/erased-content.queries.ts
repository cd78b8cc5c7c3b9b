import type { Query } from '@umpire/runtime';

/** Bodies that are kept of events, locked. */
export const keptBodies = (sql: Query, namespace: string, eventIds: string[]) =>
  sql<{ event_id: string; body: Uint8Array }[]>`
    select event_id, body from notifier.messages where event_id = any (${eventIds}::uuid[]) and namespace = ${namespace} and body is not null order by event_id for update`;

export async function replaceBodies(sql: Query, rows: { event_id: string; body: Uint8Array }[]): Promise<void> {
  for (const { event_id, body } of rows) await sql`update notifier.messages set body = ${body} where event_id = ${event_id}`;
}

/** What receivers answered may repeat what they were sent; a callback's own address may name what it was about. */
export async function forgetAttempts(sql: Query, namespace: string, eventIds: string[]): Promise<void> {
  await sql`
    update notifier.attempts a set response = null, detail = null
    from notifier.deliveries d join notifier.messages m on m.event_id = d.event_id
    where d.event_id = any (${eventIds}::uuid[]) and m.namespace = ${namespace} and a.delivery_id = d.id and (a.response is not null or a.detail is not null)`;
  await sql`
    update notifier.deliveries d set url = null from notifier.messages m
    where d.event_id = any (${eventIds}::uuid[]) and m.event_id = d.event_id and m.namespace = ${namespace} and d.state <> 'pending' and d.url is not null`;
}

/** @returns how many there were; their notices go with them */
export async function deleteChannelsOf(sql: Query, namespace: string, userId: string): Promise<number> {
  const rows = await sql`delete from notifier.channels where namespace = ${namespace} and owner_kind = 'user' and owner = ${userId} returning 1`;
  return rows.length;
}
