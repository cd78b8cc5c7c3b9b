-- Which incarnation of a stream this database has published to. Another one (deleted and made again, another server, a database
-- restored behind a newer broker) gets the kept window of events once more: from `republish_next` up to `republish_until`.
create table store.stream_marks (
  stream text primary key,
  created text not null,
  republish_next timestamptz(3),
  republish_until timestamptz(3),
  check ((republish_next is null) = (republish_until is null))
);

-- Events are written in the order of their times, near enough: a few kilobytes that find a window of hours in a log of years.
create index events_by_time on store.events using brin (occurred_at) with (pages_per_range = 32);
