-- What was sent of one escalation. Messages that nobody wanted have no body, and no deliveries: they cost nothing here.
create index messages_by_request on notifier.messages (namespace, request_id) where body is not null and request_id is not null;
