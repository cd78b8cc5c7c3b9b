import type { EscalationStatus, Reason } from '@umpire/contract';
import type { Query } from '@umpire/runtime';
import type { PendingQuery, Row } from 'postgres';
import type { HotRow } from './read.queries.ts';
import { allOf } from './search-words.ts';

/** A part of a statement. */
type Fragment = PendingQuery<Row[]>;

/** Where somebody sees items from: `u:<user id>` or `r:<role>`; `person` is who delegated it, null for a place of one's own. */
export type Place = { principal: string; person: string | null };

/** Whose items are listed, as a whole: rows with an assignment to one of the places. `viewer` is who looks. */
export type Scope = { viewer: string; places: Place[] };

export type ListOrder = { by: 'age' | 'deadline' | 'priority'; descending: boolean };

/**
 * What is asked for. Empty or null means no condition, except that statuses and reasons are always named: they choose index ranges.
 * Ages in seconds; `urgencies` are 0 (critical) to 3 (low); `search` has the terms of a `tsquery`: words and those filters that are indexed
 * like words, within the namespace.
 */
export type ListQuestion = {
  namespace: string;
  statuses: EscalationStatus[];
  reasons: Reason[];
  patterns: string[];
  urgencies: number[];
  min_age: number | null;
  max_age: number | null;
  policy: string | null;
  task_id: string | null;
  words: string[];
  search: string[];
  scopes: Scope[];
  order: ListOrder;
  after: ListCursor | null;
  limit: number;
};

/** Where a page ended: the columns of the order. */
export type ListCursor = { opened_at: string; deadline: string | null; urgency: number; request_id: string };

export type ListRow = HotRow & ListCursor;

/**
 * Which index a list is read from. Which is best depends on how much it finds, so the service chooses. `by` are terms of the search;
 * `until`, ms, the last moment in the list's order that is looked at: fewer rows than a page come of it where there are more behind.
 */
export type ListSource = { from: 'ranges' } | { from: 'task' } | { from: 'search'; by: string[]; until: number | null } | { from: 'assignments'; scope: Scope } | { from: 'inboxes'; scope: Scope };

/**
 * A page of escalations: the same rows in the same order from every source.
 *
 * Rows come from the source in order, then pass the other conditions one by one until the page is full. Ranges and inboxes are
 * several index ranges that Postgres merges as it goes (each says its order, or it would not), what a search finds is sorted; `offset 0`
 * keeps the conditions out of them, or a range in which nothing fits would be read to its end. Conditions are lateral probes with `limit 1`: the planner
 * can neither turn them round nor guess that so little fits that all might as well be sorted. Measured at 100,000 rows in list-plans.integration.test.ts.
 */
export function listStatement(sql: Query, question: ListQuestion, source: ListSource) {
  const utc = (column: string) => sql`to_char(e.${sql(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(column)}`;
  return sql<ListRow[]>`
    select e.namespace, e.request_id, e.status, e.seq, e.reason, ${utc('opened_at')}, ${utc('deadline')}, e.urgency
    from (${candidates(sql, question, source)}) as e
    cross join lateral (select 1 where true ${conditions(sql, question)} limit 1) as fits
    ${probes(sql, question, source)}
    order by ${orderOf(sql, question.order)} limit ${question.limit}`;
}

/** How many assignments a scope has, counted up to a bound. */
export function scopeSizeStatement(sql: Query, { namespace, statuses }: ListQuestion, scope: Scope, bound: number) {
  return sql<{ total: number }[]>`
    select count(*)::int as total from (
      select 1 from (${unionAll(sql, assignmentRanges(sql, namespace, statuses, scope, sql`1`, sql``))}) as assigned limit ${bound}) as counted`;
}

/** What the planner's statistics say of how many payloads there are, and each term would find; nothing is read but them. */
export function searchEstimateStatement(sql: Query, terms: string[]) {
  return sql<{ 'QUERY PLAN': { Plan: { Plans: { 'Plan Rows': number }[] } }[] }[]>`
    explain (format json) select (select 1 from store.payloads)${terms.map((term) => sql`, (select 1 from store.payloads p where p.document @@ ${term}::tsquery)`)}`;
}

