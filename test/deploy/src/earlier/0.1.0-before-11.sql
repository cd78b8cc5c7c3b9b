-- The database of an earlier state (state store at 0009, notifier at 0002, intake at 0002, scheduler at 0001), with rows: pg_dump --inserts --no-owner --no-privileges.
--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: identity; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA identity;


--
-- Name: intake; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA intake;


--
-- Name: notifier; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA notifier;


--
-- Name: scheduler; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA scheduler;


--
-- Name: seed; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA seed;


--
-- Name: store; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA store;


--
-- Name: delegators(text, text, timestamp with time zone); Type: FUNCTION; Schema: identity; Owner: -
--

CREATE FUNCTION identity.delegators(in_namespace text, in_user text, in_moment timestamp with time zone) RETURNS TABLE(user_id text, roles text[])
    LANGUAGE sql STABLE
    AS $$
  select d.from_user, array(
    select r.role from identity.keys k cross join lateral unnest(k.roles) as r (role)
    where k.namespace = in_namespace and k.user_id = d.from_user and k.revoked_at is null and 'reviewer' = any (k.roles)
      and (k.expires_at is null or k.expires_at > in_moment)
    union
    select r.role from identity.delegations o cross join lateral unnest(o.token_roles) as r (role)
    where o.namespace = in_namespace and o.to_user = in_user and o.from_user = d.from_user and o.revoked_at is null
      and o.starts_at <= in_moment and o.ends_at > in_moment
    order by 1)
  from identity.delegations d
  where d.namespace = in_namespace and d.to_user = in_user and d.revoked_at is null and d.starts_at <= in_moment and d.ends_at > in_moment
  group by d.from_user
  order by min(d.created_at), d.from_user
$$;


--
-- Name: refuse_change(); Type: FUNCTION; Schema: intake; Owner: -
--

CREATE FUNCTION intake.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  raise exception 'versions of policies are never changed' using errcode = 'restrict_violation';
end $$;


--
-- Name: guarded(bytea); Type: FUNCTION; Schema: seed; Owner: -
--

CREATE FUNCTION seed.guarded(document bytea) RETURNS json
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  select replace(replace(replace(convert_from(document, 'UTF8'), U&'\FDD0', U&'\FDD00'), '\\', U&'\FDD01'), '\u', U&'\FDD02')::json
$$;


--
-- Name: json_text(json); Type: FUNCTION; Schema: seed; Owner: -
--

CREATE FUNCTION seed.json_text(guarded json) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  select replace(replace(replace(guarded::text, U&'\FDD02', '\u'), U&'\FDD01', '\\'), U&'\FDD00', U&'\FDD0')
$$;


--
-- Name: namespace(); Type: FUNCTION; Schema: seed; Owner: -
--

CREATE FUNCTION seed.namespace() RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select coalesce(nullif(current_setting('umpire.namespace', true), ''), 'default')
$$;


--
-- Name: plain_text(text); Type: FUNCTION; Schema: seed; Owner: -
--

CREATE FUNCTION seed.plain_text(guarded text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  select replace(replace(replace(guarded, U&'\FDD02', '\u'), U&'\FDD01', '\'), U&'\FDD00', U&'\FDD0')
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: delegations; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.delegations (
    id uuid NOT NULL,
    namespace text NOT NULL,
    from_user text NOT NULL,
    to_user text NOT NULL,
    token_roles text[] DEFAULT '{}'::text[] NOT NULL,
    starts_at timestamp(3) with time zone NOT NULL,
    ends_at timestamp(3) with time zone NOT NULL,
    note text,
    created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text NOT NULL,
    revoked_at timestamp(3) with time zone,
    revoked_by text,
    CONSTRAINT delegations_check CHECK (((revoked_by IS NULL) = (revoked_at IS NULL))),
    CONSTRAINT delegations_check1 CHECK ((from_user <> to_user)),
    CONSTRAINT delegations_check2 CHECK (((ends_at > starts_at) AND (ends_at <= (starts_at + '90 days'::interval)))),
    CONSTRAINT delegations_from_user_check CHECK (((length(from_user) >= 1) AND (length(from_user) <= 256))),
    CONSTRAINT delegations_namespace_check CHECK ((namespace ~ '^[a-z0-9-]{1,40}$'::text)),
    CONSTRAINT delegations_note_check CHECK ((length(note) <= 2000)),
    CONSTRAINT delegations_to_user_check CHECK (((length(to_user) >= 1) AND (length(to_user) <= 256)))
);


--
-- Name: group_members; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.group_members (
    namespace text NOT NULL,
    group_name text NOT NULL,
    user_id text NOT NULL,
    CONSTRAINT group_members_group_name_check CHECK (((length(group_name) >= 1) AND (length(group_name) <= 256))),
    CONSTRAINT group_members_namespace_check CHECK ((namespace ~ '^[a-z0-9-]{1,40}$'::text)),
    CONSTRAINT group_members_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 256)))
);


--
-- Name: groups; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.groups (
    namespace text NOT NULL,
    name text NOT NULL,
    description text,
    created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT groups_description_check CHECK ((length(description) <= 2000)),
    CONSTRAINT groups_name_check CHECK (((length(name) >= 1) AND (length(name) <= 256))),
    CONSTRAINT groups_namespace_check CHECK ((namespace ~ '^[a-z0-9-]{1,40}$'::text))
);


--
-- Name: keys; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.keys (
    id uuid NOT NULL,
    namespace text NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    roles text[] NOT NULL,
    user_id text,
    created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp(3) with time zone,
    revoked_at timestamp(3) with time zone,
    created_by text,
    revoked_by text,
    CONSTRAINT keys_check CHECK (((NOT ('reviewer'::text = ANY (roles))) OR (user_id IS NOT NULL))),
    CONSTRAINT keys_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT keys_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT keys_namespace_check CHECK ((namespace ~ '^[a-z0-9-]{1,40}$'::text)),
    CONSTRAINT keys_revoked_by CHECK (((revoked_by IS NULL) OR (revoked_at IS NOT NULL))),
    CONSTRAINT keys_roles_check CHECK (((cardinality(roles) >= 1) AND (cardinality(roles) <= 20))),
    CONSTRAINT keys_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 256)))
);


--
-- Name: sessions; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.sessions (
    digest bytea NOT NULL,
    namespace text NOT NULL,
    key_id uuid,
    token_id text,
    user_id text,
    roles text[],
    created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp(3) with time zone NOT NULL,
    CONSTRAINT sessions_check CHECK (((key_id IS NULL) = ((token_id IS NOT NULL) AND (roles IS NOT NULL)))),
    CONSTRAINT sessions_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT sessions_namespace_check CHECK ((namespace ~ '^[a-z0-9-]{1,40}$'::text))
);


--
-- Name: policies; Type: TABLE; Schema: intake; Owner: -
--

CREATE TABLE intake.policies (
    namespace text NOT NULL,
    id text NOT NULL,
    active_version integer,
    enabled boolean NOT NULL,
    changed_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT policies_id_check CHECK ((id ~ '^[a-z0-9][a-z0-9._-]{0,63}$'::text)),
    CONSTRAINT policies_namespace_check CHECK ((namespace ~ '^[a-z0-9-]{1,40}$'::text))
);


--
-- Name: policy_revision; Type: TABLE; Schema: intake; Owner: -
--

CREATE TABLE intake.policy_revision (
    only_row boolean DEFAULT true NOT NULL,
    revision bigint NOT NULL,
    CONSTRAINT policy_revision_only_row_check CHECK (only_row)
);


--
-- Name: policy_versions; Type: TABLE; Schema: intake; Owner: -
--

CREATE TABLE intake.policy_versions (
    namespace text NOT NULL,
    id text NOT NULL,
    version integer NOT NULL,
    document text NOT NULL,
    created_by text NOT NULL,
    created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT policy_versions_document_check CHECK ((octet_length(document) <= 262144)),
    CONSTRAINT policy_versions_version_check CHECK ((version >= 1))
);


