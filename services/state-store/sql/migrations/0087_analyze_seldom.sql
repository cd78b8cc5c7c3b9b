-- What grows as fast as messages come is analysed whenever half of it has changed, not a tenth: that took autovacuum up to 0.6 s of a processor each time, in
-- the middle of everything else. Nothing is planned otherwise for such a table at up to twice its size.
alter table store.escalations set (autovacuum_analyze_scale_factor = 0.5);
alter table store.payloads set (autovacuum_analyze_scale_factor = 0.5);
alter table store.assignments set (autovacuum_analyze_scale_factor = 0.5);
