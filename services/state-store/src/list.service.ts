import { LIMITS, PRIORITIES, REASONS, STATES, UmpireError, type EscalationStatus, type Principal, type Reason } from '@umpire/contract';
import { withDeadline, type Sql } from '@umpire/runtime';
import { JsonPage } from './json-page.ts';
import { KeptChoices } from './kept-choices.ts';
import {
  agesStatement, listStatement, scopeSizeStatement, searchEstimateStatement,
  type ListCursor, type ListOrder, type ListQuestion, type ListRow, type ListSource, type Scope,
} from './list.queries.ts';
import { PlannedSql } from './planned-sql.ts';
import type { Reads } from './read.service.ts';
import { searchWindow } from './search-window.ts';
import { allOf, searchTerms, wordTerms } from './search-words.ts';

/** A list that takes longer is given up and cancelled: it must not hold a connection that decisions wait for. */
const LIST_MS = 3_000;
/** Up to so many assignments are sorted as they are; more are read in an index's order. */
const FEW_ASSIGNMENTS = 2_000;
/** A search that finds more than about this is common enough to be met soon when reading in order. Matches know their age, and nothing else. */
const FEW_MATCHES = { age: 8_000, deadline: 5_000, priority: 5_000 };
/** The same for the oldest or newest of the matches, where most of these need not be looked at. */
const FEW_IN_WINDOW = 20_000;
/** The share of rows from which on a term is no help to a search's index. */
const MOST = 0.5;
/** What a choice rests on may be so old. */
const CHOICE_MS = 10_000;
/** A page with more bytes than this is cut short. */
const PAGE_BYTES = 4 * LIMITS.batch;

/** What a caller asks for, as the query string said it. Durations in seconds. */
export type ListRequest = {
  state?: EscalationStatus[];
  reason?: Reason[];
  pattern?: string[];
  priority?: (typeof PRIORITIES)[number][];
  assignee?: string;
  assignee_role?: string;
  min_age?: number;
  max_age?: number;
  policy?: string;
  task_id?: string;
  text?: string;
  sort: ListOrder;
  after: ListCursor | null;
  limit: number;
};

type Frequencies = { rows: number; shares: number[] };
type Found = { matches: number; by: string[] };

export type ListPage = { page: JsonPage; ids: string[]; next: ListCursor | null };

/** Lists of escalations: reviewers see what they may read, producers and administrators all of their namespace. */
export class Lists {
  private readonly sql: Sql;
  private readonly planned: PlannedSql;
  private readonly reads: Reads;
  /** Whether a scope has few assignments. */
  private readonly small = new KeptChoices<boolean>({ keepMs: CHOICE_MS, most: 1_000, now: () => performance.now() });
  private readonly ages = new KeptChoices<number[]>({ keepMs: CHOICE_MS, most: 1, now: () => performance.now() });
  private readonly frequencies = new KeptChoices<Frequencies>({ keepMs: CHOICE_MS, most: 1_000, now: () => performance.now() });

  constructor(sql: Sql, reads: Reads, planned = new PlannedSql(sql, null)) {
    this.sql = sql;
    this.planned = planned;
    this.reads = reads;
  }

  /**
   * A page of JSON with the ids of its items, and the cursor of the next.
   * @throws UmpireError `invalid` for a question that makes no sense; `DeadlineError` for one that takes too long
   */
  async page(principal: Principal, request: ListRequest): Promise<ListPage> {
    const question = questionOf(principal, request);
    const rows = await this.rows({ ...question, limit: request.limit + 1 });
    const { items, page } = await this.reads.page(rows.slice(0, request.limit));
    const count = fitting(items, PAGE_BYTES);
    const ids = rows.slice(0, count).filter((_, index) => items[index] !== null).map((row) => row.request_id);
    return { page: count === items.length ? page : new JsonPage(items.slice(0, count).filter((item) => item !== null)), ids, next: count < rows.length && count > 0 ? rows[count - 1]! : null };
  }

  /** The oldest or newest of many matches are looked for among the oldest or newest rows first. */
  private async rows(question: ListQuestion): Promise<ListRow[]> {
    const found = await this.searched(question.search);
    const until = await this.windowOf(question, found.matches);
    const sql = await withDeadline(this.planned.choose(), LIST_MS, 'list');
    if (until !== null) {
      const rows = await this.bounded(listStatement(sql, question, { from: 'search', by: found.by, until }));
      if (rows.length === question.limit) return rows;
    }
    return this.bounded(listStatement(sql, question, await this.sourceFor(question, found)));
  }

  private async windowOf(question: ListQuestion, matches: number): Promise<number | null> {
    const { task_id, search, order, min_age, max_age, scopes: [scope] } = question;
    if (search.length === 0 || task_id !== null || order.by !== 'age' || min_age !== null || max_age !== null || matches > FEW_IN_WINDOW) return null;
    if (scope && matches > FEW_ASSIGNMENTS && (await this.few(question, scope))) return null;
    const bounds = await this.ages.get('', async () => (await this.bounded(agesStatement(this.sql)))[0]?.bounds ?? []);
    return searchWindow(bounds, matches, question);
  }