/** Bounds between which lie equally many payloads by when they were opened, ms, ascending; none where nothing is known yet. */
export function agesStatement(sql: Query) {
  return sql<{ bounds: number[] }[]>`
    select array(select extract(epoch from bound)::float8 * 1000 from unnest(histogram_bounds::text::timestamptz[]) with ordinality as b (bound, place) order by place) as bounds
    from pg_catalog.pg_stats where schemaname = 'store' and tablename = 'payloads' and attname = 'opened_at' and not inherited`;
}

function candidates(sql: Query, question: ListQuestion, source: ListSource): Fragment {
  const { namespace, task_id, order, statuses } = question;
  switch (source.from) {
    case 'ranges':
      return sql`select e.* from (${unionAll(sql, ranges(sql, question))}) as e order by ${orderOf(sql, order)} offset 0`;
    case 'inboxes':
      return inboxes(sql, question, source.scope);
    case 'task':
      return sql`
        select ${columns(sql)} from store.escalations e
        where e.namespace = ${namespace} and hashtextextended(e.task_id, 0) = hashtextextended(${task_id}, 0) ${within(sql, question)}`;
    case 'search':
      return matches(sql, question, source);
    case 'assignments':
      return sql`
        select ${columns(sql)} from (
          select distinct mine.request_id from (${unionAll(sql, assignmentRanges(sql, namespace, statuses, source.scope, sql`a.request_id`, sql``))}) as mine
        ) as mine join store.escalations e on e.namespace = ${namespace} and e.request_id = mine.request_id
        where true ${within(sql, question)}`;
  }
}

/** Index ranges that together hold what is asked for, each in the order of the list. */
function ranges(sql: Query, question: ListQuestion): Fragment[] {
  const { namespace, order, statuses, reasons, urgencies } = question;
  const range = (where: Fragment) => sql`select ${columns(sql)} from store.escalations e where e.namespace = ${namespace} and ${where} ${within(sql, question)} order by ${orderOf(sql, order, sql`(3 - e.priority)`)}`;
  if (order.by === 'deadline') return [range(sql`e.status = 'pending'`)];
  if (order.by === 'priority') {
    const [from, to] = urgencies.length > 0 ? [Math.min(...urgencies), Math.max(...urgencies)] : [0, 3];
    return [range(sql`e.status = 'pending' and (3 - e.priority) between ${from}::int and ${to}::int`)];
  }
  const pendingOnly = statuses.length === 1 && statuses[0] === 'pending';
  if (urgencies.length > 0 && pendingOnly) return urgencies.map((urgency) => range(sql`e.status = 'pending' and (3 - e.priority) = ${urgency}::int`));
  return statuses.flatMap((status) => reasons.map((reason) => range(sql`e.status = ${status} and e.reason = ${reason}`)));
}

/** A scope's assignments by age, merged; what two places hold stands side by side and is taken once. */
function inboxes(sql: Query, question: ListQuestion, scope: Scope): Fragment {
  const { namespace, statuses, order, words } = question;
  const direction = order.descending ? sql`desc` : sql`asc`;
  const bounds = sql`${withinAge(sql, question, sql`a`)} order by a.opened_at ${direction}, a.request_id ${direction}`;
  const assigned = sql`
    select distinct on (a.opened_at, a.request_id) a.opened_at, a.request_id
    from (${unionAll(sql, assignmentRanges(sql, namespace, statuses, scope, sql`a.opened_at, a.request_id`, bounds))}) as a
    order by a.opened_at ${direction}, a.request_id ${direction} offset 0`;
  // Words are looked for before the escalation is: most of what is read only to be left out costs one look-up then, not two.
  return byAge(sql, question, words.length === 0 ? assigned : sql`
    select a.opened_at, a.request_id from (${assigned}) as a
    cross join lateral (
      select 1 from store.payloads w where w.namespace = ${namespace} and w.request_id = a.request_id and w.document @@ ${allOf(words)}::tsquery limit 1) as worded
    order by a.opened_at ${direction}, a.request_id ${direction} offset 0`);
}

