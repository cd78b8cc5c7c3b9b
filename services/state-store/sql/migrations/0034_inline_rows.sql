-- Rows of the usual size stay whole and as they are: compressing each payload, state and event to save a third of a page cost more
-- than writing it. What is larger than a page goes the usual way.
alter table store.escalations set (toast_tuple_target = 8160);
alter table store.payloads set (toast_tuple_target = 8160);
alter table store.events set (toast_tuple_target = 8160);
