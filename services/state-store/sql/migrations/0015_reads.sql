-- Who read what. Rows are only added, in batches, and leave with their week: dropping a partition costs the same however many rows it has.
create table store.reads (
  id uuid not null,
  namespace text not null,
  at timestamptz(3) not null default clock_timestamp(),
  -- item, status, timeline, explain, receipt, outcome: one escalation; pending, list: what a person or a search was shown.
  what text not null check (what ~ '^[a-z_]{1,40}$'),
  via text not null check (via in ('http', 'socket', 'nats')),
  -- The one that was asked for; null for lists.
  request_id text,
  -- The ids that a list showed.
  shown text[] not null default '{}',
  -- Whose inbox it was; null where that says nothing.
  subject_user text,
  -- SHA-256 (hex) of what was asked, so that equal questions can be told from others without keeping the words; null for one escalation.
  filter_digest text check (filter_digest ~ '^[0-9a-f]{64}$'),
  user_id text,
  key_id text,
  auth text not null check (auth in ('api_key', 'jwt', 'session', 'nats')),
  address text,
  -- What a proxy said about where it came from: as it was said, not verified.
  forwarded_for text,
  trace_id text,
  check ((request_id is null) = (filter_digest is not null))
) partition by range (at);

create index reads_by_time on store.reads (namespace, at desc, id desc);
create index reads_of_one on store.reads (namespace, request_id, at desc, id desc) where request_id is not null;
create index reads_by_person on store.reads (namespace, user_id, at desc, id desc) where user_id is not null;
create index reads_shown on store.reads using gin (shown);

-- Rows land here if nobody made the week's partition in time.
create table store.reads_rest partition of store.reads default;

/*
 * Makes the partitions of this week and the next, and drops those that end before `keep` ago. The service's own role may not create or drop
 * tables; this does it for that role, and nothing else.
 */
create function store.keep_reads(keep interval) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
  week timestamptz;
  gone record;
  dropped integer := 0;
begin
  -- One at a time, and nobody waits: whoever comes second has nothing left to do.
  if not pg_try_advisory_xact_lock(hashtextextended('umpire-reads', 0)) then
    return 0;
  end if;
  for week in select date_trunc('week', clock_timestamp(), 'UTC') + n * interval '7 days' from generate_series(0, 1) as n loop
    if to_regclass(format('store.reads_%s', to_char(week at time zone 'UTC', 'YYYYMMDD'))) is null
      and not exists (select from store.reads_rest where at >= week and at < week + interval '7 days') then
      execute format('create table store.reads_%s partition of store.reads for values from (%L) to (%L)', to_char(week at time zone 'UTC', 'YYYYMMDD'), week, week + interval '7 days');
    end if;
  end loop;
  for gone in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'store.reads'::regclass and c.relname ~ '^reads_\d{8}$'
      and (to_date(substr(c.relname, 7), 'YYYYMMDD') + 7)::timestamp at time zone 'UTC' < clock_timestamp() - keep
  loop
    execute format('drop table store.%I', gone.relname);
    dropped := dropped + 1;
  end loop;
  delete from store.reads_rest where at < clock_timestamp() - keep;
  return dropped;
end $$;

select store.keep_reads(interval '100 years');