/**
 * What a search finds, sorted. The index is asked for some of its terms and the payload for all. Payloads know their age; those that
 * do not (see migration 0044) ask their escalation, and other orders ask each.
 */
function matches(sql: Query, question: ListQuestion, { by, until }: { by: string[]; until: number | null }): Fragment {
  const { namespace, search, order } = question;
  const last = until === null ? null : sql`${order.descending ? sql`>=` : sql`<=`} ${new Date(until).toISOString()}::timestamptz`;
  const found = sql`
    select w.request_id, w.opened_at from (
      select w.request_id, w.opened_at, w.document from store.payloads w where w.namespace = ${namespace} and w.document @@ ${allOf(by)}::tsquery
        ${last === null ? sql`` : sql`and (w.opened_at ${last} or w.opened_at is null)`} offset 0
    ) as w where w.document @@ ${allOf(search)}::tsquery`;
  if (order.by !== 'age') {
    return sql`
      select ${columns(sql)} from (${found}) as w join store.escalations e on e.namespace = ${namespace} and e.request_id = w.request_id
      where true ${within(sql, question)} order by ${orderOf(sql, order, sql`(3 - e.priority)`)} offset 0`;
  }
  const direction = order.descending ? sql`desc` : sql`asc`;
  return byAge(sql, question, sql`
    select a.opened_at, a.request_id from (
      select w.request_id, coalesce(w.opened_at, (select e.opened_at from store.escalations e where e.namespace = ${namespace} and e.request_id = w.request_id)) as opened_at
      from (${found}) as w offset 0
    ) as a where true ${last === null ? sql`` : sql`and a.opened_at ${last}`} ${withinAge(sql, question, sql`a`)} order by a.opened_at ${direction}, a.request_id ${direction} offset 0`);
}

/** Escalations of ids that come by age, fetched as they are asked for. */
function byAge(sql: Query, { namespace, order }: ListQuestion, ids: Fragment): Fragment {
  const direction = order.descending ? sql`desc` : sql`asc`;
  return sql`
    select e.namespace, a.request_id, e.status, e.seq, e.reason, a.opened_at, e.deadline, (3 - e.priority) as urgency, e.pattern, e.policy, e.task_id, e.excluded
    from (${ids}) as a
    cross join lateral (select x.* from store.escalations x where x.namespace = ${namespace} and x.request_id = a.request_id limit 1) as e
    order by a.opened_at ${direction}, a.request_id ${direction} offset 0`;
}

/** One range for each place and each of the partial indexes: open, closed, and of people who have gone from what is pending. */
function assignmentRanges(sql: Query, namespace: string, statuses: EscalationStatus[], scope: Scope, selected: Fragment, rest: Fragment): Fragment[] {
  const pending = statuses.includes('pending');
  const settled = statuses.some((status) => status !== 'pending');
  const parts = [...(pending ? [sql`a.open`] : []), settled ? sql`not a.open` : sql`a.gone`];
  return scope.places.flatMap(({ principal }) => parts.map((part) => sql`select ${selected} from store.assignments a where a.namespace = ${namespace} and a.principal = ${principal} and ${part} ${rest}`));
}

const unionAll = (sql: Query, parts: Fragment[]) => sql`${parts.map((part, index) => (index === 0 ? sql`(${part})` : sql`union all (${part})`))}`;

const columns = (sql: Query) => sql`
  e.namespace, e.request_id, e.status, e.seq, e.reason, e.opened_at, e.deadline, (3 - e.priority) as urgency, e.pattern, e.policy, e.task_id, e.excluded`;

/** What bounds an index range: beyond the cursor, and between the ages. */
function within(sql: Query, question: ListQuestion): Fragment {
  const { order, after } = question;
  return sql`${after === null ? sql`` : beyondCursor(sql, order, after)} ${ageBounds(sql, question, sql`e`)}`;
}

/** The same of rows by age that are not escalations. */
function withinAge(sql: Query, question: ListQuestion, table: Fragment): Fragment {
  const { order, after } = question;
  const beyond = after === null ? sql`` : sql`and (${table}.opened_at, ${table}.request_id) ${comparison(sql, order)} (${after.opened_at}::timestamptz, ${after.request_id}::text)`;
  return sql`${beyond} ${ageBounds(sql, question, table)}`;
}

