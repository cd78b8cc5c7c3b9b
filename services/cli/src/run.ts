import { resolve } from 'node:path';
import { Umpire } from './client.ts';
import { OPERATION_COMMON, readArguments, type Arguments, type Command, type OfflineCommand, type Operation, type Result } from './command.ts';
import { audit } from './commands/audit.ts';
import { delegations } from './commands/delegations.ts';
import { escalations } from './commands/escalations.ts';
import { groups } from './commands/groups.ts';
import { keys } from './commands/keys.ts';
import { policies } from './commands/policies.ts';
import { policyReplay } from './commands/policy-replay.ts';
import { reads } from './commands/reads.ts';
import { record } from './commands/record.ts';
import { rejected } from './commands/rejected.ts';
import { connectionFor, type ConnectionSources } from './connection.ts';
import { EXIT, Refused, Unreachable, UsageError } from './failures.ts';
import { helpOf, helpOfOperation, overview } from './help.ts';
import { firstKey } from './operations/first-key.ts';
import { migration } from './operations/migrate.ts';
import { topology } from './operations/topology.ts';
import { visible } from './print.ts';

/** What a command may touch of the world. Lines are written without their end. */
export type Surroundings = ConnectionSources & { readInput: () => Promise<string>; out: (line: string) => void; err: (line: string) => void };

export const COMMANDS: (Command | OfflineCommand)[] = [...keys, ...groups, ...delegations, ...escalations, ...policies, ...policyReplay, ...reads, ...rejected, ...audit, ...record];

export const OPERATIONS: Operation[] = [...topology, ...migration, ...firstKey];

/**
 * Runs one command line.
 * @returns the exit code: 0 done, 1 refused or not verified, 2 not understood, 3 nobody there, 4 not as it should be
 */
export async function run(argv: string[], world: Surroundings): Promise<number> {
  const json = argv.includes('--json');
  try {
    const operation = operationOf(argv);
    const { text, exit = EXIT.ok } = operation ? await operate(operation, argv, world) : await outputOf(argv, world);
    if (text !== '') world.out(text);
    return exit;
  } catch (error) {
    if (error instanceof UsageError) return tell(world, json, { code: 'usage', detail: error.message }, `umpire: ${error.message}\n(umpire --help)`, EXIT.usage);
    if (error instanceof Unreachable) return tell(world, json, { code: 'unreachable', detail: error.message }, `umpire: ${error.message}`, EXIT.unreachable);
    if (error instanceof Refused) return tell(world, json, error.problem, refusal(error), EXIT.refused);
    throw error;
  }
}

/** `topology plan`, or `migrate`, which has no verb. */
function operationOf(argv: string[]): Operation | undefined {
  const [topic, verb] = argv;
  return OPERATIONS.find(({ name }) => name === topic || name === `${topic} ${verb}`);
}

async function operate(operation: Operation, argv: string[], world: Surroundings): Promise<{ text: string; exit?: number }> {
  const args = readArguments(operation, argv.slice(operation.name.split(' ').length), OPERATION_COMMON);
  if (args.on('help')) return { text: helpOfOperation(operation) };
  const result = await operation.run(args, world.env, world.out);
  return { ...result, text: args.on('json') ? JSON.stringify(result.json) : result.text };
}

async function outputOf(argv: string[], world: Surroundings): Promise<{ text: string; exit: number }> {
  const words = argv.findIndex((word) => word.startsWith('-'));
  const [topic, verb] = words < 0 ? argv : argv.slice(0, words);
  if (topic === undefined || topic === 'help') {
    if (argv.length === 0 || topic === 'help' || argv.includes('--help') || argv.includes('-h')) return done(overview(COMMANDS, OPERATIONS));
    throw new UsageError('name a command first, options behind it');
  }
  const ofTopic = COMMANDS.filter((command) => command.name.startsWith(`${topic} `));
  const operations = OPERATIONS.filter(({ name }) => name.startsWith(`${topic} `));
  if (operations.length > 0) throw new UsageError(`umpire ${topic} does ${operations.map(({ name }) => name.split(' ')[1]).join(', ')}`);
  if (ofTopic.length === 0) throw new UsageError(`there is no "${topic}"`);
  const command = ofTopic.find((one) => one.name === `${topic} ${verb}`);
  if (!command) {
    if (verb === undefined && (argv.includes('--help') || argv.includes('-h'))) return done(overview(ofTopic));
    throw new UsageError(`umpire ${topic} does ${ofTopic.map((one) => one.name.split(' ')[1]).join(', ')}${verb === undefined ? '' : `, not "${verb}"`}`);
  }
  const args = readArguments(command, argv.slice(2));
  if (args.on('help')) return done(helpOf(command));
  const read = (name: string) => readText(name, world);
  const result = command.as === 'nobody' ? await command.run(args, read, world) : await asking(command, args, world);
  return { text: args.on('json') ? JSON.stringify(result.json) : result.text, exit: result.exit ?? EXIT.ok };
}

const done = (text: string) => ({ text, exit: EXIT.ok });

async function asking(command: Command, args: Arguments, world: Surroundings): Promise<Result> {
  const wish = { file: args.get('connection'), namespace: args.get('namespace'), as: args.get('as'), otherwise: command.as };
  const umpire = new Umpire(await connectionFor(wish, world));
  return command.run(umpire, args, (name) => readText(name, world), world);
}

async function readText(name: string, world: Surroundings): Promise<string> {
  if (name === '-') return world.readInput();
  return world.readFile(resolve(world.folder, name)).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${name}: ${error.code ?? error.message}`);
  });
}

function tell(world: Surroundings, json: boolean, document: object, text: string, exit: number): number {
  world.err(json ? JSON.stringify(document) : visible(text));
  return exit;
}

function refusal({ problem, message }: Refused): string {
  const lines = (problem.errors ?? []).map(({ path, message: fault }) => `  ${path || '(whole document)'}: ${fault}`);
  const outcome = problem['outcome'] as { state?: string; verdict?: string | null } | undefined;
  return [`umpire: ${message} (${problem.code ?? problem.status})`, ...lines, ...(outcome ? [`  outcome: ${outcome.state}${outcome.verdict ? `, ${outcome.verdict}` : ''}`] : [])].join('\n');
}
