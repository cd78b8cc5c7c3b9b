import { LIMITS, PRIORITIES, REASONS, STATES, UmpireError, type EscalationStatus, type Principal, type Reason } from '@umpire/contract';
import { withDeadline, type Sql } from '@umpire/runtime';
import { KeptChoices } from './kept-choices.ts';
import {
  listStatement, scopeSizeStatement, searchEstimateStatement,
  type ListCursor, type ListOrder, type ListQuestion, type ListSource, type Scope,
} from './list.queries.ts';
import type { Reads } from './read.service.ts';
import { searchQuery, wordsQuery } from './search-words.ts';

/** A list that takes longer is given up and cancelled: it must not hold a connection that decisions wait for. */
const LIST_MS = 3_000;
/** Up to so many assignments are sorted as they are; more are read in an index's order. */
const FEW_ASSIGNMENTS = 2_000;
/** A search that finds more than about this is common enough to be met soon when reading in order. */
const FEW_MATCHES = 5_000;
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

export type ListPage = { items: string[]; ids: string[]; next: ListCursor | null };

/** Lists of escalations: reviewers see what they may read, producers and administrators all of their namespace. */
export class Lists {
  private readonly sql: Sql;
  private readonly reads: Reads;
  /** Whether a scope has few assignments: counted again after some seconds. */
  private readonly small = new KeptChoices<boolean>({ keepMs: 10_000, most: 1_000, now: () => performance.now() });

  constructor(sql: Sql, reads: Reads) {
    this.sql = sql;
    this.reads = reads;
  }

  /**
   * A page as JSON texts with the ids of these, and the cursor of the next.
   * @throws UmpireError `invalid` for a question that makes no sense; `DeadlineError` for one that takes too long
   */
  async page(principal: Principal, request: ListRequest): Promise<ListPage> {
    const question = questionOf(principal, request);
    const source = await this.sourceFor(question);
    const rows = await this.bounded(listStatement(this.sql, { ...question, limit: request.limit + 1 }, source));
    const texts = await this.reads.renderings(rows.slice(0, request.limit));
    const count = fitting(texts, PAGE_BYTES);
    const ids = rows.slice(0, count).filter((_, index) => texts[index] !== null).map((row) => row.request_id);
    return { items: texts.slice(0, count).filter((text) => text !== null), ids, next: count < rows.length && count > 0 ? rows[count - 1]! : null };
  }

  /** Chooses the index by how much each would give: a few rows are sorted, many are read in order. Assignments are in order of age. */
  private async sourceFor(question: ListQuestion): Promise<ListSource> {
    if (question.task_id !== null) return { from: 'task' };
    if (question.search !== null && (await this.estimate(question.search)) <= FEW_MATCHES) return { from: 'search' };
    const [scope] = question.scopes;
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

  private async estimate(search: string): Promise<number> {
    const [row] = await this.bounded(searchEstimateStatement(this.sql, search));
    return row!['QUERY PLAN'][0]!.Plan['Plan Rows'];
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
  const words = request.text === undefined ? null : wordsQuery(request.text);
  if (request.text !== undefined && words === null) throw invalid('text', 'no_words', 'has no word to search for');
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
    search: searchQuery(namespace, words, { patterns: request.pattern ?? [], priorities: request.priority ?? [], policy: request.policy ?? null }),
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
function fitting(texts: (string | null)[], bytes: number): number {
  let sum = 0;
  const beyond = texts.findIndex((text, index) => (sum += Buffer.byteLength(text ?? '')) > bytes && index > 0);
  return beyond < 0 ? texts.length : beyond;
}

function invalid(path: string, code: string, message: string): UmpireError {
  return new UmpireError('invalid', `${path} ${message}`, { errors: [{ path, code, message }] });
}
