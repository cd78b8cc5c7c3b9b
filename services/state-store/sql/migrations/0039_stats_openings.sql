-- What was opened, by hour, beside what has ended. An escalation is met whenever it changes: `opened` and `ended` say what of it has been
-- counted. What stands here already was counted when it ended; the cursor begins anew, so that all openings are counted too.
alter table store.stats_counted add column opened boolean not null default false, add column ended boolean not null default true;
alter table store.stats_counted alter column ended set default false;
update store.stats_cursor set changed_xid = '0', namespace = '', request_id = '';

create table store.stats_openings (
  namespace text not null,
  hour timestamptz not null,
  reason text not null,
  opened integer not null,
  primary key (namespace, hour, reason)
) with (fillfactor = 70);
