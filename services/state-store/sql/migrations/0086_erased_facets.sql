-- What is erased keeps the lexemes that lists find it by (namespace, pattern, priority, policy: none of them is content, and its escalation keeps them
-- too) and loses its words. Otherwise a list by one of them held it or not, by which index it was read from. What was erased before has none of both.
create or replace function store.erase_content(in_namespace text, in_ids text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp set umpire.erasing = 'on' as $$
  update store.events e set actor = null, actor_salt = null, data = null, data_salt = null
  from unnest(in_ids) as k (request_id)
  where e.namespace = in_namespace and e.request_id = k.request_id and e.type <> 'erased';
  update store.payloads p set body = null, salt = null,
    document = (select array_to_tsvector(array_agg(lexeme)) from unnest(tsvector_to_array(p.document)) as lexeme where lexeme ~ '^[@=!#]')
  from unnest(in_ids) as k (request_id)
  where p.namespace = in_namespace and p.request_id = k.request_id;
$$;
