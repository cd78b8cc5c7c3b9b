-- A way to reach a person, a group or the holders of a role.
create table notifier.channels (
  id uuid primary key,
  namespace text not null,
  owner_kind text not null check (owner_kind in ('user', 'group', 'role')),
  owner text not null,
  kind text not null check (kind in ('email', 'slack')),
  -- The mail address. A Slack hook's address is a secret: sealed, apart.
  address text,
  sealed_address bytea,
  -- Whether messages may say what it is about: content may be confidential.
  detail text not null default 'none' check (detail in ('none', 'summary')),
  created_at timestamptz not null default clock_timestamp(),
  check ((kind = 'email') = (address is not null)),
  check ((kind = 'slack') = (sealed_address is not null))
);
create index channels_by_owner on notifier.channels (namespace, owner_kind, owner);

-- One message to one channel about one event. `due_at`, `fence` and `holder` as in deliveries.
create table notifier.notices (
  id uuid primary key,
  channel_id uuid not null references notifier.channels on delete cascade,
  event_id uuid not null,
  namespace text not null,
  request_id text not null,
  what text not null check (what in ('asked', 'reminded', 'added', 'round', 'test')),
  state text not null default 'pending' check (state in ('pending', 'sent', 'skipped', 'failed')),
  -- Why it was skipped or failed.
  detail text,
  attempts integer not null default 0,
  fence integer not null default 0,
  holder text,
  due_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp(),
  done_at timestamptz,
  unique (channel_id, event_id),
  check ((state = 'pending') = (done_at is null))
) with (fillfactor = 85);
create index notices_due on notifier.notices (due_at) where state = 'pending';
create index notices_by_age on notifier.notices (created_at);
