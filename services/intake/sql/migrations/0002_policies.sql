-- What takes which message, and how it is then decided. A policy's versions are kept for good: an escalation names the one that shaped it.
create table intake.policies (
  namespace text not null check (namespace ~ '^[a-z0-9-]{1,40}$'),
  id text not null check (id ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  -- The version in force; null once the policy is deleted.
  active_version integer,
  enabled boolean not null,
  changed_at timestamptz(3) not null default clock_timestamp(),
  primary key (namespace, id)
);

-- The document as it was taken, JSON text: jsonb would reorder it and refuse U+0000.
create table intake.policy_versions (
  namespace text not null,
  id text not null,
  version integer not null check (version >= 1),
  document text not null check (octet_length(document) <= 262144),
  created_by text not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  primary key (namespace, id, version),
  foreign key (namespace, id) references intake.policies (namespace, id)
);

alter table intake.policies add foreign key (namespace, id, active_version) references intake.policy_versions (namespace, id, version);

create function intake.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'versions of policies are never changed' using errcode = 'restrict_violation';
end $$;

create trigger policy_versions_are_kept before update or delete on intake.policy_versions
  for each row execute function intake.refuse_change();

-- One row, written by every change of a policy: replicas look at it to know whether to read the policies again. Its lock also puts
-- changes in one order, so that a higher revision never stands for an older set.
create table intake.policy_revision (
  only_row boolean primary key default true check (only_row),
  revision bigint not null
);

insert into intake.policy_revision (revision) values (1);
