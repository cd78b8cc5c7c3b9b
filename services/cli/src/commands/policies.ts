import { parseDocument } from 'yaml';
import { PAGES, type Command } from '../command.ts';
import { UsageError } from '../failures.ts';
import { facts, table } from '../print.ts';

type Policy = { id: string; version: number; description?: string | null; created_at?: string };
type Simulation = { policy: { id: string; version: number } | null; [more: string]: unknown };

/** YAML 1.2 holds JSON: one reader for both. @throws UsageError with line and column */
export function documentIn(text: string, file: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  const [fault] = document.errors;
  if (fault) throw new UsageError(`${file}: ${fault.message}`);
  return document.toJS({ maxAliasCount: 100 }) as unknown;
}

const named = (policy: Policy) => facts([['policy', policy.id], ['version', policy.version]]);

export const policies: Command[] = [
  {
    name: 'policies list', takes: [], as: 'admin',
    about: 'the policies in force',
    options: PAGES,
    run: async (umpire, args) => {
      const page = await umpire.list<Policy>('/policies', {}, { limit: args.get('limit'), after: args.get('after'), all: args.on('all') });
      return { json: page, text: table([['policy', (one) => one.id], ['version', (one) => one.version], ['since', (one) => one.created_at], ['description', (one) => one.description]], page.items, page.next) };
    },
  },
  {
    name: 'policies validate', takes: ['<file>'], as: 'admin',
    about: 'check a policy document (YAML or JSON) without putting it in force',
    options: {},
    run: async (umpire, args, read) => {
      const told = await umpire.post<Policy>('/policies', documentIn(await read(args.names[0]!), args.names[0]!), { dry_run: true });
      return { json: told, text: 'valid' };
    },
  },
  {
    name: 'policies apply', takes: ['<file>'], as: 'admin',
    about: 'put a policy document (YAML or JSON) in force as its next version',
    options: {},
    run: async (umpire, args, read) => {
      const told = await umpire.post<Policy>('/policies', documentIn(await read(args.names[0]!), args.names[0]!));
      return { json: told, text: named(told) };
    },
  },
  {
    name: 'policies simulate', takes: ['<file>'], as: 'admin',
    about: 'which policy would take this message, and why; the message is JSON as a producer sends it',
    options: {},
    run: async (umpire, args, read) => {
      const told = await umpire.postText<Simulation>('/policies/simulate', await read(args.names[0]!));
      return { json: told, text: `${told.policy ? named(told.policy) : 'no policy takes it: the built-in rules hold'}\n\n${JSON.stringify(told, null, 2)}` };
    },
  },
];
