create schema if not exists identity;

-- API keys by SHA-256; the key itself is shown once and never stored.
create table identity.keys (
  id uuid primary key,
  namespace text not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  name text not null check (length(name) between 1 and 200),
  digest bytea not null unique check (octet_length(digest) = 32),
  roles text[] not null check (cardinality(roles) between 1 and 20),
  user_id text check (length(user_id) between 1 and 256),
  created_at timestamptz(3) not null default clock_timestamp(),
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  -- Only a person decides: a reviewer key is bound to one.
  check (not ('reviewer' = any (roles)) or user_id is not null)
);

create index keys_by_namespace on identity.keys (namespace, created_at, id);

create table identity.group_members (
  namespace text not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  group_name text not null check (length(group_name) between 1 and 256),
  user_id text not null check (length(user_id) between 1 and 256),
  primary key (namespace, group_name, user_id)
);
