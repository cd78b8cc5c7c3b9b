create schema if not exists notifier;

-- A place that webhooks go to. Kind `callback` stands for one origin that escalations of a namespace named as their own
-- callback_url; its secret is the namespace's (callback_settings).
create table notifier.endpoints (
  id uuid primary key,
  namespace text not null,
  kind text not null default 'endpoint' check (kind in ('endpoint', 'callback')),
  url text not null,
  description text,
  -- Empty: every event, every reason.
  events text[] not null default '{}',
  reasons text[] not null default '{}',
  payload text not null default 'full' check (payload in ('full', 'thin')),
  -- Sealed JSON of the custom headers; their names stand open.
  headers bytea,
  header_names text[] not null default '{}',
  max_concurrency integer check (max_concurrency between 1 and 1000),
  rate_per_second double precision check (rate_per_second > 0),
  retry_seconds double precision[],
  secret bytea,
  -- [{sealed: base64, until: RFC 3339}]: secrets that still sign after a rotation.
  previous_secrets jsonb not null default '[]',
  state text not null default 'enabled' check (state in ('enabled', 'disabled', 'deleted')),
  disabled_reason text check (disabled_reason in ('manual', 'gone', 'failing')),
  disabled_at timestamptz,
  -- First failure since the last success, and how many there have been.
  failing_since timestamptz,
  failed_attempts integer not null default 0,
  version integer not null default 1,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  check ((kind = 'callback') = (secret is null)),
  check ((state = 'disabled') = (disabled_reason is not null))
);
create index endpoints_by_namespace on notifier.endpoints (namespace, id) where state <> 'deleted';
create unique index endpoints_callback_origin on notifier.endpoints (namespace, url) where kind = 'callback';

create table notifier.callback_settings (
  namespace text primary key,
  allowed_hosts text[] not null default '{}',
  secret bytea not null,
  previous_secrets jsonb not null default '[]',
  version integer not null default 1,
  updated_at timestamptz not null default clock_timestamp()
);

-- When an endpoint with a rate may next be sent to: one row per such endpoint, locked by the replica that claims for it.
create table notifier.paces (
  endpoint_id uuid primary key references notifier.endpoints,
  next_at timestamptz not null default '-infinity'
);

-- One row per webhook event, and so the consumer's inbox: an event id that stands here has been fanned out. The body is
-- ready to send; null when nobody in the namespace wanted it. Bodies stay in the row uncompressed (up to 8 kB): they are
-- written once, read rarely, and compressing them would cost more than it saves.
create table notifier.messages (
  event_id uuid primary key,
  namespace text not null,
  event text not null,
  request_id text,
  reason text,
  seq integer,
  occurred_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  body bytea
) with (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05);
alter table notifier.messages alter column body set storage external;
create index messages_by_age on notifier.messages (created_at);

-- One row per (event, endpoint). `due_at` is when somebody may take it next: the time of the next attempt, or, while a
-- holder has it, the end of the holder's lease. `fence` counts the takings: a result counts only under the newest.
create table notifier.deliveries (
  id uuid primary key,
  endpoint_id uuid not null,
  event_id uuid not null,
  -- Of a callback only: the escalation's own address.
  url text,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  failure text check (failure in ('exhausted', 'gone', 'endpoint_disabled', 'endpoint_deleted')),
  attempts integer not null default 0,
  -- Attempts made before the current round of the schedule: a retry by hand starts a new one.
  round_start integer not null default 0,
  fence integer not null default 0,
  holder text,
  due_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp(),
  done_at timestamptz,
  unique (event_id, endpoint_id),
  check ((state = 'pending') = (done_at is null)),
  check ((state = 'failed') = (failure is not null))
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
create index deliveries_due on notifier.deliveries (endpoint_id, due_at) where state = 'pending';
create index deliveries_by_endpoint on notifier.deliveries (endpoint_id, id);

create table notifier.attempts (
  delivery_id uuid not null,
  number integer not null,
  started_at timestamptz not null,
  latency_ms integer not null,
  status smallint,
  error text,
  detail text,
  -- The first 16 kB of the answer.
  response bytea,
  primary key (delivery_id, number)
);
