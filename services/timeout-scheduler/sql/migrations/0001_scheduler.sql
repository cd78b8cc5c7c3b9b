create schema if not exists scheduler;

-- How far each escalation's events have been taken in. A row outlives its timers as a tombstone, so that an event that comes again
-- or late arms nothing; tombstones go once HITL_EVENTS (kept seven days) can no longer redeliver what they guard against.
create table scheduler.marks (
  namespace text collate "C" not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  request_id text collate "C" not null check (octet_length(request_id) between 1 and 512),
  seq integer not null check (seq >= 1),
  -- Since when the escalation has had no clocks; null while it has some.
  quiet_since timestamptz,
  primary key (namespace, request_id)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create index marks_quiet on scheduler.marks (quiet_since) where quiet_since is not null;

-- One row for each pending clock. What chose the shape is measured in ../../README.md: one table, since eight hash partitions
-- made every claim search eight indexes; one index beside the key; leases are columns outside every index, so that a claim
-- is a heap-only update within the page; dead rows are taken away often and without pauses, since the head of the index is where all reads begin.
create table scheduler.timers (
  namespace text collate "C" not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  request_id text collate "C" not null check (octet_length(request_id) between 1 and 512),
  kind text collate "C" not null check (kind in ('deadline', 'reminder', 'level', 'claim', 'snooze', 'delegation')),
  ordinal integer not null check (ordinal >= 0),
  -- Seq of the event that armed it. Whatever was leased under another generation changes nothing here.
  generation integer not null check (generation >= 1),
  -- When the escalation wants it.
  due_at timestamptz not null,
  -- When to ask next: `due_at`, or later for one that could not be asked about.
  wake_at timestamptz not null,
  leased_until timestamptz not null default '-infinity',
  lease uuid,
  attempts integer not null default 0,
  primary key (namespace, request_id, kind, ordinal)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000, autovacuum_analyze_scale_factor = 0.1);

create index timers_wake on scheduler.timers (namespace, wake_at);

-- Where the reconciliation stands in the store's changes; the lease makes one replica sweep at a time and spaces the sweeps.
create table scheduler.sweeps (
  name text primary key,
  cursor text,
  leased_until timestamptz not null default '-infinity'
);

insert into scheduler.sweeps (name) values ('reconciliation');
