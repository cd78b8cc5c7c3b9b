-- no transaction
-- formerly 1591616b3a4eb65e2150f2a7fbf4176999ead84d701e05ce2c2e12ab98f87d5b
-- What was sent of one escalation. Messages that nobody wanted have no body, and no deliveries: they cost nothing here.
create index concurrently if not exists messages_by_request on notifier.messages (namespace, request_id) where body is not null and request_id is not null;
