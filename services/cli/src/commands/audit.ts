import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ExportVerifier, Keys, type Report } from '@umpire/record';
import type { Umpire } from '../client.ts';
import type { Arguments, Command, OfflineCommand, Reader, Workplace } from '../command.ts';
import { EXIT, Unreachable, UsageError } from '../failures.ts';
import { linesOf } from '../lines.ts';
import { facts, visible } from '../print.ts';

const MIB = 1024 * 1024;
const TOLD_EVERY = 64 * MIB;
const TRIES = 6;

/** The record: bringing it out, and checking it without asking anybody. */
export const audit: (Command | OfflineCommand)[] = [
  {
    name: 'audit export', takes: [], as: 'admin',
    about: 'the namespace\'s record with its seals, as NDJSON',
    options: {
      since: { value: '<time>', about: 'RFC 3339 or a date: from the first checkpoint at or after it' },
      until: { value: '<time>', about: 'to the first checkpoint at or after it (default: all there is, sealed now)' },
      out: { value: '<file>', about: 'where to; it is there only once it is whole' },
    },
    run: exportRecord,
  },
  {
    name: 'audit verify', takes: ['<file>'], as: 'nobody',
    about: 'check an export, offline: exit 1 if anything in it was changed',
    options: {
      jwks: { value: '<file>', about: 'public keys that you trust; without it the file\'s own only show that it fits itself' },
      anchor: { value: '<file>', many: true, about: 'a checkpoint that you kept (its JWS): the export must hold that very one' },
    },
    run: verifyExport,
  },
];

async function exportRecord(umpire: Umpire, args: Arguments, _: Reader, place: Workplace) {
  const name = args.need('out');
  const query = { since: timeIn(args, 'since'), until: timeIn(args, 'until') };
  const { bytes, lines } = await writeWhole(resolve(place.folder, name), async (write) => {
    let page = await umpire.lines('/audit/export', query);
    let written = 0;
    for (;;) {
      await write(page.text);
      written += Buffer.byteLength(page.text);
      if (Math.floor(written / TOLD_EVERY) > Math.floor((written - Buffer.byteLength(page.text)) / TOLD_EVERY)) place.err(`${Math.floor(written / MIB)} MiB exported`);
      if (page.next === null) return;
      page = await persistently(umpire, page.next);
    }
  });
  return { json: { file: name, bytes, lines }, text: facts([['file', name], ['bytes', bytes], ['lines', lines]]) };
}

/** A page again, while the server is away for a little: nothing is lost by that, pages begin where the last one ended. */
export async function persistently(umpire: Umpire, path: string): Promise<{ text: string; next: string | null }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await umpire.lines(path);
    } catch (error) {
      if (!(error instanceof Unreachable) || attempt === TRIES) throw error;
      await pause(250 * 2 ** attempt);
    }
  }
}

/** Writes a file that appears under its name only once it is whole. @returns its size */
export async function writeWhole(path: string, work: (write: (text: string) => Promise<void>) => Promise<void>): Promise<{ bytes: number; lines: number }> {
  const partial = join(dirname(path), `.${path.split('/').at(-1)!}.partial`);
  const file = await open(partial, 'w', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot write ${path}: ${error.code ?? error.message}`);
  });
  let bytes = 0;
  let lines = 0;
  try {
    await work(async (text) => {
      await file.appendFile(text);
      bytes += Buffer.byteLength(text);
      lines += text.split('\n').length - 1;
    });
    await file.sync();
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw error;
  }
  return { bytes, lines };
}

async function verifyExport(args: Arguments, read: Reader, place: Workplace) {
  const name = args.names[0]!;
  const path = resolve(place.folder, name);
  const jwks = args.get('jwks');
  const anchors = await Promise.all(args.many('anchor').map(read));
  const verifier = verifierFor(jwks === undefined ? undefined : keysIn(jwks, await read(jwks)), anchors);
  const size = await stat(path).then((found) => found.size, (error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${name}: ${error.code ?? error.message}`);
  });
  let seen = 0;
  let told = 0;
  for await (const line of linesOf(path)) {
    verifier.push(line);
    seen += Buffer.byteLength(line) + 1;
    if (seen - told < TOLD_EVERY) continue;
    told = seen;
    place.err(`${Math.floor((100 * seen) / size)} % of ${name} checked`);
  }
  const report = verifier.finish();
  return { json: { ...report, keys: jwks === undefined ? 'of the file itself' : 'given' }, text: summary(report, jwks !== undefined), exit: report.ok ? EXIT.ok : EXIT.refused };
}

function verifierFor(keys: Keys | undefined, anchors: string[]): ExportVerifier {
  try {
    return new ExportVerifier({ ...(keys ? { keys } : {}), anchors });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function keysIn(name: string, text: string): Keys {
  try {
    return new Keys(JSON.parse(text) as unknown);
  } catch (error) {
    throw new UsageError(`${name}: ${(error as Error).message}`);
  }
}

function summary(report: Report, trusted: boolean): string {
  const { checkpoints } = report;
  const head = facts([
    ['verdict', report.ok ? 'the record is as it was sealed' : `NOT VERIFIED: ${report.findings.length + report.findings_left_out} findings`],
    ['namespace', report.namespace], ['exported', report.exported_at], ['since', report.since], ['until', report.until],
    ['checkpoints', checkpoints === null ? 'none' : `${checkpoints.first} to ${checkpoints.last} (digest of the last: ${checkpoints.last_digest})`],
    ['chains', report.chains], ['events', report.events], ['payloads', report.payloads], ['log entries', report.log_entries],
    ['erased', `${report.erased_events} events, each by an erasure on record`],
    ['sealed late', report.late.events === 0 ? 'none' : `${report.late.events} events, over five minutes after they are said to have happened; the first in line ${report.late.line}`],
    ['signed by', report.signed_by.join(', ')],
    ['keys', trusted ? 'those you gave' : 'the file\'s own: this shows that it fits itself. Give keys that you trust with --jwks'],
  ]);
  const lines = report.findings.map(({ code, line, where, what }) => `  ${line === 0 ? 'end' : `line ${line}`}: ${[where, what].filter((part) => part !== '').join(': ')} (${code})`);
  const more = report.findings_left_out === 0 ? [] : [`  and ${report.findings_left_out} more`];
  return [head, ...(lines.length > 0 ? ['', visible([...lines, ...more].join('\n'))] : [])].join('\n');
}

/** @throws UsageError */
function timeIn(args: Arguments, option: string): string | undefined {
  const text = args.get(option);
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(time) || Number.isNaN(Date.parse(time))) throw new UsageError(`--${option} must be a date, or a time such as 2026-01-31T09:30:00Z`);
  return new Date(Date.parse(time)).toISOString();
}
