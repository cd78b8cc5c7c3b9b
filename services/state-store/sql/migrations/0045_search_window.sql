-- no transaction
-- Payloads lie in the order in which they came, so that a search for the oldest or newest of many matches need not look at all of them: a few
-- bytes for each 128 pages, and next to nothing for an insert.
create index concurrently if not exists payloads_opened on store.payloads using brin (opened_at) with (autosummarize = on);
