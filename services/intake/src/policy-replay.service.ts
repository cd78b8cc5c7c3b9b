import {
  decodeFrame, decodeUtf8, readJson, subjects, UmpireError, type FieldError, type HistoryHeader, type HistoryItem, type HistoryQuery, type JsonNode, type Principal, type Rules,
} from '@umpire/contract';
import { resolveRules, type Electorate } from '@umpire/domain';
import type { Bus, Sql } from '@umpire/runtime';
import { checkPolicy, type CheckedPolicy } from './policy-document.ts';
import { inferInteraction, same } from './policy-inference.ts';
import { inOrder, matchOf, Question, type ActivePolicy } from './policy-match.ts';
import { findDocument } from './policy.queries.ts';
import { recordedCourse, rerun, type Course } from './policy-replay.ts';
import type { PolicyService } from './policy.service.ts';

const ASK_MS = 10_000;
/** Version of a document that is in force nowhere. */
const DRAFT = 0;

/** What differs for one escalation. `not_run`: why it could not be run under the draft. */
export type Change = { request_id: string; reason: string; opened_at: string; before: Course; after: Course | null; differs: Difference[]; refused_answers: string[]; not_run: FieldError[] | null };
export type Difference = 'policy' | 'asked' | 'level' | 'outcome' | 'time';

/** Counts of what was, or would have been. */
export type Tally = { by_people: number; timed_out: number; defaulted: number; expired: number; raised: number; cancelled: number; pending: number };
export type ReplayPage = {
  read: number;
  /** Not run: the content is erased, the rules cannot be traced back to what the producer said, or would be refused. */
  skipped: { erased: number; untraceable: number; refused: number };
  taken_by_draft: number;
  changed: number;
  /** Decided by people then, and not under the draft: answers are missing that nobody was asked for. */
  short_of_answers: number;
  before: Tally;
  after: Tally;
  changes: Change[];
  /** How far it has come. */
  at: string | null;
  next: string | null;
};

export type ReplayQuery = { since: string; until?: string | undefined; after?: string | undefined; limit: number };
type Draft = { policies: readonly ActivePolicy[]; draft: ActivePolicy; groups: Map<string, string[]>; now: number; earlier: (policy: HistoryItem['policy']) => Promise<CheckedPolicy | null> };

/** Tries a policy that is in force nowhere on what was recorded, a page at a time: nothing is kept between pages. */
export class PolicyReplay {
  private readonly bus: Pick<Bus, 'request'>;
  private readonly sql: Sql;
  private readonly policies: PolicyService;

  constructor(deps: { bus: Pick<Bus, 'request'>; sql: Sql; policies: PolicyService }) {
    this.bus = deps.bus;
    this.sql = deps.sql;
    this.policies = deps.policies;
  }

  /**
   * @param value the draft's document
   * @throws UmpireError `invalid` with every field of the draft at fault; `unavailable` while the store is away
   */
  async page({ namespace }: Principal, value: unknown, { since, until, after, limit }: ReplayQuery): Promise<ReplayPage> {
    const checked = checkPolicy(value, namespace);
    if (!checked.ok) throw new UmpireError('invalid', 'the policy is not usable; see errors', { errors: checked.errors });
    const draft: ActivePolicy = { ...checked.policy, id: checked.policy.document.id, version: DRAFT, enabled: true };
    const policies = inOrder([...this.policies.inForce(namespace).filter(({ id }) => id !== draft.id), draft]);
    const query: HistoryQuery = { namespace, since, until: until ?? null, after: after ?? null, limit, groups: groupsIn(policies) };
    const { header, bodies } = decodeFrame<HistoryHeader>(await this.bus.request(subjects.query('history'), JSON.stringify(query), ASK_MS));
    const context: Draft = { policies, draft, groups: new Map(Object.entries(header.groups)), now: Date.parse(header.now), earlier: this.versionReader(namespace) };
    const page: ReplayPage = {
      read: header.items.length, skipped: { erased: 0, untraceable: 0, refused: 0 }, taken_by_draft: 0, changed: 0, short_of_answers: 0, before: emptyTally(), after: emptyTally(), changes: [],
      at: header.items.at(-1)?.opened_at ?? null, next: header.next,
    };
    for (const [index, item] of header.items.entries()) await one(page, context, namespace, item, bodies[index]!);
    return page;
  }

  /** Versions that took something then, each read once a page. */
  private versionReader(namespace: string): Draft['earlier'] {
    const known = new Map<string, Promise<CheckedPolicy | null>>();
    return (policy) => {
      if (policy === null) return Promise.resolve(null);
      const key = `${policy.id}@${policy.version}`;
      const read = known.get(key) ?? findDocument(this.sql, namespace, policy.id, policy.version).then((text) => {
        const checked = text === undefined ? null : checkPolicy(JSON.parse(text) as unknown, namespace);
        return checked?.ok ? checked.policy : null;
      });
      known.set(key, read);
      return read;
    };
  }
}