--
-- Name: attempts; Type: TABLE; Schema: notifier; Owner: -
--

CREATE TABLE notifier.attempts (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    latency_ms integer NOT NULL,
    status smallint,
    error text,
    detail text,
    response bytea
);


--
-- Name: callback_settings; Type: TABLE; Schema: notifier; Owner: -
--

CREATE TABLE notifier.callback_settings (
    namespace text NOT NULL,
    allowed_hosts text[] DEFAULT '{}'::text[] NOT NULL,
    secret bytea NOT NULL,
    previous_secrets jsonb DEFAULT '[]'::jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: channels; Type: TABLE; Schema: notifier; Owner: -
--

CREATE TABLE notifier.channels (
    id uuid NOT NULL,
    namespace text NOT NULL,
    owner_kind text NOT NULL,
    owner text NOT NULL,
    kind text NOT NULL,
    address text,
    sealed_address bytea,
    detail text DEFAULT 'none'::text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT channels_check CHECK (((kind = 'email'::text) = (address IS NOT NULL))),
    CONSTRAINT channels_check1 CHECK (((kind = 'slack'::text) = (sealed_address IS NOT NULL))),
    CONSTRAINT channels_detail_check CHECK ((detail = ANY (ARRAY['none'::text, 'summary'::text]))),
    CONSTRAINT channels_kind_check CHECK ((kind = ANY (ARRAY['email'::text, 'slack'::text]))),
    CONSTRAINT channels_owner_kind_check CHECK ((owner_kind = ANY (ARRAY['user'::text, 'group'::text, 'role'::text])))
);


--
-- Name: deliveries; Type: TABLE; Schema: notifier; Owner: -
--

CREATE TABLE notifier.deliveries (
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    url text,
    state text DEFAULT 'pending'::text NOT NULL,
    failure text,
    attempts integer DEFAULT 0 NOT NULL,
    round_start integer DEFAULT 0 NOT NULL,
    fence integer DEFAULT 0 NOT NULL,
    holder text,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    done_at timestamp with time zone,
    CONSTRAINT deliveries_check CHECK (((state = 'pending'::text) = (done_at IS NULL))),
    CONSTRAINT deliveries_check1 CHECK (((state = 'failed'::text) = (failure IS NOT NULL))),
    CONSTRAINT deliveries_failure_check CHECK ((failure = ANY (ARRAY['exhausted'::text, 'gone'::text, 'endpoint_disabled'::text, 'endpoint_deleted'::text]))),
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
)
WITH (fillfactor='85', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_insert_scale_factor='0.05');


--
-- Name: endpoints; Type: TABLE; Schema: notifier; Owner: -
--

CREATE TABLE notifier.endpoints (
    id uuid NOT NULL,
    namespace text NOT NULL,
    kind text DEFAULT 'endpoint'::text NOT NULL,
    url text NOT NULL,
    description text,
    events text[] DEFAULT '{}'::text[] NOT NULL,
    reasons text[] DEFAULT '{}'::text[] NOT NULL,
    payload text DEFAULT 'full'::text NOT NULL,
    headers bytea,
    header_names text[] DEFAULT '{}'::text[] NOT NULL,
    max_concurrency integer,
    rate_per_second double precision,
    retry_seconds double precision[],
    secret bytea,
    previous_secrets jsonb DEFAULT '[]'::jsonb NOT NULL,
    state text DEFAULT 'enabled'::text NOT NULL,
    disabled_reason text,
    disabled_at timestamp with time zone,
    failing_since timestamp with time zone,
    failed_attempts integer DEFAULT 0 NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT endpoints_check CHECK (((kind = 'callback'::text) = (secret IS NULL))),
    CONSTRAINT endpoints_check1 CHECK (((state = 'disabled'::text) = (disabled_reason IS NOT NULL))),
    CONSTRAINT endpoints_disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY['manual'::text, 'gone'::text, 'failing'::text]))),
    CONSTRAINT endpoints_kind_check CHECK ((kind = ANY (ARRAY['endpoint'::text, 'callback'::text]))),
    CONSTRAINT endpoints_max_concurrency_check CHECK (((max_concurrency >= 1) AND (max_concurrency <= 1000))),
    CONSTRAINT endpoints_payload_check CHECK ((payload = ANY (ARRAY['full'::text, 'thin'::text]))),
    CONSTRAINT endpoints_rate_per_second_check CHECK ((rate_per_second > (0)::double precision)),
    CONSTRAINT endpoints_state_check CHECK ((state = ANY (ARRAY['enabled'::text, 'disabled'::text, 'deleted'::text])))
);


--
-- Name: messages; Type: TABLE; Schema: notifier; Owner: -
--

CREATE TABLE notifier.messages (
    event_id uuid NOT NULL,
    namespace text NOT NULL,
    event text NOT NULL,
    request_id text,
    reason text,
    seq integer,
    occurred_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    body bytea
)
WITH (toast_tuple_target='8160', autovacuum_vacuum_scale_factor='0.05');
ALTER TABLE ONLY notifier.messages ALTER COLUMN body SET STORAGE EXTERNAL;


--
-- Name: notices; Type: TABLE; Schema: notifier; Owner: -
--

CREATE TABLE notifier.notices (
    id uuid NOT NULL,
    channel_id uuid NOT NULL,
    event_id uuid NOT NULL,
    namespace text NOT NULL,
    request_id text NOT NULL,
    what text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    detail text,
    attempts integer DEFAULT 0 NOT NULL,
    fence integer DEFAULT 0 NOT NULL,
    holder text,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    done_at timestamp with time zone,
    CONSTRAINT notices_check CHECK (((state = 'pending'::text) = (done_at IS NULL))),
    CONSTRAINT notices_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'skipped'::text, 'failed'::text]))),
    CONSTRAINT notices_what_check CHECK ((what = ANY (ARRAY['asked'::text, 'reminded'::text, 'added'::text, 'round'::text, 'test'::text])))
)
WITH (fillfactor='85');


--
-- Name: paces; Type: TABLE; Schema: notifier; Owner: -
--

CREATE TABLE notifier.paces (
    endpoint_id uuid NOT NULL,
    next_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL
);