function ageBounds(sql: Query, { min_age, max_age }: ListQuestion, table: Fragment): Fragment {
  return sql`
    ${min_age === null ? sql`` : sql`and ${table}.opened_at <= now() - make_interval(secs => ${min_age}::float8)`}
    ${max_age === null ? sql`` : sql`and ${table}.opened_at >= now() - make_interval(secs => ${max_age}::float8)`}`;
}

function beyondCursor(sql: Query, order: ListOrder, { opened_at, deadline, urgency, request_id }: ListCursor): Fragment {
  const beyond = comparison(sql, order);
  if (order.by === 'deadline') return sql`and (e.deadline, e.request_id) ${beyond} (${deadline}::timestamptz, ${request_id}::text)`;
  if (order.by === 'priority') return sql`and ((3 - e.priority), e.opened_at, e.request_id) ${beyond} (${urgency}::int, ${opened_at}::timestamptz, ${request_id}::text)`;
  return sql`and (e.opened_at, e.request_id) ${beyond} (${opened_at}::timestamptz, ${request_id}::text)`;
}

/** Conditions on the row itself. */
function conditions(sql: Query, { statuses, reasons, patterns, urgencies, policy, task_id }: ListQuestion): Fragment {
  return sql`
    and e.status = any (${statuses}::text[])
    ${reasons.length === 4 ? sql`` : sql`and e.reason = any (${reasons}::text[])`}
    ${patterns.length === 0 ? sql`` : sql`and e.pattern = any (${patterns}::text[])`}
    ${urgencies.length === 0 ? sql`` : sql`and e.urgency = any (${urgencies}::int[])`}
    ${policy === null ? sql`` : sql`and e.policy = ${policy}`}
    ${task_id === null ? sql`` : sql`and e.task_id = ${task_id}`}`;
}

/** Conditions that look into another table, by its key. Four-eyes: who is kept out, or acts for one who is, sees nothing by delegation. */
function probes(sql: Query, { words, scopes }: ListQuestion, source: ListSource): Fragment {
  // A source that is made of a scope's own places needs no second look.
  const certain = 'scope' in source && source.scope.places.every((place) => place.person === null) ? source.scope : null;
  const held = scopes.filter((scope) => scope !== certain).map(({ viewer, places }, index) => places.every((place) => place.person === null) ? sql`
    cross join lateral (
      select 1 from store.assignments a where a.namespace = e.namespace and a.request_id = e.request_id and a.principal = any (${places.map((place) => place.principal)}::text[]) limit 1) as ${sql(`scope_${index}`)}` : sql`
    cross join lateral (
      select 1 from unnest(${places.map((place) => place.principal)}::text[], ${places.map((place) => place.person)}::text[]) as p (principal, person)
      join store.assignments a on a.namespace = e.namespace and a.request_id = e.request_id and a.principal = p.principal
      where p.person is null or not (e.excluded && array[${viewer}, p.person]) limit 1) as ${sql(`scope_${index}`)}`);
  const seen = words.length === 0 || source.from === 'search' || source.from === 'inboxes';
  return sql`
    ${seen ? sql`` : sql`cross join lateral (
      select 1 from store.payloads w where w.namespace = e.namespace and w.request_id = e.request_id and w.document @@ ${allOf(words)}::tsquery limit 1) as worded`}
    ${held.length === 0 ? sql`` : held}`;
}

const comparison = (sql: Query, { descending }: ListOrder) => (descending ? sql`<` : sql`>`);

function orderOf(sql: Query, { by, descending }: ListOrder, urgency = sql`e.urgency`): Fragment {
  const direction = descending ? sql`desc` : sql`asc`;
  if (by === 'deadline') return sql`e.deadline ${direction}, e.request_id ${direction}`;
  if (by === 'priority') return sql`${urgency} ${direction}, e.opened_at ${direction}, e.request_id ${direction}`;
  return sql`e.opened_at ${direction}, e.request_id ${direction}`;
}
