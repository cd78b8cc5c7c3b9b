-- As the state store's tables: what grows with every message has the same plans at half as large again.
alter table notifier.messages set (autovacuum_analyze_scale_factor = 0.5);
