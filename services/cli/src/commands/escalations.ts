import { idToken, type Outcome } from '@umpire/contract';
import { PAGES, type Arguments, type Command, type Reader } from '../command.ts';
import { UsageError } from '../failures.ts';
import { facts, table, visible, type Column } from '../print.ts';

type Item = {
  interaction_id: string; status: string; reason: string; pattern: string; priority: string; prompt: string | null; summary: string | null; created_at: string;
  expires_at: string | null; claimed_by: string | null; electorate: { users: string[]; roles: string[] }; options: (string | { value: string })[];
  votes: { user_id: string; verdict: string; at: string }[]; outcome: Outcome | null; revision: number; data?: unknown;
};

/** Ids are anybody's text: a token of one passes every proxy. */
const pathOf = (id: string) => `/hitl/escalations/~${idToken(id)}`;

const COLUMNS: Column<Item>[] = [
  ['id', (item) => item.interaction_id], ['status', (item) => item.status], ['verdict', (item) => item.outcome?.verdict], ['priority', (item) => item.priority],
  ['opened', (item) => item.created_at], ['deadline', (item) => item.expires_at], ['claimed', (item) => item.claimed_by],
  ['summary', (item) => (item.summary ?? item.prompt ?? '').slice(0, 60)],
];

export const escalations: Command[] = [
  {
    name: 'escalations list', takes: [], as: 'admin',
    about: 'escalations that fit, a page at a time',
    options: {
      state: { value: '<state>', many: true, about: 'pending, completed, expired, cancelled' },
      reason: { value: '<reason>', many: true, about: 'hard_disagreement, low_confidence, inconsistent_evidence, custom_rule' },
      priority: { value: '<priority>', many: true, about: 'low, normal, high, critical' },
      assignee: { value: '<user>', about: 'who it is assigned to by name' },
      role: { value: '<role>', about: 'which role it is assigned to' },
      text: { value: '<words>', about: 'in summary, prompt or task id' },
      sort: { value: '<order>', about: 'age, deadline or priority; --sort=-age is newest first' },
      ...PAGES,
    },
    run: async (umpire, args) => {
      const several = (option: string) => args.list(option).join(',') || undefined;
      const query = {
        state: several('state'), reason: several('reason'), priority: several('priority'), assignee: args.get('assignee'), assignee_role: args.get('role'),
        text: args.get('text'), sort: args.get('sort'),
      };
      const page = await umpire.list<Item>('/hitl/escalations', query, { limit: args.get('limit'), after: args.get('after'), all: args.on('all') });
      return { json: page, text: table(COLUMNS, page.items, page.next) };
    },
  },
  {
    name: 'escalations show', takes: ['<id>'], as: 'admin',
    about: 'one escalation in full',
    options: {},
    run: async (umpire, args) => {
      const item = await umpire.get<Item>(pathOf(args.names[0]!));
      return { json: item, text: inFull(item) };
    },
  },
  {
    name: 'escalations respond', takes: ['<id>'], as: null,
    about: 'answer as a reviewer (--as, or a reviewer\'s UMPIRE_KEY)',
    options: {
      decision: { value: '<option>', about: 'short for --field decision=<option>' },
      field: { value: '<name>=<text>', many: true, about: 'one of the form\'s fields; <name>:=<json> for numbers and the like' },
      input: { value: '<file>', about: 'the whole answer as a JSON object in a file (- is standard input)' },
      revision: { value: '<n>', about: 'the revision that you saw: refused if there is a newer one' },
    },
    run: async (umpire, args, read) => {
      const revision = args.get('revision');
      const told = await umpire.post<{ interaction_id: string; state: string; seq: number; outcome?: Outcome }>('/hitl/respond', {
        interaction_id: args.names[0], user_input: await answerIn(args, read), revision: revision === undefined ? undefined : Number(revision),
      });
      return { json: told, text: facts([['id', told.interaction_id], ['state', told.state], ['verdict', told.outcome?.verdict]]) };
    },
  },
  {
    name: 'escalations cancel', takes: ['<id>'], as: 'producer',
    about: 'take a question back',
    options: { detail: { value: '<text>', about: 'why' } },
    run: async (umpire, args) => {
      const told = await umpire.post<{ state: string }>(`${pathOf(args.names[0]!)}/cancel`, { detail: args.get('detail') });
      return { json: told, text: facts([['id', args.names[0]], ['state', told.state]]) };
    },
  },
];

function inFull(item: Item): string {
  const decides = [...item.electorate.users, ...item.electorate.roles.map((role) => `any ${role}`)].join(', ');
  const head = facts([
    ['id', item.interaction_id], ['status', item.status], ['reason', item.reason], ['pattern', item.pattern], ['priority', item.priority], ['summary', item.summary],
    ['prompt', item.prompt], ['opened', item.created_at], ['deadline', item.expires_at], ['revision', item.revision], ['decides', decides], ['claimed by', item.claimed_by],
    ['options', item.options.map((option) => (typeof option === 'string' ? option : option.value)).join(', ')],
    ['votes', item.votes.map((vote) => `${vote.user_id}: ${vote.verdict}`).join(', ')], ['outcome', item.outcome?.state], ['verdict', item.outcome?.verdict],
    ['source', item.outcome?.source],
  ]);
  return `${head}\n\n${visible(JSON.stringify(item.data ?? null, null, 2))}`;
}

async function answerIn(args: Arguments, read: Reader): Promise<Record<string, unknown>> {
  const file = args.get('input');
  const answer: Record<string, unknown> = file === undefined ? {} : objectIn(await read(file));
  for (const field of args.many('field')) {
    const match = /^([^=]+?)(:?=)([^]*)$/.exec(field);
    if (!match) throw new UsageError(`--field must be <name>=<text> or <name>:=<json>, not "${field}"`);
    answer[match[1]!] = match[2] === '=' ? match[3] : jsonIn(match[3]!, `--field ${match[1]}`);
  }
  const decision = args.get('decision');
  if (decision !== undefined) answer['decision'] = decision;
  if (Object.keys(answer).length === 0) throw new UsageError('give an answer: --decision, --field or --input');
  return answer;
}

function objectIn(text: string): Record<string, unknown> {
  const value = jsonIn(text, '--input');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UsageError('--input must hold a JSON object');
  return value as Record<string, unknown>;
}

function jsonIn(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UsageError(`${what} is not JSON: ${(error as Error).message}`);
  }
}
