-- The W3C trace context of the event that armed a timer: its firing goes on from there.
alter table scheduler.timers add column traceparent text check (octet_length(traceparent) <= 64);
