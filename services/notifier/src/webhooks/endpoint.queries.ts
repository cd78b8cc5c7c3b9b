import type { Query } from '@umpire/runtime';
import { ofEach } from '../of-each.ts';

/** A row as delivering needs it. A callback signs with its namespace's secret, so its version moves with that too. */
export type SendableRow = {
  id: string;
  namespace: string;
  kind: 'endpoint' | 'callback';
  url: string;
  events: string[];
  reasons: string[];
  payload: 'full' | 'thin';
  headers: Buffer | null;
  max_concurrency: number | null;
  rate_per_second: number | null;
  retry_seconds: number[] | null;
  secret: Buffer;
  previous_secrets: StoredSecret[];
  state: 'enabled' | 'disabled' | 'deleted';
  failing_since: number | null;
  version: number;
};
export type StoredSecret = { sealed: string; until: string };

/** What is read of them; they are `e`. */
export const sendable = (sql: Query) => sql`
  select e.id, e.namespace, e.kind, e.url, e.events, e.reasons, e.payload, e.headers, e.max_concurrency, e.rate_per_second, e.retry_seconds,
    coalesce(e.secret, c.secret) as secret, case when e.kind = 'callback' then c.previous_secrets else e.previous_secrets end as previous_secrets,
    e.state, (extract(epoch from e.failing_since) * 1000)::float8 as failing_since, e.version + coalesce(c.version, 0) as version
  from notifier.endpoints e left join notifier.callback_settings c on e.kind = 'callback' and c.namespace = e.namespace`;

/** Every endpoint of these namespaces that is not deleted. */
export const sendableOfNamespaces = (sql: Query, namespaces: string[]): Promise<SendableRow[]> =>
  ofEach(namespaces, (namespace) => sql<SendableRow[]>`${sendable(sql)} where e.namespace = ${namespace} and e.state <> 'deleted'`);

export const sendableByIds = (sql: Query, ids: string[]): Promise<SendableRow[]> => sql<SendableRow[]>`${sendable(sql)} where e.id = any(${ids}::uuid[])`;

/** What the API shows of an endpoint. */
export type EndpointRow = {
  id: string;
  namespace: string;
  kind: 'endpoint' | 'callback';
  url: string;
  description: string | null;
  events: string[];
  reasons: string[];
  payload: 'full' | 'thin';
  header_names: string[];
  max_concurrency: number | null;
  rate_per_second: number | null;
  retry_seconds: number[] | null;
  previous_secrets: StoredSecret[];
  state: 'enabled' | 'disabled';
  disabled_reason: 'manual' | 'gone' | 'failing' | null;
  disabled_at: Date | null;
  failing_since: Date | null;
  created_at: Date;
  updated_at: Date;
};

const shown = (sql: Query) => sql`
  id, namespace, kind, url, description, events, reasons, payload, header_names, max_concurrency, rate_per_second, retry_seconds, previous_secrets,
  state, disabled_reason, disabled_at, failing_since, created_at, updated_at`;

export type NewEndpoint = {
  id: string;
  namespace: string;
  url: string;
  description: string | null;
  events: string[];
  reasons: string[];
  payload: 'full' | 'thin';
  headers: Buffer | null;
  header_names: string[];
  max_concurrency: number | null;
  rate_per_second: number | null;
  retry_seconds: number[] | null;
  secret: Buffer;
};

export async function insertEndpoint(sql: Query, endpoint: NewEndpoint): Promise<EndpointRow> {
  const [row] = await sql<EndpointRow[]>`
    insert into notifier.endpoints (id, namespace, url, description, events, reasons, payload, headers, header_names, max_concurrency, rate_per_second, retry_seconds, secret)
    values (${endpoint.id}, ${endpoint.namespace}, ${endpoint.url}, ${endpoint.description}, ${endpoint.events}::text[], ${endpoint.reasons}::text[], ${endpoint.payload},
      ${endpoint.headers}, ${endpoint.header_names}::text[], ${endpoint.max_concurrency}, ${endpoint.rate_per_second}, ${endpoint.retry_seconds}::float8[], ${endpoint.secret})
    returning ${shown(sql)}`;
  return row!;
}

