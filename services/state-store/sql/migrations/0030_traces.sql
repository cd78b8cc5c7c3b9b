-- The W3C trace context in which an escalation was opened: what becomes of it, hours later and in other processes, is told in the same trace.
alter table store.escalations add column traceparent text check (octet_length(traceparent) <= 64);