--
-- Name: umpire_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.umpire_migrations (
    component text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: marks; Type: TABLE; Schema: scheduler; Owner: -
--

CREATE TABLE scheduler.marks (
    namespace text NOT NULL COLLATE pg_catalog."C",
    request_id text NOT NULL COLLATE pg_catalog."C",
    seq integer NOT NULL,
    quiet_since timestamp with time zone,
    CONSTRAINT marks_namespace_check CHECK ((namespace ~ '^[a-z0-9-]{1,40}$'::text)),
    CONSTRAINT marks_request_id_check CHECK (((octet_length(request_id) >= 1) AND (octet_length(request_id) <= 512))),
    CONSTRAINT marks_seq_check CHECK ((seq >= 1))
)
WITH (fillfactor='85', autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_cost_delay='0');


--
-- Name: sweeps; Type: TABLE; Schema: scheduler; Owner: -
--

CREATE TABLE scheduler.sweeps (
    name text NOT NULL,
    cursor text,
    leased_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL
);


--
-- Name: timers; Type: TABLE; Schema: scheduler; Owner: -
--

CREATE TABLE scheduler.timers (
    namespace text NOT NULL COLLATE pg_catalog."C",
    request_id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    ordinal integer NOT NULL,
    generation integer NOT NULL,
    due_at timestamp with time zone NOT NULL,
    wake_at timestamp with time zone NOT NULL,
    leased_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    lease uuid,
    attempts integer DEFAULT 0 NOT NULL,
    CONSTRAINT timers_generation_check CHECK ((generation >= 1)),
    CONSTRAINT timers_kind_check CHECK ((kind = ANY (ARRAY['deadline'::text, 'reminder'::text, 'level'::text, 'claim'::text, 'snooze'::text, 'delegation'::text]))),
    CONSTRAINT timers_namespace_check CHECK ((namespace ~ '^[a-z0-9-]{1,40}$'::text)),
    CONSTRAINT timers_ordinal_check CHECK ((ordinal >= 0)),
    CONSTRAINT timers_request_id_check CHECK (((octet_length(request_id) >= 1) AND (octet_length(request_id) <= 512)))
)
WITH (fillfactor='85', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0', autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='200000', autovacuum_analyze_scale_factor='0.1');


--
-- Name: escalations; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.escalations (
    namespace text NOT NULL,
    request_id text NOT NULL,
    reason text NOT NULL,
    kind text NOT NULL,
    pattern text NOT NULL,
    status text NOT NULL,
    seq integer NOT NULL,
    revision integer NOT NULL,
    level smallint NOT NULL,
    priority smallint NOT NULL,
    overdue boolean NOT NULL,
    claimed_by text,
    excluded text[] NOT NULL,
    opened_at timestamp(3) with time zone NOT NULL,
    deadline timestamp(3) with time zone,
    settled_at timestamp(3) with time zone,
    task_id text,
    summary text,
    prompt text,
    pipeline_name text,
    step_name text,
    submission text NOT NULL,
    content_digest bytea,
    head bytea NOT NULL,
    changed_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    state bytea NOT NULL,
    policy text,
    CONSTRAINT escalations_check CHECK (((settled_at IS NULL) = (status = 'pending'::text))),
    CONSTRAINT escalations_content_digest_check CHECK ((octet_length(content_digest) = 32)),
    CONSTRAINT escalations_head_check CHECK ((octet_length(head) = 32)),
    CONSTRAINT escalations_kind_check CHECK ((kind = ANY (ARRAY['escalation'::text, 'interaction'::text]))),
    CONSTRAINT escalations_namespace_check CHECK ((namespace ~ '^[a-z0-9-]{1,40}$'::text)),
    CONSTRAINT escalations_pattern_check CHECK ((pattern = ANY (ARRAY['input'::text, 'review'::text, 'collaborative'::text, 'manual'::text, 'refinement'::text, 'timed_decision'::text, 'approval'::text]))),
    CONSTRAINT escalations_priority_check CHECK (((priority >= 0) AND (priority <= 3))),
    CONSTRAINT escalations_reason_check CHECK ((reason = ANY (ARRAY['hard_disagreement'::text, 'low_confidence'::text, 'inconsistent_evidence'::text, 'custom_rule'::text]))),
    CONSTRAINT escalations_request_id_check CHECK (((octet_length(request_id) >= 1) AND (octet_length(request_id) <= 512))),
    CONSTRAINT escalations_revision_check CHECK ((revision >= 1)),
    CONSTRAINT escalations_seq_check CHECK ((seq >= 1)),
    CONSTRAINT escalations_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'completed'::text, 'expired'::text, 'cancelled'::text])))
)
WITH (fillfactor='85');


--
-- Name: multi_approvals; Type: VIEW; Schema: seed; Owner: -
--

