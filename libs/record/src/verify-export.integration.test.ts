import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChainLine, EventLine, ExportLine } from './export-lines.ts';
import { at, erasure, JWKS, RecordByHand, without } from '../test/record-by-hand.ts';

const PYTHON = fileURLToPath(new URL('../../../examples/python/verify_export.py', import.meta.url));

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'umpire-verify-'));
  await writeFile(join(folder, 'jwks.json'), JSON.stringify(JWKS));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @returns what the example says of an export: it shares no code with ours */
async function verdict(lines: ExportLine[]): Promise<string> {
  const file = join(folder, 'export.ndjson');
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return promisify(execFile)('python3', [PYTHON, file, join(folder, 'jwks.json')]).then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout);
}

it('the example in Python verifies what is as it was sealed, midway and with what was erased', async () => {
  const record = new RecordByHand().seal({ a: 1, b: 2 }, 1).seal({ a: 1, b: 1 }, 2).seal({ a: [{}, erasure('person', [2])], b: [erasure('content', 'all')] }, 1);
  const erased = (lines: ExportLine[]) => {
    let id = '';
    return lines.map((line) => {
      if (line.kind === 'chain') id = line.request_id;
      if (line.kind !== 'event' || line.type === 'erased') return line;
      return id === 'b' ? without(line) : line.seq === 2 ? without(line, '{"id":"erased-1"}') : line;
    });
  };
  expect(await verdict(record.lines())).toMatch(/^verified: namespace default, 2 chains, 3 checkpoints, 8 events, 0 erased/);
  expect(await verdict(erased(record.lines()))).toMatch(/^verified: .* 8 events, 4 erased/);
  expect(await verdict(erased(record.lines(2)))).toMatch(/^verified: /);
});

it('and refuses what was changed since', async () => {
  const record = new RecordByHand().seal({ a: 1, b: 2 }, 1).seal({ a: 1, b: 1 }, 2).seal({ a: 2, b: [erasure('content', 'all')] }, 1);
  const whole = record.lines();
  const midway = record.lines(3);
  const comment = whole.findIndex((line) => line.kind === 'event' && line.type === 'commented');
  const event = whole[comment] as EventLine;
  // Of `a`, which nobody has erased.
  const opened = whole.findIndex((line) => line.kind === 'event');
  const chain = midway.findIndex((line) => line.kind === 'chain');
  const { after_seq: _, after_hash: __, ...head } = midway[chain] as ChainLine;
  const first = midway[chain + 1] as EventLine;
  const forgeries: Record<string, ExportLine[]> = {
    'a byte moved between salt and text': whole.with(comment, { ...event, actor_salt: `${event.actor_salt}7b`, actor: event.actor!.slice(1) }),
    'a member that nobody checks': whole.with(comment, { ...event, note: 'approved' } as EventLine),
    'a payload where there is none': whole.with(comment, { ...event, payload: '{}', payload_salt: null }),
    'a text where all was erased': whole.with(whole.findIndex((line) => line.kind === 'event' && line.seq === 2), without(event, '{"text":"approved"}')),
    'content gone': whole.with(opened, without(whole[opened]!)),
    'content gone, where an erasure could lie behind the end': record.lines(1, { until: at(2) }).with(opened, without(whole[opened]!)),
    'an event left out midway': midway.toSpliced(chain, 2, { ...head, after_seq: first.seq, after_hash: first.hash }),
    'an entry of the log left out midway': midway.toSpliced(midway.findIndex(({ kind }) => kind === 'log'), 1),
    'a later beginning': record.lines(3, { since: at(1) }),
    'an earlier end': record.lines(1, { at: at(59) }),
    'a signature spelt otherwise': whole.with(0, { kind: 'export', jws: `${(whole[0] as { jws: string }).jws}!` }),
  };
  expect(await verdict(whole)).toMatch(/^verified: /);
  for (const [what, lines] of Object.entries(forgeries)) expect({ what, verdict: await verdict(lines) }).toEqual({ what, verdict: expect.stringContaining('NOT VERIFIED') });
});
