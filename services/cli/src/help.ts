import { COMMON, OPERATION_COMMON, type Command, type OfflineCommand, type Operation, type Option } from './command.ts';

/** One line for each command and operation. */
export function overview(commands: (Command | OfflineCommand)[], operations: Operation[] = []): string {
  const line = ({ name, takes, about }: Pick<Command, 'name' | 'takes' | 'about'>): [string, string] => [[name, ...takes].join(' '), about];
  const lines = commands.map(line);
  return `umpire <command> [options]: asks a running Umpire. Through npm: npm run -s umpire -- keys list

${columns(lines)}
${operations.length === 0 ? '' : `
On the servers themselves (deploy/README.md says what they read of the environment):

${columns(operations.map(line))}
`}
Every command has --help and --json. Address and key come from --connection <file>, else from UMPIRE_URL and UMPIRE_KEY, else from
connection.json in UMPIRE_HOME (default: .umpire/ in this clone).

Exit codes: 0 done, 1 refused or not verified, 2 not understood, 3 nobody there, 4 not as it should be (plan, check).`;
}

export function helpOf(command: Command | OfflineCommand): string {
  const usage = ['umpire', command.name, ...command.takes].join(' ');
  const own = Object.entries(command.options);
  return `${usage}: ${command.about}

${columns([...own, ...Object.entries(COMMON)].map(([name, option]) => [spelled(name, option), option.about]))}`;
}

export function helpOfOperation({ name, takes, about, options }: Operation): string {
  return `umpire ${[name, ...takes].join(' ')}: ${about}

${columns([...Object.entries(options), ...Object.entries(OPERATION_COMMON)].map(([option, text]) => [spelled(option, text), text.about]))}`;
}

const spelled = (name: string, { value, many }: Option) => `--${name}${value === undefined ? '' : ` ${value}`}${many ? ' ...' : ''}`;

function columns(lines: [string, string][]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