CREATE VIEW seed.multi_approvals AS
 SELECT e.request_id AS approval_id,
    seed.plain_text(approver.seat) AS approver_id,
        CASE
            WHEN (v.vote IS NULL) THEN 'pending'::text
            WHEN (((v.vote ->> 'verdict'::text) <> 'abstain'::text) AND (EXISTS ( SELECT 1
               FROM json_array_elements_text((e.state #> '{rules,approving}'::text[])) approving(verdict)
              WHERE (approving.verdict = (v.vote ->> 'verdict'::text))))) THEN 'approve'::text
            ELSE 'reject'::text
        END AS decision,
    seed.plain_text(COALESCE((v.vote #>> '{response,comments}'::text[]), (v.vote #>> '{response,feedback}'::text[]))) AS comments,
    (to_timestamp((((v.vote ->> 'at'::text))::double precision / (1000)::double precision)) AT TIME ZONE 'UTC'::text) AS decided_at
   FROM ((( SELECT escalations.request_id,
            escalations.pattern,
            seed.guarded(escalations.state) AS state
           FROM store.escalations
          WHERE (escalations.namespace = seed.namespace())) e
     CROSS JOIN LATERAL ( SELECT seat.value AS seat
           FROM json_array_elements_text((e.state #> '{electorate,users}'::text[])) seat(value)
        UNION
         SELECT (vote.value ->> 'seat'::text)
           FROM json_array_elements((e.state -> 'votes'::text)) vote(value)
          WHERE ((vote.value ->> 'set_aside'::text) IS NULL)) approver(seat))
     LEFT JOIN LATERAL ( SELECT vote.value AS vote
           FROM json_array_elements((e.state -> 'votes'::text)) vote(value)
          WHERE (((vote.value ->> 'seat'::text) = approver.seat) AND ((vote.value ->> 'set_aside'::text) IS NULL))
         LIMIT 1) v ON (true))
  WHERE ((e.pattern = ANY (ARRAY['approval'::text, 'collaborative'::text])) OR ((e.state #>> '{rules,quorum}'::text[]) <> 'any'::text));


--
-- Name: assignments; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.assignments (
    namespace text NOT NULL,
    request_id text NOT NULL,
    principal text NOT NULL,
    opened_at timestamp(3) with time zone NOT NULL,
    open boolean NOT NULL,
    gone boolean DEFAULT false NOT NULL,
    CONSTRAINT assignments_check CHECK ((NOT (gone AND open))),
    CONSTRAINT assignments_principal_check CHECK ((principal ~ '^[ur]:'::text))
)
WITH (fillfactor='85');


--
-- Name: pipeline_assignments; Type: VIEW; Schema: seed; Owner: -
--

CREATE VIEW seed.pipeline_assignments AS
 SELECT (hashtextextended(concat_ws(''::text, a.namespace, a.request_id, a.user_id, a.role), (0)::bigint) & '9223372036854775807'::bigint) AS id,
    a.request_id AS interaction_id,
    a.user_id,
    a.role,
    (a.opened_at AT TIME ZONE 'UTC'::text) AS assigned_at
   FROM (( SELECT n.namespace,
            n.request_id,
            substr(n.principal, 3) AS user_id,
            'reviewer'::text AS role,
            n.opened_at,
            n.open
           FROM store.assignments n
          WHERE ((n.namespace = seed.namespace()) AND (n.principal ~~ 'u:%'::text))
        UNION ALL
         SELECT DISTINCT r.namespace,
            r.request_id,
            k.user_id,
            substr(r.principal, 3) AS substr,
            r.opened_at,
            r.open
           FROM (store.assignments r
             JOIN identity.keys k ON (((k.namespace = r.namespace) AND (substr(r.principal, 3) = ANY (k.roles)) AND (k.user_id IS NOT NULL) AND (k.revoked_at IS NULL) AND ((k.expires_at IS NULL) OR (k.expires_at > clock_timestamp())))))
          WHERE ((r.namespace = seed.namespace()) AND (r.principal ~~ 'r:%'::text) AND (NOT (EXISTS ( SELECT 1
                   FROM store.assignments n
                  WHERE ((n.namespace = r.namespace) AND (n.request_id = r.request_id) AND (n.principal = ('u:'::text || k.user_id)))))))) a
     JOIN store.escalations e USING (namespace, request_id))
  WHERE ((a.open OR (e.status <> 'pending'::text)) AND (NOT (a.user_id = ANY (e.excluded))));


--
-- Name: payloads; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.payloads (
    namespace text NOT NULL,
    request_id text NOT NULL,
    body bytea,
    salt bytea,
    digest bytea NOT NULL,
    document tsvector,
    CONSTRAINT payloads_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT payloads_salt_check CHECK ((octet_length(salt) = 16))
);


--
-- Name: pipeline_states; Type: VIEW; Schema: seed; Owner: -
--

CREATE VIEW seed.pipeline_states AS
 SELECT e.request_id AS interaction_id,
        CASE e.kind
            WHEN 'escalation'::text THEN 'hitl_escalation'::text
            ELSE COALESCE(e.pipeline_name, ''::text)
        END AS pipeline_name,
        CASE e.kind
            WHEN 'escalation'::text THEN e.reason
            ELSE COALESCE(e.step_name, ''::text)
        END AS step_name,
        CASE
            WHEN (p.body IS NULL) THEN '{}'::text
            WHEN (e.kind = 'escalation'::text) THEN convert_from(p.body, 'UTF8'::name)
            ELSE COALESCE(seed.json_text((seed.guarded(p.body) -> 'data'::text)), '{}'::text)
        END AS data,
    (e.opened_at AT TIME ZONE 'UTC'::text) AS created_at,
    (COALESCE(e.deadline, 'infinity'::timestamp with time zone) AT TIME ZONE 'UTC'::text) AS expires_at,
    e.status,
        CASE e.status
            WHEN 'completed'::text THEN (e.settled_at AT TIME ZONE 'UTC'::text)
            ELSE NULL::timestamp without time zone
        END AS completed_at,
        CASE e.status
            WHEN 'completed'::text THEN
            CASE (seed.guarded(e.state) #>> '{outcome,timeout_applied}'::text[])
                WHEN 'true'::text THEN regexp_replace(seed.json_text((seed.guarded(e.state) #> '{outcome,response}'::text[])), '\}$'::text, ',"timeout_applied":true}'::text)
                ELSE seed.json_text((seed.guarded(e.state) #> '{outcome,response}'::text[]))
            END
            ELSE NULL::text
        END AS human_input
   FROM (store.escalations e
     LEFT JOIN store.payloads p USING (namespace, request_id))
  WHERE (e.namespace = seed.namespace());


--
-- Name: events; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.events (
    namespace text NOT NULL,
    request_id text NOT NULL,
    seq integer NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    occurred_at timestamp(3) with time zone NOT NULL,
    actor bytea,
    actor_salt bytea,
    actor_digest bytea NOT NULL,
    data bytea,
    data_salt bytea,
    data_digest bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT events_actor_digest_check CHECK ((octet_length(actor_digest) = 32)),
    CONSTRAINT events_data_digest_check CHECK ((octet_length(data_digest) = 32)),
    CONSTRAINT events_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT events_seq_check CHECK ((seq >= 1)),
    CONSTRAINT events_type_check CHECK ((type = ANY (ARRAY['opened'::text, 'claimed'::text, 'released'::text, 'responded'::text, 'commented'::text, 'reassigned'::text, 'delegated'::text, 'raised'::text, 'reminded'::text, 'snoozed'::text, 'overdue'::text, 'iterated'::text, 'revised'::text, 'resolved'::text, 'expired'::text, 'cancelled'::text, 'consumed'::text])))
);


--
-- Name: outbox; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.outbox (
    namespace text NOT NULL,
    request_id text NOT NULL,
    seq integer NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    leased_until timestamp with time zone
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_cost_delay='0');


--
-- Name: stats_counted; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.stats_counted (
    namespace text NOT NULL,
    request_id text NOT NULL
);


--
-- Name: stats_cursor; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.stats_cursor (
    single boolean DEFAULT true NOT NULL,
    changed_xid xid8 NOT NULL,
    namespace text NOT NULL,
    request_id text NOT NULL,
    CONSTRAINT stats_cursor_single_check CHECK (single)
);


--
-- Name: stats_hours; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.stats_hours (
    namespace text NOT NULL,
    hour timestamp with time zone NOT NULL,
    reason text NOT NULL,
    source text NOT NULL,
    ended integer NOT NULL,
    seconds double precision NOT NULL,
    histogram integer[] NOT NULL,
    raised integer NOT NULL,
    agreed integer NOT NULL,
    disagreed integer NOT NULL,
    CONSTRAINT stats_hours_source_check CHECK ((source = ANY (ARRAY['human'::text, 'timeout'::text, 'cancel'::text])))
)
WITH (fillfactor='70');


--
-- Name: stats_people; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.stats_people (
    namespace text NOT NULL,
    hour timestamp with time zone NOT NULL,
    user_id text NOT NULL,
    votes integer NOT NULL,
    seconds double precision NOT NULL
)
WITH (fillfactor='70');


--
-- Name: stream_marks; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.stream_marks (
    stream text NOT NULL,
    created text NOT NULL,
    republish_next timestamp(3) with time zone,
    republish_until timestamp(3) with time zone,
    CONSTRAINT stream_marks_check CHECK (((republish_next IS NULL) = (republish_until IS NULL)))
);


--
-- Name: tombstones; Type: TABLE; Schema: store; Owner: -
--

CREATE TABLE store.tombstones (
    namespace text NOT NULL,
    request_id text NOT NULL,
    detail text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Data for Name: delegations; Type: TABLE DATA; Schema: identity; Owner: -
--



--
-- Data for Name: group_members; Type: TABLE DATA; Schema: identity; Owner: -
--

INSERT INTO identity.group_members VALUES ('default', 'finance', 'alice');


--
-- Data for Name: groups; Type: TABLE DATA; Schema: identity; Owner: -
--

INSERT INTO identity.groups VALUES ('default', 'finance', NULL, '2026-11-22 03:42:06.404+00');


--
-- Data for Name: keys; Type: TABLE DATA; Schema: identity; Owner: -
--

INSERT INTO identity.keys VALUES ('3a09a354-66c7-4fbd-80bc-48fb24c2e39a', 'default', 'alice', '\xabababababababababababababababababababababababababababababababab', '{reviewer}', 'alice', '2026-11-22 03:42:06.39+00', NULL, NULL, NULL, NULL);


--
-- Data for Name: sessions; Type: TABLE DATA; Schema: identity; Owner: -
--



--
-- Data for Name: policies; Type: TABLE DATA; Schema: intake; Owner: -
--

INSERT INTO intake.policies VALUES ('default', 'loans', 1, true, '2026-11-22 03:42:06.414+00');


--
-- Data for Name: policy_revision; Type: TABLE DATA; Schema: intake; Owner: -
--

INSERT INTO intake.policy_revision VALUES (true, 1);


--
-- Data for Name: policy_versions; Type: TABLE DATA; Schema: intake; Owner: -
--

INSERT INTO intake.policy_versions VALUES ('default', 'loans', 1, '{"id":"loans"}', 'admin', '2026-11-22 03:42:06.422+00');


--
-- Data for Name: attempts; Type: TABLE DATA; Schema: notifier; Owner: -
--



--
-- Data for Name: callback_settings; Type: TABLE DATA; Schema: notifier; Owner: -
--



--
-- Data for Name: channels; Type: TABLE DATA; Schema: notifier; Owner: -
--



--
-- Data for Name: deliveries; Type: TABLE DATA; Schema: notifier; Owner: -
--



--
-- Data for Name: endpoints; Type: TABLE DATA; Schema: notifier; Owner: -
--

INSERT INTO notifier.endpoints VALUES ('1276795b-4432-40ab-a5b1-99fffa23a50b', 'default', 'endpoint', 'https://receiver.example/hook', NULL, '{}', '{}', 'full', NULL, '{}', NULL, NULL, NULL, '\x00', '[]', 'enabled', NULL, NULL, NULL, 0, 1, '2026-11-22 03:42:06.434106+00', '2026-11-22 03:42:06.434106+00');


--
-- Data for Name: messages; Type: TABLE DATA; Schema: notifier; Owner: -
--



--
-- Data for Name: notices; Type: TABLE DATA; Schema: notifier; Owner: -
--



--
-- Data for Name: paces; Type: TABLE DATA; Schema: notifier; Owner: -
--



--
-- Data for Name: umpire_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.umpire_migrations VALUES ('intake', 1, 'intake', 'f09a32ee5f022729e2976f4cbf36a61d4db8da5bc99ee3293834c5142f7d1715', '2026-11-22 03:42:05.532621+00');
INSERT INTO public.umpire_migrations VALUES ('intake', 2, 'policies', '04afdaf747ec942bc38a02dbab3137cd30b1095b984994e0a92fea64760060cf', '2026-11-22 03:42:05.57804+00');
INSERT INTO public.umpire_migrations VALUES ('state-store', 1, 'store', 'ff379fee05ce21b4f2c1c82c134dece8a9f866250b6d7be4100558103ccbf274', '2026-11-22 03:42:05.697311+00');
INSERT INTO public.umpire_migrations VALUES ('state-store', 2, 'identity', '261f75ef82a2994dd865f30bd6bc7b63c6a06d72513069bd6c1c1b499ea58c90', '2026-11-22 03:42:05.752191+00');
INSERT INTO public.umpire_migrations VALUES ('state-store', 3, 'lists', '228aed75fffa910a7efec1c80be7864454e580cdd6af3263f3d2761fc8fb385c', '2026-11-22 03:42:05.793214+00');
INSERT INTO public.umpire_migrations VALUES ('state-store', 4, 'identity_more', '9b15933b273941b9f6c50594f33b7a24f8aac5b82265c31d5de5ef9c6b3ea267', '2026-11-22 03:42:05.886462+00');
INSERT INTO public.umpire_migrations VALUES ('state-store', 5, 'seed_views', 'bf4be574d0ce6f7ab771fe806adee8c4a96f1d863558e1e04d14594eb5b7cee7', '2026-11-22 03:42:05.920844+00');
INSERT INTO public.umpire_migrations VALUES ('state-store', 6, 'gone_readers', '0fb4c8c80372f7f79d299dfca58a44fac7afee4b31949a3699b0bc36ca021de9', '2026-11-22 03:42:05.932174+00');
INSERT INTO public.umpire_migrations VALUES ('state-store', 7, 'stream_marks', 'bb4478d7ec33f82f8e070b1b09e8910dacc4402e414cc5c2bda6a618dd5cebfa', '2026-11-22 03:42:05.950892+00');
INSERT INTO public.umpire_migrations VALUES ('state-store', 8, 'same_task', '086ee24b367e87582b5634cde85ba6959fb65612adcdb69a58f74c5c261ff57c', '2026-11-22 03:42:05.963415+00');
INSERT INTO public.umpire_migrations VALUES ('state-store', 9, 'stats', '1b97f0143e67032da4967d297599219290361627ee0fe94bb18f0c382998392d', '2026-11-22 03:42:06.014131+00');
INSERT INTO public.umpire_migrations VALUES ('notifier', 1, 'webhooks', 'ba7b1a02b3283703abc76137257818dd10c061fa4d3af60a8204ad90c4c7e21b', '2026-11-22 03:42:06.154105+00');
INSERT INTO public.umpire_migrations VALUES ('notifier', 2, 'people', '0910a59c88f481fc6e5a0e1c898a03a8be90e9fe0758fa30ac62ffc3c8d398fb', '2026-11-22 03:42:06.20925+00');
INSERT INTO public.umpire_migrations VALUES ('timeout-scheduler', 1, 'scheduler', '8879640b09eabb3edd67efb41f45d72355a839597a9a26f22eeaab8d2bc1922f', '2026-11-22 03:42:06.293976+00');


--
-- Data for Name: marks; Type: TABLE DATA; Schema: scheduler; Owner: -
--

INSERT INTO scheduler.marks VALUES ('default', 'row-2', 1, NULL);
INSERT INTO scheduler.marks VALUES ('default', 'row-7', 1, NULL);


--
-- Data for Name: sweeps; Type: TABLE DATA; Schema: scheduler; Owner: -
--

INSERT INTO scheduler.sweeps VALUES ('reconciliation', NULL, '-infinity');


--
-- Data for Name: timers; Type: TABLE DATA; Schema: scheduler; Owner: -
--

INSERT INTO scheduler.timers VALUES ('default', 'row-2', 'deadline', 0, 1, '2026-11-23 04:22:26.307+00', '2026-11-23 04:22:26.307+00', '-infinity', NULL, 0);
INSERT INTO scheduler.timers VALUES ('default', 'row-7', 'deadline', 0, 1, '2026-11-22 22:56:42.308+00', '2026-11-22 22:56:42.308+00', '-infinity', NULL, 0);


--
-- Data for Name: assignments; Type: TABLE DATA; Schema: store; Owner: -
--

INSERT INTO store.assignments VALUES ('default', 'row-1', 'r:reviewer', '2026-11-22 03:41:55.307+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-9', 'r:reviewer', '2026-11-22 03:42:03.308+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-8', 'r:reviewer', '2026-11-22 03:42:02.308+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-11', 'r:reviewer', '2026-11-22 03:42:05.308+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-6', 'r:reviewer', '2026-11-22 03:42:00.308+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-6', 'u:busy', '2026-11-22 03:42:00.308+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-3', 'r:reviewer', '2026-11-22 03:41:57.307+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-3', 'u:busy', '2026-11-22 03:41:57.307+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-10', 'r:reviewer', '2026-11-22 03:42:04.308+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-5', 'r:reviewer', '2026-11-22 03:41:59.307+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-5', 'u:busy', '2026-11-22 03:41:59.307+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-4', 'r:reviewer', '2026-11-22 03:41:58.307+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-4', 'u:busy', '2026-11-22 03:41:58.307+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-12', 'r:reviewer', '2026-11-22 03:42:06.308+00', false, false);
INSERT INTO store.assignments VALUES ('default', 'row-2', 'r:reviewer', '2026-11-22 03:41:56.307+00', true, false);
INSERT INTO store.assignments VALUES ('default', 'row-2', 'u:busy', '2026-11-22 03:41:56.307+00', true, false);
INSERT INTO store.assignments VALUES ('default', 'row-7', 'r:reviewer', '2026-11-22 03:42:01.308+00', true, false);


--
-- Data for Name: escalations; Type: TABLE DATA; Schema: store; Owner: -
--

INSERT INTO store.escalations VALUES ('default', 'row-1', 'custom_rule', 'escalation', 'review', 'cancelled', 2, 1, 0, 1, false, NULL, '{}', '2026-11-22 03:41:55.307+00', '2026-11-22 16:44:03.307+00', '2026-11-22 03:42:55.307+00', NULL, 'common w1 n1', 'Please decide', NULL, NULL, 'HITL_REVIEW:1', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d31222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-2', 'custom_rule', 'escalation', 'review', 'pending', 2, 1, 0, 0, false, NULL, '{}', '2026-11-22 03:41:56.307+00', '2026-11-23 04:22:26.307+00', NULL, NULL, 'common w2 n2', 'Please decide', NULL, NULL, 'HITL_REVIEW:2', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d32222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-3', 'inconsistent_evidence', 'escalation', 'input', 'completed', 2, 1, 0, 1, false, NULL, '{}', '2026-11-22 03:41:57.307+00', '2026-11-23 05:41:56.307+00', '2026-11-22 03:42:57.307+00', NULL, 'common w3 n3', 'Please decide', NULL, NULL, 'HITL_REVIEW:3', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d33222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-4', 'inconsistent_evidence', 'escalation', 'input', 'expired', 2, 1, 0, 1, false, NULL, '{}', '2026-11-22 03:41:58.307+00', '2026-11-22 13:52:43.307+00', '2026-11-22 03:42:58.307+00', NULL, 'common w4 n4', 'Please decide', NULL, NULL, 'HITL_REVIEW:4', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d34222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-5', 'low_confidence', 'escalation', 'input', 'completed', 2, 1, 0, 0, false, NULL, '{}', '2026-11-22 03:41:59.307+00', '2026-11-23 06:10:40.307+00', '2026-11-22 03:42:59.307+00', NULL, 'common w5 n5', 'Please decide', NULL, NULL, 'HITL_REVIEW:5', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d35222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-6', 'hard_disagreement', 'escalation', 'input', 'completed', 2, 1, 0, 0, false, NULL, '{}', '2026-11-22 03:42:00.308+00', '2026-11-22 15:22:27.308+00', '2026-11-22 03:43:00.308+00', NULL, 'common w6 n6', 'Please decide', NULL, NULL, 'HITL_REVIEW:6', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d36222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-7', 'inconsistent_evidence', 'escalation', 'approval', 'pending', 2, 1, 0, 0, false, NULL, '{}', '2026-11-22 03:42:01.308+00', '2026-11-22 22:56:42.308+00', NULL, NULL, 'common w7 n7', 'Please decide', NULL, NULL, 'HITL_REVIEW:7', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d37222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', 'policy-19');
INSERT INTO store.escalations VALUES ('default', 'row-8', 'custom_rule', 'escalation', 'review', 'completed', 2, 1, 0, 0, false, NULL, '{}', '2026-11-22 03:42:02.308+00', '2026-11-23 03:56:08.308+00', '2026-11-22 03:43:02.308+00', NULL, 'common w8 n8', 'Please decide', NULL, NULL, 'HITL_REVIEW:8', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d38222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-9', 'low_confidence', 'escalation', 'review', 'cancelled', 2, 1, 0, 3, false, NULL, '{}', '2026-11-22 03:42:03.308+00', '2026-11-22 21:17:52.308+00', '2026-11-22 03:43:03.308+00', NULL, 'common w9 n9', 'Please decide', NULL, NULL, 'HITL_REVIEW:9', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d39222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-10', 'inconsistent_evidence', 'escalation', 'input', 'completed', 2, 1, 0, 1, false, NULL, '{}', '2026-11-22 03:42:04.308+00', '2026-11-23 03:15:27.308+00', '2026-11-22 03:43:04.308+00', 'task/10', 'common w10 n10', 'Please decide', NULL, NULL, 'HITL_REVIEW:10', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d3130222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-11', 'custom_rule', 'escalation', 'review', 'completed', 2, 1, 0, 2, false, NULL, '{}', '2026-11-22 03:42:05.308+00', '2026-11-22 05:27:25.308+00', '2026-11-22 03:43:05.308+00', NULL, 'common w11 n11', 'Please decide', NULL, NULL, 'HITL_REVIEW:11', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d3131222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);
INSERT INTO store.escalations VALUES ('default', 'row-12', 'low_confidence', 'escalation', 'approval', 'expired', 2, 1, 0, 3, false, NULL, '{}', '2026-11-22 03:42:06.308+00', '2026-11-23 03:28:48.308+00', '2026-11-22 03:43:06.308+00', NULL, 'common w12 n12', 'Please decide', NULL, NULL, 'HITL_REVIEW:12', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '763', '\x7b226e616d657370616365223a2264656661756c74222c22726571756573745f6964223a22726f772d3132222c22726561736f6e223a22686172645f64697361677265656d656e74222c226b696e64223a22657363616c6174696f6e222c22737461747573223a2270656e64696e67222c22736571223a312c227265766973696f6e223a312c226c6576656c223a302c22697465726174696f6e223a312c226f766572647565223a66616c73652c2272756c6573223a7b227061747465726e223a22726576696577222c22766572646963745f6669656c64223a226465636973696f6e222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c2275695f736368656d61223a7b2274797065223a22726576696577222c226669656c6473223a5b7b226e616d65223a226465636973696f6e222c2274797065223a22726164696f222c226f7074696f6e73223a5b22617070726f7665222c2272656a656374222c22726571756573745f6368616e676573225d2c227265717569726564223a747275657d2c7b226e616d65223a22666565646261636b222c2274797065223a227465787461726561222c226c6162656c223a22466565646261636b2f436f6d6d656e7473222c227265717569726564223a66616c73657d2c7b226e616d65223a227375676765737465645f6368616e676573222c2274797065223a227465787461726561222c226c6162656c223a22537567676573746564204368616e676573222c227265717569726564223a66616c73657d5d7d2c22617070726f76696e67223a5b22617070726f7665225d2c2261737369676e656573223a7b227573657273223a5b5d2c2267726f757073223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c2271756f72756d223a22616e79222c227665746f223a5b5d2c226578636c756465223a5b5d2c227072696f72697479223a226e6f726d616c222c2274696d656f75745f7365636f6e6473223a333630302c226f6e5f74696d656f7574223a22657870697265222c2272656d696e64657273223a5b5d2c226c6576656c73223a5b5d2c226d61785f697465726174696f6e73223a337d2c22706f6c696379223a6e756c6c2c22656c6563746f72617465223a7b227573657273223a5b5d2c22726f6c6573223a5b227265766965776572225d7d2c226578636c75646564223a5b5d2c226c6576656c73223a5b5d2c22636c61696d223a6e756c6c2c22766f746573223a5b5d2c22726573706f6e64657273223a5b5d2c22686973746f7279223a5b5d2c2264656c65676174696f6e73223a5b5d2c22736e6f6f7a6573223a5b5d2c22636c6f636b73223a5b7b226b696e64223a22646561646c696e65222c226f7264696e616c223a302c226475655f6174223a333630303030302c2267656e65726174696f6e223a317d5d2c226f70656e65645f6174223a302c22757064617465645f6174223a302c22646561646c696e65223a333630303030302c22636f6d6d656e7473223a302c226f7574636f6d65223a6e756c6c2c22636f6e73756d6564223a6e756c6c7d', NULL);


--
-- Data for Name: events; Type: TABLE DATA; Schema: store; Owner: -
--

INSERT INTO store.events VALUES ('default', 'row-1', 1, '50f60229-2e4d-41da-b3de-e5effaa00d35', 'opened', '2026-11-22 03:41:55.307+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-2', 1, 'da364f36-dd2e-4ffd-b893-3ca37bf107fb', 'opened', '2026-11-22 03:41:56.307+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-3', 1, '404b54ba-5579-4dc6-b656-fba27c01a6f0', 'opened', '2026-11-22 03:41:57.307+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-4', 1, 'f641e35f-c384-4b67-9070-ae62e8fd9029', 'opened', '2026-11-22 03:41:58.307+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-5', 1, 'a9c53414-e883-4942-ba91-63d6228170c3', 'opened', '2026-11-22 03:41:59.307+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-6', 1, '18e52ef3-5445-4736-8390-f1ce6950a47e', 'opened', '2026-11-22 03:42:00.308+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-7', 1, 'ff4a54bd-562b-4c38-96f6-ecd6960d7e9c', 'opened', '2026-11-22 03:42:01.308+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-8', 1, 'ff216e4c-27f9-4bd9-a4e9-672f105f22c5', 'opened', '2026-11-22 03:42:02.308+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-9', 1, 'e13c90cb-6f7a-4c09-8a45-fb255e95bc79', 'opened', '2026-11-22 03:42:03.308+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-10', 1, 'ed6e73a2-bc7d-4b31-8168-732e44375ae9', 'opened', '2026-11-22 03:42:04.308+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-11', 1, '106a9651-cec0-45bc-878b-453c56d4a722', 'opened', '2026-11-22 03:42:05.308+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');
INSERT INTO store.events VALUES ('default', 'row-12', 1, '84980a79-36d2-4673-88ce-4475419f37fd', 'opened', '2026-11-22 03:42:06.308+00', NULL, NULL, '\x1111111111111111111111111111111111111111111111111111111111111111', '\x7b22636c6f636b73223a5b5d7d', '\x22222222222222222222222222222222', '\x3333333333333333333333333333333333333333333333333333333333333333', '\x4444444444444444444444444444444444444444444444444444444444444444');


--
-- Data for Name: outbox; Type: TABLE DATA; Schema: store; Owner: -
--

INSERT INTO store.outbox VALUES ('default', 'row-2', 1, '2026-11-22 03:42:06.376173+00', NULL);
INSERT INTO store.outbox VALUES ('default', 'row-7', 1, '2026-11-22 03:42:06.376466+00', NULL);


--
-- Data for Name: payloads; Type: TABLE DATA; Schema: store; Owner: -
--

INSERT INTO store.payloads VALUES ('default', 'row-1', '\x7b22726571756573745f6964223a22726f772d31227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!normal'' ''=review'' ''@default'' ''common'' ''decide'' ''n1'' ''please'' ''w1''');
INSERT INTO store.payloads VALUES ('default', 'row-9', '\x7b22726571756573745f6964223a22726f772d39227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!critical'' ''=review'' ''@default'' ''common'' ''decide'' ''n9'' ''please'' ''w9''');
INSERT INTO store.payloads VALUES ('default', 'row-8', '\x7b22726571756573745f6964223a22726f772d38227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!low'' ''=review'' ''@default'' ''common'' ''decide'' ''n8'' ''please'' ''w8''');
INSERT INTO store.payloads VALUES ('default', 'row-11', '\x7b22726571756573745f6964223a22726f772d3131227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!high'' ''=review'' ''@default'' ''common'' ''decide'' ''n11'' ''please'' ''w11''');
INSERT INTO store.payloads VALUES ('default', 'row-6', '\x7b22726571756573745f6964223a22726f772d36227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!low'' ''=input'' ''@default'' ''common'' ''decide'' ''n6'' ''please'' ''w6''');
INSERT INTO store.payloads VALUES ('default', 'row-3', '\x7b22726571756573745f6964223a22726f772d33227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!normal'' ''=input'' ''@default'' ''common'' ''decide'' ''n3'' ''please'' ''w3''');
INSERT INTO store.payloads VALUES ('default', 'row-10', '\x7b22726571756573745f6964223a22726f772d3130227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!normal'' ''=input'' ''@default'' ''common'' ''decide'' ''n10'' ''please'' ''w10''');
INSERT INTO store.payloads VALUES ('default', 'row-5', '\x7b22726571756573745f6964223a22726f772d35227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!low'' ''=input'' ''@default'' ''common'' ''decide'' ''n5'' ''please'' ''w5''');
INSERT INTO store.payloads VALUES ('default', 'row-4', '\x7b22726571756573745f6964223a22726f772d34227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!normal'' ''=input'' ''@default'' ''common'' ''decide'' ''n4'' ''please'' ''w4''');
INSERT INTO store.payloads VALUES ('default', 'row-12', '\x7b22726571756573745f6964223a22726f772d3132227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!critical'' ''=approval'' ''@default'' ''common'' ''decide'' ''n12'' ''please'' ''w12''');
INSERT INTO store.payloads VALUES ('default', 'row-2', '\x7b22726571756573745f6964223a22726f772d32227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!low'' ''=review'' ''@default'' ''common'' ''decide'' ''n2'' ''please'' ''w2''');
INSERT INTO store.payloads VALUES ('default', 'row-7', '\x7b22726571756573745f6964223a22726f772d37227d', '\x00000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', '''!low'' ''#wUAhwXln5DVuMdBkqUS3SKRV6KnU6RDTNPjBNd5DiEs'' ''=approval'' ''@default'' ''common'' ''decide'' ''n7'' ''please'' ''w7''');


--
-- Data for Name: stats_counted; Type: TABLE DATA; Schema: store; Owner: -
--



--
-- Data for Name: stats_cursor; Type: TABLE DATA; Schema: store; Owner: -
--

INSERT INTO store.stats_cursor VALUES (true, '0', '', '');


--
-- Data for Name: stats_hours; Type: TABLE DATA; Schema: store; Owner: -
--



--
-- Data for Name: stats_people; Type: TABLE DATA; Schema: store; Owner: -
--



--
-- Data for Name: stream_marks; Type: TABLE DATA; Schema: store; Owner: -
--



--
-- Data for Name: tombstones; Type: TABLE DATA; Schema: store; Owner: -
--

INSERT INTO store.tombstones VALUES ('default', 'never came', 'no longer needed', '2026-11-22 03:42:06.383778+00');


--
-- Name: delegations delegations_pkey; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.delegations
    ADD CONSTRAINT delegations_pkey PRIMARY KEY (id);


--
-- Name: group_members group_members_pkey; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.group_members
    ADD CONSTRAINT group_members_pkey PRIMARY KEY (namespace, group_name, user_id);


--
-- Name: groups groups_pkey; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.groups
    ADD CONSTRAINT groups_pkey PRIMARY KEY (namespace, name);


--
-- Name: keys keys_digest_key; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.keys
    ADD CONSTRAINT keys_digest_key UNIQUE (digest);


--
-- Name: keys keys_pkey; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.keys
    ADD CONSTRAINT keys_pkey PRIMARY KEY (id);


--
-- Name: sessions sessions_pkey; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (digest);


--
-- Name: policies policies_pkey; Type: CONSTRAINT; Schema: intake; Owner: -
--

ALTER TABLE ONLY intake.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (namespace, id);


--
-- Name: policy_revision policy_revision_pkey; Type: CONSTRAINT; Schema: intake; Owner: -
--

ALTER TABLE ONLY intake.policy_revision
    ADD CONSTRAINT policy_revision_pkey PRIMARY KEY (only_row);


--
-- Name: policy_versions policy_versions_pkey; Type: CONSTRAINT; Schema: intake; Owner: -
--

ALTER TABLE ONLY intake.policy_versions
    ADD CONSTRAINT policy_versions_pkey PRIMARY KEY (namespace, id, version);


--
-- Name: attempts attempts_pkey; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (delivery_id, number);


--
-- Name: callback_settings callback_settings_pkey; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.callback_settings
    ADD CONSTRAINT callback_settings_pkey PRIMARY KEY (namespace);


--
-- Name: channels channels_pkey; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.channels
    ADD CONSTRAINT channels_pkey PRIMARY KEY (id);


--
-- Name: deliveries deliveries_event_id_endpoint_id_key; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.deliveries
    ADD CONSTRAINT deliveries_event_id_endpoint_id_key UNIQUE (event_id, endpoint_id);


--
-- Name: deliveries deliveries_pkey; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);


--
-- Name: endpoints endpoints_pkey; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.endpoints
    ADD CONSTRAINT endpoints_pkey PRIMARY KEY (id);


--
-- Name: messages messages_pkey; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (event_id);


--
-- Name: notices notices_channel_id_event_id_key; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.notices
    ADD CONSTRAINT notices_channel_id_event_id_key UNIQUE (channel_id, event_id);


--
-- Name: notices notices_pkey; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);


--
-- Name: paces paces_pkey; Type: CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.paces
    ADD CONSTRAINT paces_pkey PRIMARY KEY (endpoint_id);


--
-- Name: umpire_migrations umpire_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.umpire_migrations
    ADD CONSTRAINT umpire_migrations_pkey PRIMARY KEY (component, number);


--
-- Name: marks marks_pkey; Type: CONSTRAINT; Schema: scheduler; Owner: -
--

ALTER TABLE ONLY scheduler.marks
    ADD CONSTRAINT marks_pkey PRIMARY KEY (namespace, request_id);


--
-- Name: sweeps sweeps_pkey; Type: CONSTRAINT; Schema: scheduler; Owner: -
--

ALTER TABLE ONLY scheduler.sweeps
    ADD CONSTRAINT sweeps_pkey PRIMARY KEY (name);


--
-- Name: timers timers_pkey; Type: CONSTRAINT; Schema: scheduler; Owner: -
--

ALTER TABLE ONLY scheduler.timers
    ADD CONSTRAINT timers_pkey PRIMARY KEY (namespace, request_id, kind, ordinal);


--
-- Name: assignments assignments_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.assignments
    ADD CONSTRAINT assignments_pkey PRIMARY KEY (namespace, request_id, principal);


--
-- Name: escalations escalations_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.escalations
    ADD CONSTRAINT escalations_pkey PRIMARY KEY (namespace, request_id);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (namespace, request_id, seq);


--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (namespace, request_id, seq);


--
-- Name: payloads payloads_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.payloads
    ADD CONSTRAINT payloads_pkey PRIMARY KEY (namespace, request_id);


--
-- Name: stats_counted stats_counted_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.stats_counted
    ADD CONSTRAINT stats_counted_pkey PRIMARY KEY (namespace, request_id);


--
-- Name: stats_cursor stats_cursor_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.stats_cursor
    ADD CONSTRAINT stats_cursor_pkey PRIMARY KEY (single);


--
-- Name: stats_hours stats_hours_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.stats_hours
    ADD CONSTRAINT stats_hours_pkey PRIMARY KEY (namespace, hour, reason, source);


--
-- Name: stats_people stats_people_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.stats_people
    ADD CONSTRAINT stats_people_pkey PRIMARY KEY (namespace, hour, user_id);


--
-- Name: stream_marks stream_marks_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.stream_marks
    ADD CONSTRAINT stream_marks_pkey PRIMARY KEY (stream);


--
-- Name: tombstones tombstones_pkey; Type: CONSTRAINT; Schema: store; Owner: -
--

ALTER TABLE ONLY store.tombstones
    ADD CONSTRAINT tombstones_pkey PRIMARY KEY (namespace, request_id);


--
-- Name: delegations_by_age; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX delegations_by_age ON identity.delegations USING btree (namespace, created_at, id);


--
-- Name: delegations_by_delegate; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX delegations_by_delegate ON identity.delegations USING btree (namespace, to_user, ends_at) WHERE (revoked_at IS NULL);


--
-- Name: keys_by_namespace; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX keys_by_namespace ON identity.keys USING btree (namespace, created_at, id);


--
-- Name: keys_by_user; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX keys_by_user ON identity.keys USING btree (namespace, user_id) WHERE ((revoked_at IS NULL) AND (user_id IS NOT NULL));


--
-- Name: sessions_by_end; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX sessions_by_end ON identity.sessions USING btree (expires_at);


--
-- Name: channels_by_owner; Type: INDEX; Schema: notifier; Owner: -
--

CREATE INDEX channels_by_owner ON notifier.channels USING btree (namespace, owner_kind, owner);


--
-- Name: deliveries_by_endpoint; Type: INDEX; Schema: notifier; Owner: -
--

CREATE INDEX deliveries_by_endpoint ON notifier.deliveries USING btree (endpoint_id, id);


--
-- Name: deliveries_due; Type: INDEX; Schema: notifier; Owner: -
--

CREATE INDEX deliveries_due ON notifier.deliveries USING btree (endpoint_id, due_at) WHERE (state = 'pending'::text);


--
-- Name: endpoints_by_namespace; Type: INDEX; Schema: notifier; Owner: -
--

CREATE INDEX endpoints_by_namespace ON notifier.endpoints USING btree (namespace, id) WHERE (state <> 'deleted'::text);


--
-- Name: endpoints_callback_origin; Type: INDEX; Schema: notifier; Owner: -
--

CREATE UNIQUE INDEX endpoints_callback_origin ON notifier.endpoints USING btree (namespace, url) WHERE (kind = 'callback'::text);


--
-- Name: messages_by_age; Type: INDEX; Schema: notifier; Owner: -
--

CREATE INDEX messages_by_age ON notifier.messages USING btree (created_at);


--
-- Name: notices_by_age; Type: INDEX; Schema: notifier; Owner: -
--

CREATE INDEX notices_by_age ON notifier.notices USING btree (created_at);


--
-- Name: notices_due; Type: INDEX; Schema: notifier; Owner: -
--

CREATE INDEX notices_due ON notifier.notices USING btree (due_at) WHERE (state = 'pending'::text);


--
-- Name: marks_quiet; Type: INDEX; Schema: scheduler; Owner: -
--

CREATE INDEX marks_quiet ON scheduler.marks USING btree (quiet_since) WHERE (quiet_since IS NOT NULL);


--
-- Name: timers_wake; Type: INDEX; Schema: scheduler; Owner: -
--

CREATE INDEX timers_wake ON scheduler.timers USING btree (namespace, wake_at);


--
-- Name: assignments_closed; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX assignments_closed ON store.assignments USING btree (namespace, principal, opened_at, request_id) WHERE (NOT open);


--
-- Name: assignments_gone; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX assignments_gone ON store.assignments USING btree (namespace, principal, opened_at, request_id) WHERE gone;


--
-- Name: assignments_inbox; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX assignments_inbox ON store.assignments USING btree (namespace, principal, opened_at, request_id) WHERE open;


--
-- Name: escalations_by_age; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX escalations_by_age ON store.escalations USING btree (namespace, status, reason, opened_at, request_id);


--
-- Name: escalations_by_deadline; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX escalations_by_deadline ON store.escalations USING btree (namespace, deadline, request_id) WHERE (status = 'pending'::text);


--
-- Name: escalations_by_task; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX escalations_by_task ON store.escalations USING btree (namespace, hashtextextended(task_id, (0)::bigint), opened_at, request_id) WHERE (task_id IS NOT NULL);


--
-- Name: escalations_by_urgency; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX escalations_by_urgency ON store.escalations USING btree (namespace, ((3 - priority)), opened_at, request_id) WHERE (status = 'pending'::text);


--
-- Name: escalations_changed; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX escalations_changed ON store.escalations USING btree (changed_xid);


--
-- Name: escalations_pending_task; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX escalations_pending_task ON store.escalations USING btree (namespace, hashtextextended(task_id, (0)::bigint)) WHERE ((status = 'pending'::text) AND (task_id IS NOT NULL));


--
-- Name: escalations_raised; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX escalations_raised ON store.escalations USING btree (namespace, level) WHERE ((status = 'pending'::text) AND (level > 0));


--
-- Name: events_by_time; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX events_by_time ON store.events USING brin (occurred_at) WITH (pages_per_range='32');


--
-- Name: outbox_by_age; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX outbox_by_age ON store.outbox USING btree (created_at);


--
-- Name: payloads_document; Type: INDEX; Schema: store; Owner: -
--

CREATE INDEX payloads_document ON store.payloads USING gin (document) WITH (gin_pending_list_limit='1024');


--
-- Name: policy_versions policy_versions_are_kept; Type: TRIGGER; Schema: intake; Owner: -
--

CREATE TRIGGER policy_versions_are_kept BEFORE DELETE OR UPDATE ON intake.policy_versions FOR EACH ROW EXECUTE FUNCTION intake.refuse_change();


--
-- Name: group_members group_members_group; Type: FK CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.group_members
    ADD CONSTRAINT group_members_group FOREIGN KEY (namespace, group_name) REFERENCES identity.groups(namespace, name) ON DELETE CASCADE;


--
-- Name: sessions sessions_key_id_fkey; Type: FK CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.sessions
    ADD CONSTRAINT sessions_key_id_fkey FOREIGN KEY (key_id) REFERENCES identity.keys(id) ON DELETE CASCADE;


--
-- Name: policies policies_namespace_id_active_version_fkey; Type: FK CONSTRAINT; Schema: intake; Owner: -
--

ALTER TABLE ONLY intake.policies
    ADD CONSTRAINT policies_namespace_id_active_version_fkey FOREIGN KEY (namespace, id, active_version) REFERENCES intake.policy_versions(namespace, id, version);


--
-- Name: policy_versions policy_versions_namespace_id_fkey; Type: FK CONSTRAINT; Schema: intake; Owner: -
--

ALTER TABLE ONLY intake.policy_versions
    ADD CONSTRAINT policy_versions_namespace_id_fkey FOREIGN KEY (namespace, id) REFERENCES intake.policies(namespace, id);


--
-- Name: notices notices_channel_id_fkey; Type: FK CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.notices
    ADD CONSTRAINT notices_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES notifier.channels(id) ON DELETE CASCADE;


--
-- Name: paces paces_endpoint_id_fkey; Type: FK CONSTRAINT; Schema: notifier; Owner: -
--

ALTER TABLE ONLY notifier.paces
    ADD CONSTRAINT paces_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES notifier.endpoints(id);


--
-- PostgreSQL database dump complete
--


