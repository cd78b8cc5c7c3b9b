import type { Query } from '@umpire/runtime';
import { ofEach } from '../of-each.ts';
import type { What } from './asking.ts';

export type OwnerKind = 'user' | 'group' | 'role';
export type ChannelRow = {
  id: string;
  namespace: string;
  owner_kind: OwnerKind;
  owner: string;
  kind: 'email' | 'slack';
  address: string | null;
  detail: 'none' | 'summary';
  created_at: Date;
};
const columns = (sql: Query) => sql`id, namespace, owner_kind, owner, kind, address, detail, created_at`;

export async function insertChannel(sql: Query, channel: Omit<ChannelRow, 'created_at'> & { sealed_address: Buffer | null }): Promise<ChannelRow> {
  const [row] = await sql<ChannelRow[]>`
    insert into notifier.channels (id, namespace, owner_kind, owner, kind, address, sealed_address, detail)
    values (${channel.id}, ${channel.namespace}, ${channel.owner_kind}, ${channel.owner}, ${channel.kind}, ${channel.address}, ${channel.sealed_address}, ${channel.detail})
    returning ${columns(sql)}`;
  return row!;
}

/** Oldest first. @param after id of the last one seen */
export const listChannels = (sql: Query, namespace: string, after: string | null, limit: number) =>
  sql<ChannelRow[]>`
    select ${columns(sql)} from notifier.channels where namespace = ${namespace} and (${after}::uuid is null or id > ${after}::uuid) order by id limit ${limit}`;

export async function selectChannel(sql: Query, namespace: string, id: string): Promise<ChannelRow | null> {
  const [row] = await sql<ChannelRow[]>`select ${columns(sql)} from notifier.channels where namespace = ${namespace} and id = ${id}`;
  return row ?? null;
}

export const deleteChannel = async (sql: Query, namespace: string, id: string): Promise<boolean> =>
  (await sql`delete from notifier.channels where namespace = ${namespace} and id = ${id} returning id`).length > 0;

/** Whose channels there are in these namespaces. */
export const channelOwners = (sql: Query, namespaces: string[]) =>
  ofEach(namespaces, (namespace) => sql<{ id: string; namespace: string; owner_kind: OwnerKind; owner: string }[]>`
    select id, namespace, owner_kind, owner from notifier.channels where namespace = ${namespace}`);

export type NoticeRow = { id: string; channelId: string; eventId: string; namespace: string; requestId: string; what: What };

/** Writes notices; one that a channel has of an event already is left alone. */
export async function insertNotices(sql: Query, notices: NoticeRow[]): Promise<number> {
  const rows = await sql`
    insert into notifier.notices (id, channel_id, event_id, namespace, request_id, what)
    select n.id, n.channel_id, n.event_id, n.namespace, n.request_id, n.what
    from unnest(${notices.map((n) => n.id)}::uuid[], ${notices.map((n) => n.channelId)}::uuid[], ${notices.map((n) => n.eventId)}::uuid[],
      ${notices.map((n) => n.namespace)}::text[], ${notices.map((n) => n.requestId)}::text[], ${notices.map((n) => n.what)}::text[]) as n (id, channel_id, event_id, namespace, request_id, what)
    join notifier.channels c on c.id = n.channel_id
    on conflict (channel_id, event_id) do nothing returning 1`;
  return rows.length;
}

export type ClaimedNotice = {
  id: string;
  channel_id: string;
  namespace: string;
  request_id: string;
  what: What;
  attempts: number;
  fence: number;
  owner_kind: OwnerKind;
  owner: string;
  kind: 'email' | 'slack';
  address: string | null;
  sealed_address: Buffer | null;
  detail: 'none' | 'summary';
};

/** Takes due notices, no more than so many of one channel, so that one that hangs leaves room for the others. */
export const claimNotices = (sql: Query, limit: number, perChannel: number, busy: string[], holder: string, leaseMs: number) =>
  sql<ClaimedNotice[]>`
    with due as (
      select id, row_number() over (partition by channel_id order by due_at) as place from notifier.notices
      where state = 'pending' and due_at <= now() and channel_id <> all (${busy}::uuid[]) order by due_at limit 1000
    ), taken as materialized (
      select id from notifier.notices where id = any(array(select id from due where place <= ${perChannel} limit ${limit})) and state = 'pending' and due_at <= now()
      for update skip locked
    ), claimed as (
      update notifier.notices set fence = fence + 1, holder = ${holder}, due_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
      where id = any(array(select id from taken))
      returning id, channel_id, namespace, request_id, what, attempts, fence
    )
    select n.id, n.channel_id, n.namespace, n.request_id, n.what, n.attempts, n.fence, c.owner_kind, c.owner, c.kind, c.address, c.sealed_address, c.detail
    from claimed n join notifier.channels c on c.id = n.channel_id`;

/** In how many ms the next notice is due; null when none waits. */
export async function nextNotice(sql: Query): Promise<number | null> {
  const [row] = await sql<{ in_ms: number }[]>`
    select (extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as in_ms from notifier.notices where state = 'pending' order by due_at limit 1`;
  return row?.in_ms ?? null;
}

export type NoticeResult = { id: string; fence: number; state: 'pending' | 'sent' | 'skipped' | 'failed'; detail: string | null; attempted: boolean; delayMs: number };

/** A result counts only under the newest fence. */
export async function recordNotice(sql: Query, result: NoticeResult): Promise<void> {
  const done = result.state !== 'pending';
  await sql`
    update notifier.notices set state = ${result.state}, detail = ${result.detail}, attempts = attempts + ${Number(result.attempted)}, holder = null,
      due_at = clock_timestamp() + ${result.delayMs} * interval '1 millisecond', done_at = case when ${done} then clock_timestamp() end
    where id = ${result.id} and fence = ${result.fence} and state = 'pending'`;
}

export type NoticeView = { id: string; event_id: string; request_id: string; what: What; state: string; detail: string | null; attempts: number; due_at: Date; created_at: Date; done_at: Date | null };

/** Newest first. */
export const listNotices = (sql: Query, channelId: string, before: string | null, limit: number) =>
  sql<NoticeView[]>`
    select id, event_id, request_id, what, state, detail, attempts, due_at, created_at, done_at from notifier.notices
    where channel_id = ${channelId} and (${before}::uuid is null or id < ${before}::uuid) order by id desc limit ${limit}`;

/** Deletes what is done and past the retention. @returns how many */
export const pruneNotices = async (sql: Query, retentionDays: number, limit: number): Promise<number> =>
  (
    await sql`
      delete from notifier.notices where id = any(array(
        select id from notifier.notices where created_at < (select clock_timestamp()) - ${Math.max(8, retentionDays)} * interval '1 day' and state <> 'pending'
        order by created_at limit ${limit})) returning 1`
  ).length;
