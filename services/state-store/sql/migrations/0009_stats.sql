-- Statistics are kept while things happen, so that asking for them reads a few hundred rows whatever has been decided. A loop follows
-- `changed_xid` and counts each escalation once, when it has ended; what is pending is counted by bounded index ranges.
create table store.stats_cursor (
  single boolean primary key default true check (single),
  changed_xid xid8 not null,
  namespace text not null,
  request_id text not null
);
insert into store.stats_cursor (changed_xid, namespace, request_id) values ('0', '', '');

-- What has been counted: a row changes after its end too (a comment, the permit), and is met again then.
create table store.stats_counted (
  namespace text not null,
  request_id text not null,
  primary key (namespace, request_id)
);

-- By the hour in which it ended. `histogram` counts times to the end by the bounds in `stats.service.ts`.
create table store.stats_hours (
  namespace text not null,
  hour timestamptz not null,
  reason text not null,
  source text not null check (source in ('human', 'timeout', 'cancel')),
  ended integer not null,
  seconds double precision not null,
  histogram integer[] not null,
  raised integer not null,
  agreed integer not null,
  disagreed integer not null,
  primary key (namespace, hour, reason, source)
) with (fillfactor = 70);

create table store.stats_people (
  namespace text not null,
  hour timestamptz not null,
  user_id text not null,
  votes integer not null,
  seconds double precision not null,
  primary key (namespace, hour, user_id)
) with (fillfactor = 70);

-- Few are ever raised, so this costs the others nothing.
create index escalations_raised on store.escalations (namespace, level) where status = 'pending' and level > 0;