/** Null values stand; absent ones keep what is there. */
export type EndpointChange = Partial<Omit<NewEndpoint, 'id' | 'namespace' | 'secret'>>;

export async function updateEndpoint(sql: Query, namespace: string, id: string, change: EndpointChange): Promise<EndpointRow | null> {
  const [row] = await sql<EndpointRow[]>`
    update notifier.endpoints set ${sql({ ...change } as Record<string, never>)}, version = version + 1, updated_at = clock_timestamp()
    where namespace = ${namespace} and id = ${id} and kind = 'endpoint' and state <> 'deleted' returning ${shown(sql)}`;
  return row ?? null;
}

export async function selectEndpoint(sql: Query, namespace: string, id: string): Promise<EndpointRow | null> {
  const [row] = await sql<EndpointRow[]>`select ${shown(sql)} from notifier.endpoints where namespace = ${namespace} and id = ${id} and state <> 'deleted'`;
  return row ?? null;
}

/** Oldest first. @param after id of the last one seen */
export const listEndpoints = (sql: Query, namespace: string, kind: 'endpoint' | 'callback', after: string | null, limit: number): Promise<EndpointRow[]> =>
  sql<EndpointRow[]>`
    select ${shown(sql)} from notifier.endpoints
    where namespace = ${namespace} and kind = ${kind} and state <> 'deleted' and (${after}::uuid is null or id > ${after}::uuid) order by id limit ${limit}`;

export async function setEnabled(sql: Query, namespace: string, id: string, enabled: boolean): Promise<EndpointRow | null> {
  const [row] = await sql<EndpointRow[]>`
    update notifier.endpoints set state = ${enabled ? 'enabled' : 'disabled'}, disabled_reason = ${enabled ? null : 'manual'},
      disabled_at = case when ${enabled} then null else coalesce(disabled_at, clock_timestamp()) end,
      failing_since = case when ${enabled} then null else failing_since end, failed_attempts = case when ${enabled} then 0 else failed_attempts end, version = version + 1, updated_at = clock_timestamp()
    where namespace = ${namespace} and id = ${id} and kind = 'endpoint' and state <> 'deleted' returning ${shown(sql)}`;
  return row ?? null;
}

export async function deleteEndpoint(sql: Query, namespace: string, id: string): Promise<boolean> {
  const rows = await sql`
    update notifier.endpoints set state = 'deleted', disabled_reason = null, disabled_at = null, version = version + 1, updated_at = clock_timestamp()
    where namespace = ${namespace} and id = ${id} and kind = 'endpoint' and state <> 'deleted' returning id`;
  return rows.length > 0;
}

/** A new secret takes over; the old one signs along until its end. Ended ones are dropped. */
export async function rotateSecret(sql: Query, namespace: string, id: string, secret: Buffer, hours: number): Promise<EndpointRow | null> {
  const [row] = await sql<EndpointRow[]>`
    update notifier.endpoints e set secret = ${secret}, version = version + 1, updated_at = clock_timestamp(),
      previous_secrets = ${rotated(sql, hours)}
    where namespace = ${namespace} and id = ${id} and kind = 'endpoint' and state <> 'deleted' returning ${shown(sql)}`;
  return row ?? null;
}

const rotated = (sql: Query, hours: number) => sql`
  jsonb_build_array(jsonb_build_object('sealed', encode(e.secret, 'base64'), 'until', clock_timestamp() + ${hours} * interval '1 hour'))
  || coalesce((select jsonb_agg(p) from jsonb_array_elements(e.previous_secrets) p where (p->>'until')::timestamptz > clock_timestamp()), '[]')`;