/** Groups that any of the policies asks: their members are those of today. */
function groupsIn(policies: readonly ActivePolicy[]): string[] {
  return [...new Set(policies.flatMap(({ document: { interaction } }) => [...(interaction.assignees?.groups ?? []), ...(interaction.levels ?? []).flatMap((level) => level.assignees.groups ?? [])]))];
}

async function one(page: ReplayPage, context: Draft, namespace: string, item: HistoryItem, body: Uint8Array): Promise<void> {
  const before = recordedCourse(item);
  const skip = (why: keyof ReplayPage['skipped']) => void (page.skipped[why] += 1);
  if (item.erased) return skip('erased');
  const subject = { namespace, kind: item.kind, reason: item.reason, payload: readJson(decodeUtf8(body)) as JsonNode };
  const question = new Question(subject);
  const taking = context.policies.find((policy) => question.ask(policy) === null) ?? null;
  if (taking === context.draft) page.taken_by_draft += 1;
  const then = await context.earlier(item.policy);
  const said = item.policy !== null && then === null ? null : inferInteraction(item.rules, { kind: item.kind, reason: item.reason, namespace, ...(then ? { policy: then.document } : {}) });
  if (said === null) return skip('untraceable');
  const resolved = resolveRules(said, { kind: item.kind, reason: item.reason, namespace, ...(taking ? { policy: matchOf(taking) } : {}) });
  const policy = taking && { id: taking.id, version: taking.version };
  const known = { request_id: item.request_id, reason: item.reason, opened_at: item.opened_at, before };
  if (!resolved.ok) {
    skip('refused');
    page.changes.push({ ...known, after: null, differs: [], refused_answers: [], not_run: resolved.errors });
    return undefined;
  }
  count(page.before, before);
  // What would be decided by the same rules went as it went, whoever answers for the rules.
  if (same(resolved.rules, item.rules)) {
    count(page.after, before);
    if (same(policy, before.policy)) return undefined;
    page.changed += 1;
    page.changes.push({ ...known, after: { ...before, policy }, differs: ['policy'], refused_answers: [], not_run: null });
    return undefined;
  }
  const { course, refused } = rerun(item, resolved.rules, policy, expander(context, item, resolved.rules), context.now);
  count(page.after, course);
  page.changed += 1;
  if (before.source === 'human' && course.source !== 'human') page.short_of_answers += 1;
  page.changes.push({ ...known, after: course, differs: differences(before, course), refused_answers: refused, not_run: null });
  return undefined;
}

/** A group that only the producer named is not known here: the people whom it was then, as far as they were asked. */
function expander({ groups }: Draft, item: HistoryItem, rules: Rules): (assignees: Rules['assignees']) => Electorate {
  const named = new Set([...item.rules.assignees.users, ...item.rules.levels.flatMap((level) => level.assignees.users)]);
  const others = item.electorate.users.filter((user) => !named.has(user));
  const excluded = new Set(rules.exclude);
  return ({ users, groups: names, roles }) => ({
    users: [...new Set([...users, ...names.flatMap((name) => groups.get(name) ?? others).filter((user) => !excluded.has(user))])], roles,
  });
}

const emptyTally = (): Tally => ({ by_people: 0, timed_out: 0, defaulted: 0, expired: 0, raised: 0, cancelled: 0, pending: 0 });

function count(tally: Tally, { source, state, level }: Course): void {
  if (source === 'human') tally.by_people += 1;
  if (source === 'timeout') tally.timed_out += 1;
  if (source === 'timeout' && state === 'completed') tally.defaulted += 1;
  if (state === 'expired') tally.expired += 1;
  if (state === 'cancelled') tally.cancelled += 1;
  if (state === 'pending') tally.pending += 1;
  if (level > 0) tally.raised += 1;
}

function differences(before: Course, after: Course): Difference[] {
  const sorted = ({ users, roles }: Electorate) => [[...users].sort(), [...roles].sort()];
  return [
    ...(same(before.policy, after.policy) ? [] : ['policy' as const]),
    ...(same(sorted(before.asked), sorted(after.asked)) ? [] : ['asked' as const]),
    ...(before.level === after.level ? [] : ['level' as const]),
    ...(before.state === after.state && before.source === after.source && before.verdict === after.verdict ? [] : ['outcome' as const]),
    ...(before.ended_at === after.ended_at ? [] : ['time' as const]),
  ];
}
