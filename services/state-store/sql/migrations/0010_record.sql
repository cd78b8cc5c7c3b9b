-- The record's seal. A checkpoint signs, for one namespace, the heads of all chains that grew since the one before it.

-- Keys that sign. The private half is sealed under a key that the database does not know; the public half stays for good, so that what
-- an old key has signed can be checked for as long as it is kept.
create table store.signing_keys (
  kid text primary key,
  public_x text not null,
  sealed bytea not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  created_by text not null,
  -- A new key is published at once and signs later, so that whoever keeps a copy of the public keys has it by then.
  signs_from timestamptz(3) not null
);

create table store.checkpoints (
  namespace text not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  number integer not null check (number >= 1),
  at timestamptz(3) not null,
  kid text not null references store.signing_keys (kid),
  jws text not null,
  digest bytea not null check (octet_length(digest) = 32),
  chains integer not null,
  events integer not null,
  log_number integer not null,
  log_hash bytea not null check (octet_length(log_hash) = 32),
  primary key (namespace, number)
);
create index checkpoints_by_time on store.checkpoints (namespace, at);

-- What a checkpoint sealed: each chain's head, and the one sealed before (0: none). Written in bulk behind the hot path.
create table store.sealed_heads (
  namespace text not null,
  request_id text not null,
  seq integer not null check (seq > after_seq),
  hash bytea not null check (octet_length(hash) = 32),
  after_seq integer not null check (after_seq >= 0),
  after_hash bytea check (octet_length(after_hash) = 32),
  number integer not null,
  primary key (namespace, request_id, seq)
);
-- In the order in which a checkpoint's tree is made: by the bytes of the id.
create index sealed_heads_by_checkpoint on store.sealed_heads (namespace, number, request_id collate "C");

-- How far the store's changes are sealed. Its lock is the lease: whichever replica holds it makes the next checkpoints.
create table store.checkpoint_cursor (
  single boolean primary key default true check (single),
  changed_xid xid8 not null,
  namespace text not null,
  request_id text not null,
  moved_at timestamptz not null
);
insert into store.checkpoint_cursor (changed_xid, namespace, request_id, moved_at) values ('0', '', '', 'epoch');

-- A namespace's own log: what was done to the record itself (erasures, retention, keys, exports). Chained like events; never erased.
create table store.audit_log (
  namespace text not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  number integer not null check (number >= 1),
  at timestamptz(3) not null,
  kind text not null check (kind ~ '^[a-z_.]{1,40}$'),
  entry bytea not null,
  salt bytea not null check (octet_length(salt) = 16),
  digest bytea not null check (octet_length(digest) = 32),
  hash bytea not null check (octet_length(hash) = 32),
  primary key (namespace, number)
);

-- What is only ever added to. The service's role has no right to change or delete these rows (see provisioning); this stops everybody
-- else, the owner's own slips included.
create function store.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is only ever added to', tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger checkpoints_are_kept before update or delete on store.checkpoints for each row execute function store.refuse_change();
create trigger checkpoints_are_not_emptied before truncate on store.checkpoints execute function store.refuse_change();
create trigger sealed_heads_are_kept before update or delete on store.sealed_heads for each row execute function store.refuse_change();
create trigger sealed_heads_are_not_emptied before truncate on store.sealed_heads execute function store.refuse_change();
create trigger audit_log_is_kept before update or delete on store.audit_log for each row execute function store.refuse_change();
create trigger audit_log_is_not_emptied before truncate on store.audit_log execute function store.refuse_change();
create trigger events_are_kept before delete on store.events for each row execute function store.refuse_change();
create trigger events_are_not_emptied before truncate on store.events execute function store.refuse_change();
