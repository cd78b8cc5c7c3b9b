import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import type { Umpire } from './client.ts';
import { UsageError } from './failures.ts';

/** `value` names what stands behind it; without it the option is a switch. */
export type Option = { value?: string; many?: true; about: string };
export type Values = Record<string, string | boolean | string[] | undefined>;

/** What was typed behind a command's name. Options by name; what the command does not declare never gets here. */
export class Arguments {
  readonly names: string[];
  private readonly values: Values;

  constructor(names: string[], values: Values) {
    this.names = names;
    this.values = values;
  }

  get(option: string): string | undefined {
    const value = this.values[option];
    return typeof value === 'string' ? value : undefined;
  }

  /** @throws UsageError */
  need(option: string): string {
    const value = this.get(option);
    if (value === undefined) throw new UsageError(`--${option} is needed`);
    return value;
  }

  many(option: string): string[] {
    const value = this.values[option];
    return Array.isArray(value) ? value : [];
  }

  on(option: string): boolean {
    return this.values[option] === true;
  }

  /** One of a comma-separated or repeated option's values each. */
  list(option: string): string[] {
    return this.many(option).flatMap((text) => text.split(',')).map((part) => part.trim()).filter((part) => part !== '');
  }
}

/** What a command comes to: `json` for `--json`, `text` for people; `exit`, where a shell is to be told more than that it is done. */
export type Result = { json: unknown; text: string; exit?: number };
/** Reads a file as text; `-` is standard input. */
export type Reader = (name: string) => Promise<string>;

/** The folder that file names are relative to, and where long work says how far it is. */
export type Workplace = { folder: string; err: (line: string) => void };

export type Command = {
  /** `keys create`. */
  name: string;
  /** `<id>`, `<id>...`, `[<id>]`: as many names as it takes. */
  takes: string[];
  about: string;
  options: Record<string, Option>;
  /** Whose key of a connection file serves, unless `--as` says. null: it must say. */
  as: 'admin' | 'producer' | null;
  run: (umpire: Umpire, args: Arguments, read: Reader, place: Workplace) => Promise<Result>;
};

/** What an operator does to the servers themselves: asks no running Umpire, and needs no key of one. `say` is for lines that come one by one. */
export type Operation = Pick<Command, 'name' | 'takes' | 'about' | 'options'> & {
  run: (args: Arguments, env: Record<string, string | undefined>, say: (line: string) => void) => Promise<Result>;
};

/** Options of every operation. */
export const OPERATION_COMMON: Record<string, Option> = {
  json: { about: 'the answer as JSON, on one line' },
  help: { about: 'this text' },
};
/** A command that asks nobody: it works on files alone. */
export type OfflineCommand = Omit<Command, 'as' | 'run'> & { as: 'nobody'; run: (args: Arguments, read: Reader, place: Workplace) => Promise<Result> };

/** Options of every command. */
export const COMMON: Record<string, Option> = {
  connection: { value: '<file>', about: 'address and keys, as npm start writes them' },
  namespace: { value: '<name>', about: 'which of the file\'s namespaces (default: its first)' },
  as: { value: '<who>', about: 'whose key of the file: admin, producer, or a reviewer\'s name' },
  json: { about: 'the answer as JSON, on one line' },
  help: { about: 'this text' },
};

/** Options of commands that list. */
export const PAGES: Record<string, Option> = {
  limit: { value: '<n>', about: 'how many at once (default 100)' },
  after: { value: '<cursor>', about: 'from where an earlier page ended' },
  all: { about: 'every page' },
};

/**
 * Reads what stands behind a command's name.
 * @throws UsageError for an option it does not have, and for names too many or too few
 */
export function readArguments(command: Pick<Command, 'name' | 'takes' | 'options'>, argv: string[], common = COMMON): Arguments {
  const options: ParseArgsOptionsConfig = {};
  for (const [name, option] of Object.entries({ ...command.options, ...common })) {
    options[name] = option.value === undefined ? { type: 'boolean' } : { type: 'string', ...(option.many ? { multiple: true } : {}) };
  }
  options['help'] = { type: 'boolean', short: 'h' };
  let read: { values: Values; positionals: string[] };
  try {
    read = parseArgs({ args: argv, options, allowPositionals: true, strict: true }) as typeof read;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const args = new Arguments(read.positionals, read.values);
  if (!args.on('help')) checkNames(command, read.positionals.length);
  return args;
}

function checkNames({ name, takes }: Pick<Command, 'name' | 'takes'>, given: number): void {
  const least = takes.filter((one) => !one.startsWith('[')).length;
  const most = takes.some((one) => one.includes('...')) ? Infinity : takes.length;
  if (given < least || given > most) throw new UsageError(`umpire ${[name, ...takes].join(' ')}: ${given < least ? 'something is missing' : 'this is too much'}`);
}