export type CallbackRow = { namespace: string; allowed_hosts: string[]; previous_secrets: StoredSecret[]; updated_at: Date };

export async function selectCallbacks(sql: Query, namespace: string): Promise<CallbackRow | null> {
  const [row] = await sql<CallbackRow[]>`select namespace, allowed_hosts, previous_secrets, updated_at from notifier.callback_settings where namespace = ${namespace}`;
  return row ?? null;
}

/** @returns the settings, and whether the given secret was taken (there was none before). */
export async function putCallbacks(sql: Query, namespace: string, hosts: string[], secret: Buffer): Promise<CallbackRow & { created: boolean }> {
  const [row] = await sql<(CallbackRow & { created: boolean })[]>`
    insert into notifier.callback_settings (namespace, allowed_hosts, secret) values (${namespace}, ${hosts}::text[], ${secret})
    on conflict (namespace) do update set allowed_hosts = excluded.allowed_hosts, updated_at = clock_timestamp()
    returning namespace, allowed_hosts, previous_secrets, updated_at, (xmax = 0) as created`;
  return row!;
}

export async function rotateCallbackSecret(sql: Query, namespace: string, secret: Buffer, hours: number): Promise<CallbackRow | null> {
  const [row] = await sql<CallbackRow[]>`
    update notifier.callback_settings e set secret = ${secret}, version = version + 1, updated_at = clock_timestamp(), previous_secrets = ${rotated(sql, hours)}
    where namespace = ${namespace} returning namespace, allowed_hosts, previous_secrets, updated_at`;
  return row ?? null;
}

/** Makes the endpoints that stand for these callback origins where they are missing. */
export async function ensureCallbackEndpoints(sql: Query, items: { id: string; namespace: string; origin: string }[]): Promise<void> {
  await sql`
    insert into notifier.endpoints (id, namespace, kind, url)
    select id, namespace, 'callback', origin from unnest(${items.map((item) => item.id)}::uuid[], ${items.map((item) => item.namespace)}::text[], ${items.map((item) => item.origin)}::text[]) as i (id, namespace, origin)
    on conflict (namespace, url) where kind = 'callback' do nothing`;
}

/** Notes for each endpoint whether it works: since when it has only failed, and how often. @param failures 0: it has answered */
export async function noteHealth(sql: Query, items: { id: string; failures: number }[]): Promise<void> {
  await sql`
    update notifier.endpoints e
    set failing_since = case when h.failures > 0 then coalesce(e.failing_since, clock_timestamp()) end,
      failed_attempts = case when h.failures > 0 then e.failed_attempts + h.failures else 0 end
    from unnest(${items.map((item) => item.id)}::uuid[], ${items.map((item) => item.failures)}::integer[]) as h (id, failures)
    where e.id = h.id and (h.failures > 0 or e.failing_since is not null)`;
}

/** Fewest failures that disable an endpoint: one delivery's whole default schedule. */
const DISABLING_FAILURES = 8;

export type DisabledRow = { id: string; namespace: string; url: string; reason: 'gone' | 'failing'; at: Date };

/** Disables endpoints that said 410, and those that have only failed for too long. @returns those that this call disabled */
export const disableBroken = (sql: Query, gone: string[], failing: string[], afterHours: number): Promise<DisabledRow[]> =>
  sql<DisabledRow[]>`
    update notifier.endpoints set state = 'disabled', disabled_reason = case when id = any(${gone}::uuid[]) then 'gone' else 'failing' end,
      disabled_at = clock_timestamp(), version = version + 1, updated_at = clock_timestamp()
    where state = 'enabled' and kind = 'endpoint'
      and (id = any(${gone}::uuid[]) or (id = any(${failing}::uuid[]) and failed_attempts >= ${DISABLING_FAILURES}
        and failing_since < clock_timestamp() - ${afterHours} * interval '1 hour'))
    returning id, namespace, url, disabled_reason as reason, disabled_at as at`;