  /** Chooses the index by how much each would give: a few rows are sorted, many are read in order. Assignments are in order of age. */
  private async sourceFor(question: ListQuestion, { matches, by }: Found): Promise<ListSource> {
    if (question.task_id !== null) return { from: 'task' };
    const [scope] = question.scopes;
    const fewMatches = question.search.length > 0 && matches <= FEW_MATCHES[question.order.by];
    // A scope that is smaller than what is found is read instead.
    if (fewMatches && (!scope || matches <= FEW_ASSIGNMENTS || !(await this.few(question, scope)))) return { from: 'search', by, until: null };
    if (!scope) return { from: 'ranges' };
    const byAge = question.order.by === 'age';
    if (byAge && question.reasons.length === REASONS.length) return { from: 'inboxes', scope };
    if (!(await this.few(question, scope))) return { from: 'ranges' };
    return byAge ? { from: 'inboxes', scope } : { from: 'assignments', scope };
  }

  private few(question: ListQuestion, scope: Scope): Promise<boolean> {
    const key = JSON.stringify([question.namespace, question.statuses, scope.places.map(({ principal }) => principal)]);
    return this.small.get(key, async () => {
      const [size] = await this.bounded(scopeSizeStatement(this.sql, question, scope, FEW_ASSIGNMENTS + 1));
      return size!.total <= FEW_ASSIGNMENTS;
    });
  }

  /**
   * What a search's index would be asked for, and about how many it would find. Not for terms that most rows hold: to leave out the few
   * that do not, it would read as many of the term's entries as there are matches.
   */
  private async searched(terms: string[]): Promise<Found> {
    if (terms.length === 0) return { matches: 0, by: [] };
    const { rows, shares } = await this.frequencies.get(allOf(terms), () => this.frequenciesOf(terms));
    const rare = terms.map((term, index) => ({ term, share: shares[index]! })).filter(({ share }) => share <= MOST);
    return { matches: rare.reduce((product, { share }) => product * share, rows), by: rare.length === 0 ? terms : rare.map(({ term }) => term) };
  }

  /** How many payloads there are, and the share of these that holds each term, by the planner's statistics. */
  private async frequenciesOf(terms: string[]): Promise<Frequencies> {
    const [row] = await this.bounded(searchEstimateStatement(this.sql, terms));
    const [rows, ...found] = row!['QUERY PLAN'][0]!.Plan.Plans.map((plan) => plan['Plan Rows']);
    return { rows: rows!, shares: found.map((count) => Math.min(1, count / rows!)) };
  }

  private async bounded<T extends readonly object[]>(query: Promise<T> & { cancel(): void }): Promise<T> {
    try {
      return await withDeadline(query, LIST_MS, 'list');
    } catch (error) {
      query.cancel();
      throw error;
    }
  }
}

/** @throws UmpireError `invalid` */
export function questionOf(principal: Principal, request: ListRequest): ListQuestion {
  const { namespace } = principal;
  const ordersPending = request.sort.by !== 'age';
  const statuses = request.state ?? (ordersPending ? ['pending'] : [...STATES]);
  if (ordersPending && statuses.some((status) => status !== 'pending')) {
    throw invalid('sort', 'pending_only', `${request.sort.by} orders what is pending: leave state out, or say pending`);
  }
  const words = request.text === undefined ? [] : wordTerms(request.text);
  if (request.text !== undefined && words.length === 0) throw invalid('text', 'no_words', 'has no word to search for');
  return {
    namespace,
    statuses,
    reasons: request.reason ?? [...REASONS],
    patterns: request.pattern ?? [],
    urgencies: (request.priority ?? []).map((priority) => PRIORITIES.length - 1 - PRIORITIES.indexOf(priority)),
    min_age: request.min_age ?? null,
    max_age: request.max_age ?? null,
    policy: request.policy ?? null,
    task_id: request.task_id ?? null,
    words,
    search: searchTerms(namespace, words, { patterns: request.pattern ?? [], priorities: request.priority ?? [], policy: request.policy ?? null }),
    scopes: [assigneeScope(request), readerScope(principal)].filter((scope) => scope !== null),
    order: request.sort,
    after: request.after,
    limit: request.limit,
  };
}

/** Somebody's items by name, a role's, or those of either. Who looks does not matter here: the reader's scope sees to that. */
function assigneeScope({ assignee, assignee_role }: ListRequest): Scope | null {
  const principals = [...(assignee === undefined ? [] : [`u:${assignee}`]), ...(assignee_role === undefined ? [] : [`r:${assignee_role}`])];
  return principals.length === 0 ? null : { viewer: '', places: principals.map((principal) => ({ principal, person: null })) };
}

/** The rule of `mayRead` as places; null for those who read all of their namespace. */
function readerScope({ roles, user_id, acts_for = [] }: Principal): Scope | null {
  if (roles.includes('admin') || roles.includes('producer')) return null;
  const viewer = user_id ?? '';
  const own = user_id === null ? [] : [`u:${user_id}`, ...roles.map((role) => `r:${role}`)].map((principal) => ({ principal, person: null }));
  const others = acts_for.flatMap((person) => [`u:${person.user_id}`, ...person.roles.map((role) => `r:${role}`)].map((principal) => ({ principal, person: person.user_id })));
  return { viewer, places: [...own, ...others] };
}

/** How many fit; one does always. */
function fitting(items: readonly (Uint8Array | null)[], bytes: number): number {
  let sum = 0;
  const beyond = items.findIndex((item, index) => (sum += item?.length ?? 0) > bytes && index > 0);
  return beyond < 0 ? items.length : beyond;
}

function invalid(path: string, code: string, message: string): UmpireError {
  return new UmpireError('invalid', `${path} ${message}`, { errors: [{ path, code, message }] });
}
