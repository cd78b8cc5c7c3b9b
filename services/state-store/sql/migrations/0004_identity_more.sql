-- Who made and who ended a key: a user id, or the id of the credential.
alter table identity.keys
  add column created_by text,
  add column revoked_by text,
  add constraint keys_revoked_by check (revoked_by is null or revoked_at is not null);

create index keys_by_user on identity.keys (namespace, user_id) where revoked_at is null and user_id is not null;

-- A group stands on its own: it may be empty, and it goes with its members.
create table identity.groups (
  namespace text not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  name text not null check (length(name) between 1 and 256),
  description text check (length(description) <= 2000),
  created_at timestamptz(3) not null default clock_timestamp(),
  primary key (namespace, name)
);

insert into identity.groups (namespace, name) select distinct namespace, group_name from identity.group_members;

alter table identity.group_members
  add constraint group_members_group foreign key (namespace, group_name) references identity.groups (namespace, name) on delete cascade;

-- For a period one person sees and decides what another may. It is never handed on: only who is named here acts.
create table identity.delegations (
  id uuid primary key,
  namespace text not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  from_user text not null check (length(from_user) between 1 and 256),
  to_user text not null check (length(to_user) between 1 and 256),
  -- Roles that a token gave the delegator, who may have no key to look them up by.
  token_roles text[] not null default '{}',
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  note text check (length(note) <= 2000),
  created_at timestamptz(3) not null default clock_timestamp(),
  created_by text not null,
  revoked_at timestamptz(3),
  revoked_by text check ((revoked_by is null) = (revoked_at is null)),
  check (from_user <> to_user),
  check (ends_at > starts_at and ends_at <= starts_at + interval '90 days')
);

create index delegations_by_delegate on identity.delegations (namespace, to_user, ends_at) where revoked_at is null;
create index delegations_by_age on identity.delegations (namespace, created_at, id);

-- Browsers' sessions by SHA-256 of the cookie. One made with a key has no rights of its own: it shares the key's, and ends with
-- it. One made with a token keeps what the token said, and ends no later.
create table identity.sessions (
  digest bytea primary key check (octet_length(digest) = 32),
  namespace text not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  key_id uuid references identity.keys (id) on delete cascade,
  token_id text,
  user_id text,
  roles text[],
  created_at timestamptz(3) not null default clock_timestamp(),
  expires_at timestamptz(3) not null,
  check ((key_id is null) = (token_id is not null and roles is not null))
);

create index sessions_by_end on identity.sessions (expires_at);

-- Whom a person acts for at a moment, with the roles that reach: those of the delegator's live keys, and a token's. The oldest
-- delegation first, so that of several the same one serves each time.
create function identity.delegators(in_namespace text, in_user text, in_moment timestamptz)
returns table (user_id text, roles text[]) language sql stable as $$
  select d.from_user, array(
    select r.role from identity.keys k cross join lateral unnest(k.roles) as r (role)
    where k.namespace = in_namespace and k.user_id = d.from_user and k.revoked_at is null and 'reviewer' = any (k.roles)
      and (k.expires_at is null or k.expires_at > in_moment)
    union
    select r.role from identity.delegations o cross join lateral unnest(o.token_roles) as r (role)
    where o.namespace = in_namespace and o.to_user = in_user and o.from_user = d.from_user and o.revoked_at is null
      and o.starts_at <= in_moment and o.ends_at > in_moment
    order by 1)
  from identity.delegations d
  where d.namespace = in_namespace and d.to_user = in_user and d.revoked_at is null and d.starts_at <= in_moment and d.ends_at > in_moment
  group by d.from_user
  order by min(d.created_at), d.from_user
$$;
