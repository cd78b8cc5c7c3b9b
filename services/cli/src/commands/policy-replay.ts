import { systemClock } from '@umpire/runtime';
import type { Umpire } from '../client.ts';
import type { Arguments, Command, Result, Workplace } from '../command.ts';
import { secondsOf } from '../durations.ts';
import { UsageError } from '../failures.ts';
import { table } from '../print.ts';
import { documentIn } from './policies.ts';

type Course = { asked: { users: string[]; roles: string[] }; level: number; state: string; source: string | null; verdict: string | null; ended_at: string | null };
type Change = { request_id: string; before: Course; after: Course | null; differs: string[]; not_run: { message: string }[] | null };
type Counts = Record<string, number>;
/** `POST /policies/replay`. */
type Page = { read: number; skipped: Counts; taken_by_draft: number; changed: number; short_of_answers: number; before: Counts; after: Counts; changes: Change[]; at: string | null; next: string | null };
type Summary = Omit<Page, 'at' | 'next'>;

const SHOWN = 20;
const TALLIES: [name: string, words: string][] = [
  ['by_people', 'decided by people'], ['timed_out', 'timed out'], ['defaulted', '… with the default'], ['expired', '… expired'], ['raised', 'raised'], ['cancelled', 'cancelled'], ['pending', 'pending'],
];

export const policyReplay: Command[] = [
  {
    name: 'policies replay', takes: ['<file>'], as: 'admin',
    about: 'what a policy document (YAML or JSON) would have changed of what is recorded; puts nothing in force',
    options: {
      since: { value: '<when>', about: 'escalations opened since then: RFC 3339, or how long ago (30d, 12h)' },
      until: { value: '<when>', about: 'and before then' },
      changes: { value: '<n>', about: `how many changes to show and keep (default ${SHOWN})` },
    },
    run: replay,
  },
];

async function replay(umpire: Umpire, args: Arguments, read: (name: string) => Promise<string>, { err }: Workplace): Promise<Result> {
  const document = documentIn(await read(args.names[0]!), args.names[0]!);
  const until = args.get('until');
  const query = { since: momentOf('since', args.need('since')), until: until === undefined ? undefined : momentOf('until', until) };
  const most = mostOf(args.get('changes'));
  const summary: Summary = { read: 0, skipped: {}, taken_by_draft: 0, changed: 0, short_of_answers: 0, before: {}, after: {}, changes: [] };
  for (let after: string | undefined; ; ) {
    const page: Page = await umpire.post<Page>('/policies/replay', document, { ...query, after });
    add(summary, page, most);
    if (page.next === null) return { json: { ...query, ...summary }, text: shown(summary) };
    if (!args.on('json')) err(`${summary.read} read, to ${page.at}`);
    after = page.next;
  }
}

function momentOf(option: string, text: string): string {
  if (/^\d{4}-/.test(text)) {
    if (Number.isNaN(Date.parse(text))) throw new UsageError(`--${option} must be RFC 3339 or a duration, not "${text}"`);
    return new Date(text).toISOString();
  }
  return new Date(systemClock.now() - secondsOf(option, text) * 1_000).toISOString();
}

function mostOf(text: string | undefined): number {
  if (text === undefined) return SHOWN;
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`--changes must be a number, not "${text}"`);
  return Number(text);
}

/** Only counts grow with the record, and as many changes as were asked for. */
function add(summary: Summary, page: Page, most: number): void {
  for (const name of ['read', 'taken_by_draft', 'changed', 'short_of_answers'] as const) summary[name] += page[name];
  for (const name of ['skipped', 'before', 'after'] as const) for (const [key, count] of Object.entries(page[name])) summary[name][key] = (summary[name][key] ?? 0) + count;
  summary.changes.push(...page.changes.slice(0, Math.max(0, most - summary.changes.length)));
}

function shown(summary: Summary): string {
  const skipped = Object.entries(summary.skipped).filter(([, count]) => count > 0).map(([why, count]) => `${count} ${why}`);
  const head = [
    `${summary.read} escalations read, ${summary.taken_by_draft} for this policy, ${summary.changed} would have gone otherwise.`,
    ...(skipped.length === 0 ? [] : [`Not run: ${skipped.join(', ')}.`]),
    ...(summary.short_of_answers === 0 ? [] : [`${summary.short_of_answers} that people had decided would not have been decided by the answers that were given then.`]),
  ];
  const counts = table([['', ([, words]: [string, string]) => words], ['was', ([name]) => summary.before[name]], ['would have been', ([name]) => summary.after[name]]], TALLIES);
  const changes = table<Change>([
    ['id', (one) => one.request_id], ['differs', (one) => (one.not_run ? 'not run' : one.differs.join(','))], ['was', (one) => endOf(one.before)],
    ['would have been', (one) => (one.after ? endOf(one.after) : one.not_run?.map(({ message }) => message).join('; '))], ['asked', (one) => one.after && [...one.after.asked.users, ...one.after.asked.roles.map((role) => `@${role}`)].join(',')],
  ], summary.changes);
  return [head.join('\n'), counts, ...(summary.changes.length === 0 ? [] : [changes])].join('\n\n');
}

const endOf = ({ state, verdict, source, level }: Course): string => [verdict ?? state, ...(source === 'timeout' ? ['by timeout'] : []), ...(level > 0 ? [`level ${level}`] : [])].join(', ');
