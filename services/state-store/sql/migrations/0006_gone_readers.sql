-- Somebody who answered and was then reassigned goes on reading what is still pending. There are few of them: a list of pending work
-- finds them here, instead of among all that is settled.
alter table store.assignments add column gone boolean not null default false check (not (gone and open));
create index assignments_gone on store.assignments (namespace, principal, opened_at, request_id) where gone;
