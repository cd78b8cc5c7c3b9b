import type { Operation, Result } from '../command.ts';
import { EXIT } from '../failures.ts';
import { withOwner } from './database.ts';
import { asked } from './faults.ts';

type Env = Record<string, string | undefined>;
type State = import('@umpire/operations').SchemaState;

const describe = ({ component, database, build, state, pending }: State) =>
  `${component}: ${state === 'current' ? `at ${database}, current` : state === 'behind' ? `at ${database}, ${pending.length} to apply (${pending.join(', ')})`
    : state === 'ahead' ? `at ${database}, newer than this build's ${build}` : 'an applied migration is not the one in this build'}`;

async function check(env: Env): Promise<Result> {
  return asked(async () => {
    const { schemaStates } = await import('@umpire/operations');
    const states = await withOwner(env, schemaStates);
    // A database that is ahead is served by this build: migrations are safe beside the previous version.
    const wrong = states.some(({ state }) => state === 'behind' || state === 'changed');
    return { json: states, text: states.map(describe).join('\n'), exit: wrong ? EXIT.differs : EXIT.ok };
  });
}

async function migrate(env: Env): Promise<Result> {
  return asked(async () => {
    const [{ COMPONENTS, migrateAll }, { loadConfig }, { z }] = await Promise.all([import('@umpire/operations'), import('@umpire/runtime'), import('zod')]);
    const password = z.string().min(8, 'a role\'s password has at least 8 characters').optional();
    const passwords = Object.fromEntries(COMPONENTS.map(({ service }) => [service, loadConfig(service, { rolePassword: password }, env).rolePassword]));
    const applied = await withOwner(env, (sql) => migrateAll(sql, passwords));
    return { json: { migrations: applied }, text: applied === 0 ? 'nothing to migrate; rights are as they should be' : `${applied} migrations applied` };
  });
}

export const migration: Operation[] = [
  {
    name: 'migrate', takes: [], about: 'brings the database forward and grants each service\'s role its rights',
    options: { check: { about: 'only says how far it is; exit code 4 if something is to be applied' } },
    run: (args, env) => (args.on('check') ? check(env) : migrate(env)),
  },
];
