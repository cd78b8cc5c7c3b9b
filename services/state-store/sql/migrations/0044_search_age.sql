-- When its escalation was opened, so that what a search finds is put in order without looking up each. Null where it was stored before this
-- column was there, or by a version that does not know it: then the escalation says it.
alter table store.payloads add column opened_at timestamptz(3);
