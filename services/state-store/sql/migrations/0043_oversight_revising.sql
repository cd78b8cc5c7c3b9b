-- no transaction
-- What is reversed is looked for among the few that say that they revise something.
create index concurrently if not exists oversight_ends_revising on store.oversight_ends (namespace, ended_at) where revises is not null;
