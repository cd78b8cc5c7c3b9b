import { encodeUtf8, UmpireError, type Delegator, type Principal } from '@umpire/contract';
import type { EscalationState } from '@umpire/domain';
import { withDeadline, type Sql } from '@umpire/runtime';
import type { RenderingCache } from './cache.ts';
import type { Key } from './escalation.queries.ts';
import { findDelegators } from './identity-delegations.queries.ts';
import type { JsonPage } from './json-page.ts';
import { KeptPages, type Rendered } from './kept-pages.ts';
import { PlannedSql } from './planned-sql.ts';
import { findDocuments, findInbox, findState, findStatus, findTimeline, findVersion, countInbox, type Document, type HotRow, type InboxCursor, type InboxPlace } from './read.queries.ts';
import { ownData, renderItem, renderStatus } from './rendering.ts';
import type { SettledHints } from './settled-hints.ts';

const READ_MS = 5_000;
/** Pages that consoles ask for again. */
const PAGES = { keepMs: 10_000, mostBytes: 4 * 1024 * 1024, now: () => performance.now() };
const INBOX_BOUND = 10_000;
/** A lost hint costs a waiting reader at most this. */
const POLL_MS = 1_000;

/** Everything that is read. Versions and states come from Postgres each time; only renderings of a version come from the cache. */
export class Reads {
  private readonly sql: Sql;
  private readonly cache: RenderingCache;
  private readonly hints: SettledHints;
  private readonly planned: PlannedSql;
  private readonly pages = new KeptPages(PAGES);

  constructor(sql: Sql, cache: RenderingCache, hints: SettledHints, planned = new PlannedSql(sql, null)) {
    this.sql = sql;
    this.planned = planned;
    this.cache = cache;
    this.hints = hints;
  }

  /** @throws UmpireError `not_found` */
  async state(key: Key): Promise<EscalationState> {
    const state = await withDeadline(findState(this.sql, key), READ_MS, 'state');
    if (!state) throw notFound(key);
    return state;
  }

  /**
   * The status as JSON text; with `waitSeconds` once there is an outcome, or when the time is over.
   * @throws UmpireError `not_found`
   */
  async status(key: Key, waitSeconds: number, signal: AbortSignal): Promise<{ text: string; state: EscalationState }> {
    let current = await this.settledOrNot(key);
    const waiting = this.hints.deadline(waitSeconds * 1_000);
    while (current.state.status === 'pending' && !waiting.over() && !signal.aborted) {
      // Listening starts before the look, so that a hint between the two is not missed.
      const hinted = this.hints.wait(key, Math.min(POLL_MS, waiting.leftMs()), signal);
      current = await this.settledOrNot(key);
      if (current.state.status !== 'pending') break;
      await hinted;
      current = await this.settledOrNot(key);
    }
    return { text: renderStatus(current.state, ownData(current)), state: current.state };
  }

  private async settledOrNot(key: Key) {
    const found = await withDeadline(findStatus(this.sql, key), READ_MS, 'status');
    if (!found) throw notFound(key);
    return found;
  }

  documents(keys: Key[]): Promise<Document[]> {
    return withDeadline(findDocuments(this.sql, keys), READ_MS, 'documents');
  }

  /** @throws UmpireError `not_found` */
  async item(key: Key): Promise<{ bytes: Uint8Array; row: HotRow }> {
    const row = await withDeadline(findVersion(this.sql, key), READ_MS, 'version');
    if (!row) throw notFound(key);
    const [bytes] = await this.renderings([row]);
    if (!bytes) throw notFound(key);
    return { bytes, row };
  }

  /** A page of a person's inbox with the ids of its items, and the cursor of the next page. `places` are the person's. */
  async inbox(namespace: string, userId: string, places: InboxPlace[], after: InboxCursor | null, limit: number): Promise<{ page: JsonPage; ids: string[]; next: InboxCursor | null }> {
    const sql = await withDeadline(this.planned.choose(), READ_MS, 'inbox');
    const rows = await withDeadline(findInbox(sql, namespace, userId, places, after, limit + 1), READ_MS, 'inbox');
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const { items, page } = await this.page(shown);
    return { page, ids: shown.filter((_, index) => items[index] !== null).map((row) => row.request_id), next: rows.length > limit && last ? { opened_at: last.opened_at, request_id: last.request_id } : null };
  }

