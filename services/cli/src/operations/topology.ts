import type { TopologyNames } from '@umpire/contract';
import type { Arguments, Operation, Option, Result } from '../command.ts';
import { EXIT, UsageError } from '../failures.ts';
import { asked } from './faults.ts';

type Difference = import('@umpire/runtime').Difference;
type Facts = import('@umpire/operations').ServerFacts;
type Operator = import('@umpire/operations').Operator;
type Config = import('@umpire/operations').OperatorConfig;
type Env = Record<string, string | undefined>;

/** Works on the operator's connection; the libraries are loaded when they are needed. */
async function withOperator<T>(env: Env, work: (operator: Operator, namespaces: Config['namespaces']) => Promise<T>): Promise<T> {
  return asked(async () => {
    const operations = await import('@umpire/operations');
    const config = operations.readOperatorConfig(env);
    const operator = await operations.Operator.connect(config);
    try {
      return await work(operator, config.namespaces);
    } finally {
      await operator.close();
    }
  });
}

/** Streams and consumers on the server against the table. */
async function compared(env: Env, act: 'compare' | 'apply'): Promise<{ differences: Difference[]; facts: Facts }> {
  return withOperator(env, async (operator, namespaces) => {
    const { applyTopology, compareTopology } = await import('@umpire/runtime');
    const differences = await (act === 'apply' ? applyTopology : compareTopology)(operator.target, namespaces);
    return { differences, facts: await operator.facts() };
  });
}

const wrongOf = (differences: Difference[]) => differences.filter(({ state }) => state !== 'ok');

async function lines(differences: Difference[], sign: (difference: Difference) => string): Promise<string[]> {
  const { describeDifference } = await import('@umpire/runtime');
  return differences.map((difference) => `${sign(difference)} ${describeDifference(difference)}`);
}

async function plan(env: Env): Promise<Result> {
  const { differences, facts } = await compared(env, 'compare');
  const wrong = wrongOf(differences);
  const shown = await lines(wrong, ({ state }) => (state === 'missing' ? '+' : '~'));
  const end = wrong.length === 0 ? `nothing to do: ${differences.length} streams and consumers are as they should be` : `${wrong.length} of ${differences.length} to make or change: umpire topology apply`;
  return { json: { differences: wrong, server: facts }, text: [...shown, end].join('\n'), exit: wrong.length > 0 ? EXIT.differs : EXIT.ok };
}

async function apply(env: Env): Promise<Result> {
  const { differences, facts } = await compared(env, 'apply');
  const shown = await lines(differences, () => 'done:');
  return { json: { changed: differences, server: facts }, text: [...shown, `${differences.length} made or changed`].join('\n') };
}

async function check(env: Env): Promise<Result> {
  const { differences, facts } = await compared(env, 'compare');
  const wrong = wrongOf(differences);
  const streams = facts.streams.map(({ stream, copies, storage, worth }) => `${stream}: ${copies} ${copies === 1 ? 'copy' : 'copies'}, ${storage}; an ack means: ${worth}`);
  const text = [...(await lines(wrong, () => 'wrong:')), `nats-server ${facts.version ?? '(unknown)'}${facts.cluster === null ? '' : `, cluster ${facts.cluster}`}`, ...streams,
    ...facts.advice.map((line) => `mind: ${line}`), wrong.length === 0 && facts.recent ? 'as it should be' : 'not as it should be'];
  return { json: { differences: wrong, server: facts }, text: text.join('\n'), exit: wrong.length > 0 || !facts.recent ? EXIT.differs : EXIT.ok };
}

const accountOptions: Record<string, Option> = {
  permissions: { about: 'what each user may publish and hear, as JSON, for users that are made by other means' },
};

async function accounts(permissions: boolean, env: Env): Promise<Result> {
  return asked(async () => {
    const { accountsConfig, permissionsDocument, readOperatorConfig } = await import('@umpire/operations');
    const config = readOperatorConfig(env);
    const names: TopologyNames = { streamPrefix: config.natsStreamPrefix, topology: config.topology, ...(config.natsDomain === undefined ? {} : { domain: config.natsDomain }) };
    const document = permissionsDocument(config.namespaces, names);
    return { json: document, text: permissions ? JSON.stringify(document, null, 2) : accountsConfig(config.namespaces, names).trimEnd() };
  });
}

const eventsOptions: Record<string, Option> = {
  since: { value: '<time>', about: 'RFC 3339 with Z: when the backup began' },
};

/** JSON lines, as they come: a week of events need not fit into memory. */
async function events(args: Arguments, env: Env, say: (line: string) => void): Promise<Result> {
  const since = new Date(args.need('since'));
  if (Number.isNaN(since.getTime())) throw new UsageError('--since is a time such as 2026-01-15T10:30:00Z');
  const { eventsSince } = await import('@umpire/operations');
  const told = await withOperator(env, (operator) => eventsSince(operator, since, (event) => say(JSON.stringify(event))));
  return { json: { events: told }, text: '' };
}

const forgetOptions: Record<string, Option> = {
  yes: { about: 'really: without it nothing is done' },
};

async function forget(args: Arguments, env: Env): Promise<Result> {
  if (!args.on('yes')) throw new UsageError('this deletes the streams of events and outcomes: stop the services first, then say --yes (deploy/runbook.md, restore drill)');
  const { forgetStreams } = await import('@umpire/operations');
  const gone = await withOperator(env, forgetStreams);
  return { json: { deleted: gone }, text: gone.length === 0 ? 'nothing was there' : gone.map((name) => `deleted: ${name}`).join('\n') };
}

export const topology: Operation[] = [
  { name: 'topology plan', takes: [], about: 'what apply would make or change on NATS; exit code 4 if anything', options: {}, run: (_, env) => plan(env) },
  { name: 'topology apply', takes: [], about: 'makes and mends streams and consumers; removes nothing', options: {}, run: (_, env) => apply(env) },
  { name: 'topology check', takes: [], about: 'whether streams and consumers are right, and what an ack is worth; exit code 4 if not', options: {}, run: (_, env) => check(env) },
  { name: 'topology events', takes: [], about: 'every event on NATS since a time, JSON lines: what a backup of that time does not know', options: eventsOptions, run: events },
  { name: 'topology forget', takes: [], about: 'deletes the streams of events and outcomes, for the restore drill; the store makes them again', options: forgetOptions, run: forget },
  { name: 'topology accounts', takes: [], about: 'NATS accounts, users and permissions for UMPIRE_NAMESPACES', options: accountOptions, run: (args, env) => accounts(args.on('permissions'), env) },
];
