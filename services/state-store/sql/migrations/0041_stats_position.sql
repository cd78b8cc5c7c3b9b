-- A cursor of this version's own. The version before, which goes on beside it for a while, moves `stats_cursor` past changes whose openings
-- it does not count. Each escalation is still counted once, by whoever comes first: `stats_counted` says so to both.
create table store.stats_position (
  single boolean primary key default true check (single),
  changed_xid xid8 not null,
  namespace text not null,
  request_id text not null
);
insert into store.stats_position (changed_xid, namespace, request_id)
select case when counting then changed_xid else '0' end, case when counting then namespace else '' end, case when counting then request_id else '' end
from store.stats_cursor, (select exists (select from store.stats_openings) as counting) as openings;
