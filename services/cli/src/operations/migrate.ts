import type { Operation, Result } from '../command.ts';
import { EXIT } from '../failures.ts';
import { withOwner } from './database.ts';
import { asked } from './faults.ts';

type Env = Record<string, string | undefined>;
type State = import('@umpire/operations').SchemaState;

const WORDS: Record<State['state'], (state: State) => string> = {
  current: ({ database }) => `at ${database}, current`,
  behind: ({ database, pending }) => `at ${database}, ${pending.length} to apply (${pending.join(', ')})`,
  ahead: ({ database, build }) => `at ${database}, newer than this build's ${build}: this build works beside it`,
  beyond: ({ database, build }) => `at ${database}, newer than this build's ${build}, by a migration that this build cannot work beside: deploy the newer build`,
  changed: () => 'an applied migration is not the one in this build',
};
const describe = (state: State) => `${state.component}: ${WORDS[state.state](state)}`;
/** A database that is ahead is served by this build: that an image can be rolled back is what migrations are made for. */
const SERVED = new Set<State['state']>(['current', 'ahead']);

async function check(env: Env): Promise<Result> {
  return asked(async () => {
    const { schemaStates } = await import('@umpire/operations');
    const states = await withOwner(env, schemaStates);
    return { json: states, text: states.map(describe).join('\n'), exit: states.every(({ state }) => SERVED.has(state)) ? EXIT.ok : EXIT.differs };
  });
}

async function migrate(env: Env): Promise<Result> {
  return asked(async () => {
    const [{ COMPONENTS, migrateAll, schemaStates }, { loadConfig }, { z }] = await Promise.all([import('@umpire/operations'), import('@umpire/runtime'), import('zod')]);
    const password = z.string().min(8, 'a role\'s password has at least 8 characters').optional();
    const passwords = Object.fromEntries(COMPONENTS.map(({ service }) => [service, loadConfig(service, { rolePassword: password }, env).rolePassword]));
    const { applied, states } = await withOwner(env, async (sql) => ({ applied: await migrateAll(sql, passwords), states: await schemaStates(sql) }));
    const ahead = states.filter(({ state }) => state === 'ahead');
    const told = applied === 0 ? 'nothing to migrate; rights are as they should be' : `${applied} migrations applied`;
    return { json: { migrations: applied, states }, text: [told, ...ahead.map(describe)].join('\n') };
  });
}

export const migration: Operation[] = [
  {
    name: 'migrate', takes: [], about: 'brings the database forward and grants each service\'s role its rights',
    options: { check: { about: 'only says how far it is; exit code 0 if this build can work on it (current or ahead), 4 if not (behind, beyond, changed), 3 if nobody answers' } },
    run: (args, env) => (args.on('check') ? check(env) : migrate(env)),
  },
];
