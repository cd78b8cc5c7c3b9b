-- Content goes, digests and hashes stay. Nobody's role may change events or payloads: what may be done to them is done by the functions
-- below, under their owner's rights, and is on record by an event of its own.

alter table store.events drop constraint events_type_check;
alter table store.events add constraint events_type_check check (type in ('opened', 'claimed', 'released', 'responded', 'commented', 'reassigned',
  'delegated', 'raised', 'reminded', 'snoozed', 'overdue', 'iterated', 'revised', 'resolved', 'expired', 'cancelled', 'consumed', 'erased')) not valid;

-- Whoever may change an event: its place in the chain never changes, and content that is changed loses its salt, so that it can never
-- be taken for what was recorded.
create function store.guard_event() returns trigger language plpgsql as $$
begin
  if current_setting('umpire.erasing', true) is distinct from 'on' then
    raise exception 'events are only ever added to' using errcode = 'restrict_violation';
  end if;
  if (new.namespace, new.request_id, new.seq, new.id, new.type, new.occurred_at, new.actor_digest, new.data_digest, new.hash)
    is distinct from (old.namespace, old.request_id, old.seq, old.id, old.type, old.occurred_at, old.actor_digest, old.data_digest, old.hash)
    or (new.actor is distinct from old.actor and new.actor_salt is not null) or (new.actor_salt is distinct from old.actor_salt and new.actor_salt is not null)
    or (new.data is distinct from old.data and new.data_salt is not null) or (new.data_salt is distinct from old.data_salt and new.data_salt is not null)
    or (old.type = 'erased' and (new.data is distinct from old.data or new.data_salt is distinct from old.data_salt)) then
    raise exception 'of an event only its content may go' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger events_change_by_erasure before update on store.events for each row execute function store.guard_event();

-- Takes away what escalations of a namespace were about: actors and data of their events with the salts, and the payload.
create function store.erase_content(in_namespace text, in_ids text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp set umpire.erasing = 'on' as $$
  update store.events e set actor = null, actor_salt = null, data = null, data_salt = null
  from unnest(in_ids) as k (request_id)
  where e.namespace = in_namespace and e.request_id = k.request_id and e.type <> 'erased';
  update store.payloads p set body = null, salt = null, document = null
  from unnest(in_ids) as k (request_id)
  where p.namespace = in_namespace and p.request_id = k.request_id;
$$;

-- Puts other texts in the place of events' actors and data; null leaves one as it is.
create function store.redact_events(in_namespace text, in_ids text[], in_seqs integer[], in_actors text[], in_data text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp set umpire.erasing = 'on' as $$
  update store.events e set
    actor = coalesce(convert_to(k.actor, 'UTF8'), e.actor), actor_salt = case when k.actor is null then e.actor_salt end,
    data = coalesce(convert_to(k.data, 'UTF8'), e.data), data_salt = case when k.data is null then e.data_salt end
  from unnest(in_ids, in_seqs, in_actors, in_data) as k (request_id, seq, actor, data)
  where e.namespace = in_namespace and e.request_id = k.request_id and e.seq = k.seq;
$$;

revoke all on function store.erase_content(text, text[]) from public;
revoke all on function store.redact_events(text, text[], integer[], text[], text[]) from public;

-- What was asked to be erased. The name of the person goes from here once it is gone everywhere.
create table store.erasures (
  id uuid primary key,
  namespace text not null,
  scope text not null check (scope in ('content', 'person')),
  request_id text,
  user_id text,
  pseudonym text,
  reason text not null check (length(reason) between 1 and 2000),
  requested_by text not null,
  requested_at timestamptz(3) not null default clock_timestamp(),
  -- A person's: how far the namespace's escalations have been gone through.
  after_id text not null default '',
  escalations integer not null default 0,
  events integer not null default 0,
  done_at timestamptz(3),
  check (scope = 'person' or request_id is not null),
  check (scope = 'content' or pseudonym is not null)
);
create index erasures_open on store.erasures (requested_at) where done_at is null;
create index erasures_by_age on store.erasures (namespace, requested_at, id);
