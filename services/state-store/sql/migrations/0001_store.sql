create schema if not exists store;

-- The hot row: what decisions lock and lists read. One row an escalation, small; text columns are projections, the truth is `state`.
create table store.escalations (
  namespace text not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  request_id text not null check (octet_length(request_id) between 1 and 512),
  reason text not null check (reason in ('hard_disagreement', 'low_confidence', 'inconsistent_evidence', 'custom_rule')),
  kind text not null check (kind in ('escalation', 'interaction')),
  pattern text not null check (pattern in ('input', 'review', 'collaborative', 'manual', 'refinement', 'timed_decision', 'approval')),
  status text not null check (status in ('pending', 'completed', 'expired', 'cancelled')),
  seq integer not null check (seq >= 1),
  revision integer not null check (revision >= 1),
  level smallint not null,
  priority smallint not null check (priority between 0 and 3),
  overdue boolean not null,
  claimed_by text,
  excluded text[] not null,
  opened_at timestamptz(3) not null,
  deadline timestamptz(3),
  settled_at timestamptz(3) check ((settled_at is null) = (status = 'pending')),
  task_id text,
  summary text,
  prompt text,
  pipeline_name text,
  step_name text,
  -- `<stream>:<sequence>` of the message that opened it: the same one redelivered is `stored`, not `duplicate`.
  submission text not null,
  -- Same-content digest; goes with the content when that is erased.
  content_digest bytea check (octet_length(content_digest) = 32),
  -- Hash of the newest event: the next one is chained to it without reading the log.
  head bytea not null check (octet_length(head) = 32),
  -- The transaction that changed the row last. Ids below the oldest running transaction are complete, so a reader that follows
  -- them misses nothing; a serial or a timestamp would (its order is not commit order).
  changed_xid xid8 not null default pg_current_xact_id(),
  -- Domain state as JSON bytes: jsonb and text would refuse U+0000, which producers may send.
  state bytea not null,
  primary key (namespace, request_id)
) with (fillfactor = 85);

create index escalations_changed on store.escalations (changed_xid);
create index escalations_by_age on store.escalations (namespace, status, opened_at, request_id);

-- The producer's bytes, once and never changed.
create table store.payloads (
  namespace text not null,
  request_id text not null,
  body bytea,
  salt bytea check (octet_length(salt) = 16),
  digest bytea not null check (octet_length(digest) = 32),
  primary key (namespace, request_id)
);

-- The append-only log. `hash` chains each event to the one before over salted digests, so that actor and data can be erased
-- (with their salts) and the chain still verifies.
create table store.events (
  namespace text not null,
  request_id text not null,
  seq integer not null check (seq >= 1),
  id uuid not null,
  type text not null check (type in ('opened', 'claimed', 'released', 'responded', 'commented', 'reassigned', 'delegated', 'raised',
    'reminded', 'snoozed', 'overdue', 'iterated', 'revised', 'resolved', 'expired', 'cancelled', 'consumed')),
  occurred_at timestamptz(3) not null,
  actor bytea,
  actor_salt bytea,
  actor_digest bytea not null check (octet_length(actor_digest) = 32),
  data bytea,
  data_salt bytea,
  data_digest bytea not null check (octet_length(data_digest) = 32),
  hash bytea not null check (octet_length(hash) = 32),
  primary key (namespace, request_id, seq)
);

-- Who sees it: `u:<user id>` or `r:<role>`. Kept after settlement; `open` marks the inbox.
create table store.assignments (
  namespace text not null,
  request_id text not null,
  principal text not null check (principal ~ '^[ur]:'),
  opened_at timestamptz(3) not null,
  open boolean not null,
  primary key (namespace, request_id, principal)
) with (fillfactor = 85);

create index assignments_inbox on store.assignments (namespace, principal, opened_at, request_id) where open;

-- Events that are committed and not yet acknowledged by JetStream. Rows live for milliseconds.
create table store.outbox (
  namespace text not null,
  request_id text not null,
  seq integer not null,
  created_at timestamptz not null default clock_timestamp(),
  leased_until timestamptz,
  primary key (namespace, request_id, seq)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

create index outbox_by_age on store.outbox (created_at);

-- Cancelled before it was submitted: the submit that comes within a day opens and cancels.
create table store.tombstones (
  namespace text not null,
  request_id text not null,
  detail text,
  created_at timestamptz not null default clock_timestamp(),
  primary key (namespace, request_id)
);
