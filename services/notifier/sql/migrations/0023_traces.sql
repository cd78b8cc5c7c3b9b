-- The W3C trace context that an event came in: its deliveries go on from there, by whichever replica and however late.
alter table notifier.messages add column traceparent text check (octet_length(traceparent) <= 64);
