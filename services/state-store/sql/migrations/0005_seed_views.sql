-- Which policy shaped it, for lists; the version stands in the state.
alter table store.escalations add column policy text;

-- The tables of the design that producers and tools were written against, as read-only views over what is really kept. The
-- namespace is that of the setting `umpire.namespace`, else `default`; times are UTC without an offset, as they were there.
create schema if not exists seed;

-- State and payload are JSON text in which any escape may stand, U+0000 and lone surrogates too, and Postgres refuses to read
-- those. So that one such row never breaks a view, escapes are put out of its sight before it takes the text apart: `\\` and `\u`
-- become a noncharacter and a digit, and afterwards what they were. An escape that stood in a text stays one.
create function seed.guarded(document bytea) returns json language sql immutable parallel safe as $$
  select replace(replace(replace(convert_from(document, 'UTF8'), U&'\FDD0', U&'\FDD00'), '\\', U&'\FDD01'), '\u', U&'\FDD02')::json
$$;

-- Back to JSON text.
create function seed.json_text(guarded json) returns text language sql immutable parallel safe as $$
  select replace(replace(replace(guarded::text, U&'\FDD02', '\u'), U&'\FDD01', '\\'), U&'\FDD00', U&'\FDD0')
$$;

-- Back to a string that Postgres has read out of its quotes.
create function seed.plain_text(guarded text) returns text language sql immutable parallel safe as $$
  select replace(replace(replace(guarded, U&'\FDD02', '\u'), U&'\FDD01', '\'), U&'\FDD00', U&'\FDD0')
$$;

create function seed.namespace() returns text language sql stable as $$
  select coalesce(nullif(current_setting('umpire.namespace', true), ''), 'default')
$$;

create view seed.pipeline_states as
select
  e.request_id as interaction_id,
  case e.kind when 'escalation' then 'hitl_escalation' else coalesce(e.pipeline_name, '') end as pipeline_name,
  case e.kind when 'escalation' then e.reason else coalesce(e.step_name, '') end as step_name,
  case
    -- Erased content reads as an empty object: the column was never null.
    when p.body is null then '{}'
    when e.kind = 'escalation' then convert_from(p.body, 'UTF8')
    else coalesce(seed.json_text(seed.guarded(p.body) -> 'data'), '{}')
  end as data,
  e.opened_at at time zone 'UTC' as created_at,
  coalesce(e.deadline, 'infinity') at time zone 'UTC' as expires_at,
  e.status,
  case e.status when 'completed' then e.settled_at at time zone 'UTC' end as completed_at,
  case e.status when 'completed' then
    -- A default that a timeout applied was resumed with its provenance beside it.
    case seed.guarded(e.state) #>> '{outcome,timeout_applied}'
      when 'true' then regexp_replace(seed.json_text(seed.guarded(e.state) #> '{outcome,response}'), '\}$', ',"timeout_applied":true}')
      else seed.json_text(seed.guarded(e.state) #> '{outcome,response}')
    end
  end as human_input
from store.escalations e
left join store.payloads p using (namespace, request_id)
where e.namespace = seed.namespace();

-- Who is asked. A role's holders are those with a live key of it: others may hold it too, and nobody can list them. The id is made
-- of the key, so that it stays the same without costing every new row a sequence.
create view seed.pipeline_assignments as
select
  hashtextextended(concat_ws(E'\x01', a.namespace, a.request_id, a.user_id, a.role), 0) & 9223372036854775807 as id,
  a.request_id as interaction_id,
  a.user_id,
  a.role,
  a.opened_at at time zone 'UTC' as assigned_at
from (
  select n.namespace, n.request_id, substr(n.principal, 3) as user_id, 'reviewer' as role, n.opened_at, n.open
  from store.assignments n
  where n.namespace = seed.namespace() and n.principal like 'u:%'
  union all
  select distinct r.namespace, r.request_id, k.user_id, substr(r.principal, 3), r.opened_at, r.open
  from store.assignments r
  join identity.keys k on k.namespace = r.namespace and substr(r.principal, 3) = any (k.roles) and k.user_id is not null
    and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
  where r.namespace = seed.namespace() and r.principal like 'r:%'
    and not exists (select 1 from store.assignments n where n.namespace = r.namespace and n.request_id = r.request_id and n.principal = 'u:' || k.user_id)
) as a
join store.escalations e using (namespace, request_id)
where (a.open or e.status <> 'pending') and not (a.user_id = any (e.excluded));

-- Who has to approve together, and what each has said. A vote that was set aside (the data was revised since, the seat given away)
-- is no vote.
create view seed.multi_approvals as
select
  e.request_id as approval_id,
  seed.plain_text(approver.seat) as approver_id,
  case
    when v.vote is null then 'pending'
    when v.vote ->> 'verdict' <> 'abstain' and exists (
      select 1 from json_array_elements_text(e.state #> '{rules,approving}') as approving (verdict) where approving.verdict = v.vote ->> 'verdict'
    ) then 'approve'
    else 'reject'
  end as decision,
  seed.plain_text(coalesce(v.vote #>> '{response,comments}', v.vote #>> '{response,feedback}')) as comments,
  to_timestamp((v.vote ->> 'at')::float8 / 1000) at time zone 'UTC' as decided_at
from (
  select request_id, pattern, seed.guarded(state) as state from store.escalations where namespace = seed.namespace()
) as e
cross join lateral (
  select seat from json_array_elements_text(e.state #> '{electorate,users}') as seat
  union
  select vote ->> 'seat' from json_array_elements(e.state -> 'votes') as vote where vote ->> 'set_aside' is null
) as approver (seat)
left join lateral (
  select vote from json_array_elements(e.state -> 'votes') as vote
  where vote ->> 'seat' = approver.seat and vote ->> 'set_aside' is null limit 1
) as v on true
where e.pattern in ('approval', 'collaborative') or e.state #>> '{rules,quorum}' <> 'any';
