-- What grows as fast as messages come is analysed whenever half of it is new, not a tenth: every ten seconds it took autovacuum 0.6 s of a processor, in the
-- middle of everything else. Nothing is planned otherwise for a table half as large again; the first rows are analysed as soon as before.
alter table store.escalations set (autovacuum_analyze_scale_factor = 0.5);
alter table store.payloads set (autovacuum_analyze_scale_factor = 0.5);
alter table store.assignments set (autovacuum_analyze_scale_factor = 0.5);
