-- How long content is kept, by how an escalation ended; null: for good. The record of it is in the audit log.
create table store.retention (
  namespace text primary key check (namespace ~ '^[a-z0-9-]{1,40}$'),
  completed_days integer check (completed_days between 1 and 36500),
  expired_days integer check (expired_days between 1 and 36500),
  cancelled_days integer check (cancelled_days between 1 and 36500),
  changed_by text not null,
  changed_at timestamptz(3) not null default clock_timestamp()
);

-- How far the sealed chains have been gone through for each of them. Chains are sealed in the order of time, near enough, and whatever
-- is settled later is sealed again later: one pass along the checkpoints meets everything, and needs no index on the hot rows. The row's
-- lock is the lease.
create table store.retention_cursors (
  namespace text not null references store.retention (namespace) on delete cascade,
  status text not null check (status in ('completed', 'expired', 'cancelled')),
  number integer not null default 1,
  request_id text not null default '',
  primary key (namespace, status)
);