  async inboxTotal(namespace: string, userId: string, places: InboxPlace[]): Promise<number> {
    return withDeadline(countInbox(this.sql, namespace, userId, places, INBOX_BOUND), READ_MS, 'inbox total');
  }

  /** The places of somebody who is not the caller: who has delegated to them is looked up. */
  async placesOf(namespace: string, person: Delegator): Promise<InboxPlace[]> {
    return inboxPlaces(person, await withDeadline(findDelegators(this.sql, namespace, person.user_id), READ_MS, 'delegations'));
  }

  /** A page of the log. @throws UmpireError `not_found` */
  async timeline(key: Key, afterSeq: number, limit: number): Promise<{ items: unknown[]; next: string | null }> {
    const rows = await withDeadline(findTimeline(this.sql, key, afterSeq, limit + 1), READ_MS, 'timeline');
    if (rows.length === 0 && !(await findVersion(this.sql, key))) throw notFound(key);
    const items = rows.slice(0, limit).map((row) => ({
      ...row,
      actor: row.actor === null ? null : (JSON.parse(row.actor) as unknown),
      data: row.data === null ? null : (JSON.parse(row.data) as unknown),
    }));
    return { items, next: rows.length > limit ? String(items.at(-1)!.seq) : null };
  }

  /** The same as `renderings`, and what is sent of them, for pages that are asked for again and again. */
  page(rows: HotRow[]): Promise<Rendered> {
    return this.pages.get(rows, () => this.renderings(rows));
  }

  /** Renderings of the rows' versions as bytes of JSON, in order, from the cache or made and kept; null for a row that is gone meanwhile. */
  async renderings(rows: HotRow[]): Promise<(Uint8Array | null)[]> {
    const cached = await this.cache.get(rows);
    const missing = rows.filter((_, index) => cached[index] === null);
    if (missing.length === 0) return cached;
    const documents = new Map((await this.documents(missing)).map((document) => [`${document.namespace}/${document.request_id}`, document]));
    const made = new Map<string, Uint8Array>();
    const keep: { row: HotRow; text: string }[] = [];
    for (const row of missing) {
      const document = documents.get(`${row.namespace}/${row.request_id}`);
      if (!document) continue;
      const text = renderItem(document);
      made.set(`${row.namespace}/${row.request_id}`, encodeUtf8(text));
      // The row may have moved on since its version was read: kept under the version that was rendered.
      keep.push({ row: { ...row, seq: document.seq }, text });
    }
    void this.cache.put(keep);
    return rows.map((row, index) => cached[index] ?? made.get(`${row.namespace}/${row.request_id}`) ?? null);
  }
}

/** Where a person's items come from: their own name and roles, and those of who has delegated to them for now. */
export function inboxPlaces(person: Delegator, delegators: Delegator[]): InboxPlace[] {
  return [person, ...delegators].flatMap((one) => [`u:${one.user_id}`, ...one.roles.map((role) => `r:${role}`)].map((principal) => ({ principal, person: one.user_id })));
}

function notFound(key: Key): UmpireError {
  return new UmpireError('not_found', `no escalation has the id ${JSON.stringify(key.request_id)}`);
}

/**
 * Reviewers read what they may decide, for themselves or for who has delegated to them, and what they decided or were assigned;
 * producers and admins all of their namespace.
 */
export function mayRead(principal: Principal, state: Pick<EscalationState, 'electorate' | 'responders' | 'delegations' | 'excluded'>): boolean {
  if (principal.roles.includes('admin') || principal.roles.includes('producer')) return true;
  const userId = principal.user_id;
  if (userId === null) return false;
  const seated = (person: Delegator) => state.electorate.users.includes(person.user_id) || state.electorate.roles.some((role) => person.roles.includes(role));
  const excluded = (person: Delegator) => state.excluded.includes(person.user_id) || state.excluded.includes(userId);
  return (
    seated({ user_id: userId, roles: principal.roles }) ||
    (principal.acts_for ?? []).some((person) => seated(person) && !excluded(person)) ||
    state.responders.includes(userId) ||
    state.delegations.some((delegation) => delegation.to === userId)
  );
}
