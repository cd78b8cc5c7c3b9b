-- What of a task is still pending: asked at the opening of an escalation whose policy says what becomes of the task's earlier ones. Small,
-- since it holds what is pending only; the index of all of a task's escalations would lead through everything that was ever decided.
create index escalations_pending_task on store.escalations (namespace, hashtextextended(task_id, 0)) where status = 'pending' and task_id is not null;
