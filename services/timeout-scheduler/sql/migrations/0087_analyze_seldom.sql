-- As the state store's tables: what grows with every message has the same plans at up to twice its size.
alter table scheduler.marks set (autovacuum_analyze_scale_factor = 0.5);
