-- Indexes of the lists. Every change writes a row's entries anew in each index that covers all states, so there are as few of
-- those as the lists can do with; what only orders pending work is partial, and its entries are not renewed at settlement.

-- A list without a state or a reason merges the ranges of each of the four, so one index serves every combination.
drop index store.escalations_by_age;
create index escalations_by_age on store.escalations (namespace, status, reason, opened_at, request_id);
create index escalations_by_deadline on store.escalations (namespace, deadline, request_id) where status = 'pending';
-- Most urgent first in ascending order, so that a cursor is one row comparison.
create index escalations_by_urgency on store.escalations (namespace, (3 - priority), opened_at, request_id) where status = 'pending';
-- By hash: a task id may be longer than an index entry.
create index escalations_by_task on store.escalations (namespace, hashtextextended(task_id, 0), opened_at, request_id) where task_id is not null;
-- What a person could see and is settled, or was reassigned; assignments_inbox has the rest.
create index assignments_closed on store.assignments (namespace, principal, opened_at, request_id) where not open;

-- Words of task id, summary and prompt, lower-cased and cut by the service (the database's locale decides nothing), and the
-- namespace as one more lexeme, so that a search never walks another namespace's entries. Beside the payload, which does not change
-- and goes with it when content is erased: on the hot row every transition would index the words anew.
alter table store.payloads add column document tsvector;
create index payloads_document on store.payloads using gin (document) with (gin_pending_list_limit = 1024);
