import { COMMON, type Command, type Option } from './command.ts';

/** One line for each command. */
export function overview(commands: Command[]): string {
  const lines = commands.map((command): [string, string] => [[command.name, ...command.takes].join(' '), command.about]);
  return `umpire <command> [options]: asks a running Umpire. Through npm: npm run -s umpire -- keys list

${columns(lines)}

Every command has --help and --json. Address and key come from --connection <file>, else from UMPIRE_URL and UMPIRE_KEY, else from
connection.json in UMPIRE_HOME (default: .umpire/ in this clone).

Exit codes: 0 done, 1 refused, 2 not understood, 3 nobody there.`;
}

export function helpOf(command: Command): string {
  const usage = ['umpire', command.name, ...command.takes].join(' ');
  const own = Object.entries(command.options);
  return `${usage}: ${command.about}

${columns([...own, ...Object.entries(COMMON)].map(([name, option]) => [spelled(name, option), option.about]))}`;
}

const spelled = (name: string, { value, many }: Option) => `--${name}${value === undefined ? '' : ` ${value}`}${many ? ' ...' : ''}`;

function columns(lines: [string, string][]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
