-- What oversight of the people who decide is computed from: one row for each end and each answer, kept for 100 days. Written by a loop that
-- follows `changed_xid`, once for each escalation when it has ended, so that deciding costs nothing more. Definitions: docs/oversight.md.
create table store.oversight_cursor (
  single boolean primary key default true check (single),
  changed_xid xid8 not null,
  namespace text not null,
  request_id text not null
);
insert into store.oversight_cursor (changed_xid, namespace, request_id) values ('0', '', '');

create table store.oversight_ends (
  namespace text not null,
  request_id text not null,
  reason text not null,
  source text not null check (source in ('human', 'timeout', 'cancel')),
  verdict text,
  ended_at timestamptz(3) not null,
  -- The escalation that it says it revises.
  revises text,
  primary key (namespace, request_id)
);
create index oversight_ends_by_time on store.oversight_ends (namespace, ended_at);
create index oversight_ends_by_age on store.oversight_ends (ended_at);

create table store.oversight_answers (
  namespace text not null,
  request_id text not null,
  user_id text not null,
  answered_at timestamptz(3) not null,
  reason text not null,
  verdict text,
  -- When the question, or its newest round, was put.
  asked_at timestamptz(3) not null,
  -- How long the content was; null where it had been erased by then.
  words integer,
  primary key (namespace, request_id, user_id, answered_at)
);
create index oversight_answers_by_time on store.oversight_answers (namespace, answered_at);
create index oversight_answers_by_age on store.oversight_answers (answered_at);

-- Agreement of people's outcomes with agents, by the hour in which they ended.
create table store.oversight_agents (
  namespace text not null,
  hour timestamptz not null,
  kind text not null check (kind in ('agent', 'synthesis')),
  name text not null,
  agreed integer not null,
  disagreed integer not null,
  primary key (namespace, hour, kind, name)
) with (fillfactor = 70);
create index oversight_agents_by_age on store.oversight_agents (hour);
