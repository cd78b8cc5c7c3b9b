-- What has been opened and ended so far, of which the difference is pending: counting a hundred thousand rows by an index takes longer than
-- anybody waits for a page. Kept by the tables that hold the hours themselves, so that every version that writes those keeps it.
create table store.stats_totals (
  namespace text not null,
  reason text not null,
  opened bigint not null,
  ended bigint not null,
  primary key (namespace, reason)
) with (fillfactor = 50);

lock table store.stats_openings, store.stats_hours in share row exclusive mode;
insert into store.stats_totals (namespace, reason, opened, ended)
select namespace, reason, sum(opened), sum(ended)
from (select namespace, reason, opened, 0 as ended from store.stats_openings union all select namespace, reason, 0, ended from store.stats_hours) as kept
group by namespace, reason;

create function store.add_to_total(n text, r text, more_opened integer, more_ended integer) returns void language sql as $$
  insert into store.stats_totals as t (namespace, reason, opened, ended) values (n, r, more_opened, more_ended)
  on conflict (namespace, reason) do update set opened = t.opened + excluded.opened, ended = t.ended + excluded.ended
$$;

create function store.keep_opened_total() returns trigger language plpgsql as $$
begin
  perform store.add_to_total(new.namespace, new.reason, new.opened - case tg_op when 'UPDATE' then old.opened else 0 end, 0);
  return null;
end $$;

create function store.keep_ended_total() returns trigger language plpgsql as $$
begin
  perform store.add_to_total(new.namespace, new.reason, 0, new.ended - case tg_op when 'UPDATE' then old.ended else 0 end);
  return null;
end $$;

create trigger openings_keep_the_total after insert or update on store.stats_openings for each row execute function store.keep_opened_total();
create trigger hours_keep_the_total after insert or update on store.stats_hours for each row execute function store.keep_ended_total();

-- Whoever keeps figures of people in memory asks each time whether somebody was erased since.
create index erasures_of_people on store.erasures (namespace, done_at) where scope = 'person';
