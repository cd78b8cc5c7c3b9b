-- Autovacuum analyses a table whenever a tenth of it has changed: a quarter of a second for each of these, in the middle of everything else.
-- Nothing is ever looked for by these columns, so nothing of them need be sampled and sorted.
alter table store.escalations alter column state set statistics 0, alter column head set statistics 0, alter column content_digest set statistics 0,
  alter column submission set statistics 0, alter column summary set statistics 0, alter column prompt set statistics 0,
  alter column traceparent set statistics 0;
alter table store.payloads alter column body set statistics 0, alter column salt set statistics 0, alter column digest set statistics 0;
alter table store.events alter column actor set statistics 0, alter column actor_salt set statistics 0, alter column actor_digest set statistics 0,
  alter column data set statistics 0, alter column data_salt set statistics 0, alter column data_digest set statistics 0, alter column hash set statistics 0;
alter table store.sealed_heads alter column hash set statistics 0, alter column after_hash set statistics 0;

-- What only grows and is read by its key has the same plans at twice the size.
alter table store.events set (autovacuum_analyze_scale_factor = 1);
alter table store.sealed_heads set (autovacuum_analyze_scale_factor = 1);
