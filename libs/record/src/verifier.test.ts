import { describe, expect, it } from 'vitest';
import { CHECKPOINT_TYP, type Checkpoint } from './checkpoint.ts';
import type { ChainLine, EventLine, ExportLine } from './export-lines.ts';
import { Keys } from './jws.ts';
import { at, erasure, JWKS, RecordByHand, sign, without } from '../test/record-by-hand.ts';
import { ExportVerifier } from './verifier.ts';

const keys = new Keys(JWKS);

function verify(lines: ExportLine[], anchors: string[] = []) {
  const verifier = new ExportVerifier({ keys, anchors });
  for (const line of lines) verifier.push(JSON.stringify(line));
  return verifier.finish();
}

const codes = (lines: ExportLine[], anchors?: string[]) => verify(lines, anchors).findings.map(({ code }) => code);
const chainAt = (lines: ExportLine[], id: string) => lines.findIndex((line) => line.kind === 'chain' && line.request_id === id);
describe('an export that begins midway', () => {
  const record = new RecordByHand().seal({ a: 1, b: 2 }, 1).seal({ a: 1, b: 1 }, 2).seal({ a: 2, b: 1 }, 1).seal({ a: 1 });
  const midway = record.lines(3);

  it('verifies, and so does the whole', () => {
    expect(verify(record.lines())).toMatchObject({ findings: [], ok: true, chains: 2, events: 9, log_entries: 4, late: { events: 0 } });
    expect(verify(midway)).toMatchObject({ findings: [], ok: true, events: 4, checkpoints: { first: 3, last: 4 } });
  });

  it('cannot leave out an event and make up for it with an older one of another escalation', () => {
    const [a, b] = [chainAt(midway, 'a'), chainAt(midway, 'b')];
    const [first, ...rest] = [midway[a + 1] as EventLine, midway[a + 2] as EventLine];
    const older = record.rounds[1]!.chains.find(({ line }) => line.request_id === 'b')!;
    const forged = [
      ...midway.slice(0, a), { ...(midway[a] as ChainLine), after_seq: first.seq, after_hash: first.hash }, ...rest,
      { ...(midway[b] as ChainLine), after_seq: older.line.after_seq, after_hash: older.line.after_hash }, ...older.events, ...midway.slice(b + 1),
    ];
    expect(codes(forged)).toContain('root');
  });

  it('cannot leave out what happened in an escalation, its head standing', () => {
    const a = chainAt(midway, 'a');
    const line = midway[a] as ChainLine;
    expect(codes(midway.toSpliced(a, 3, { ...line, after_seq: line.seq, after_hash: line.hash }))).toContain('chain');
  });

  it('goes on from the log that the checkpoint before it sealed, whatever its statement says', () => {
    const entry = midway.findIndex(({ kind }) => kind === 'log');
    expect(codes(midway.toSpliced(entry, 1))).toContain('log');
    const older = record.lines(3, { before: record.rounds[0]!.jws });
    expect(codes(older)).toContain('checkpoint_missing');
    expect(codes(record.lines(3, { before: null }))).toContain('checkpoint_missing');
    const forged: Checkpoint = { ...record.rounds[1]!.checkpoint, log: { ...record.rounds[2]!.checkpoint.log } };
    expect(codes(record.lines(3, { before: sign(CHECKPOINT_TYP, forged) }))).toContain('checkpoint_missing');
  });

  it('cannot begin later than it was asked to', () => {
    expect(codes(record.lines(3, { since: record.rounds[1]!.checkpoint.at }))).toEqual(['checkpoint_missing']);
    expect(codes(record.lines(3, { since: null }))).toEqual(['checkpoint_missing']);
  });

  it('cannot end long before it was made, unless it was asked to', () => {
    expect(codes(record.lines(1, { at: at(59) }))).toEqual(['truncated']);
    expect(codes(record.lines(1, { at: at(59), until: at(20) }))).toEqual(['truncated']);
    expect(codes(record.lines(1, { at: at(59), until: at(3) }))).toEqual([]);
  });
});

describe('a checkpoint that was kept', () => {
  const record = new RecordByHand().seal({ a: 1 }).seal({ a: 1 });
  const other = new RecordByHand().seal({ a: 1 }).seal({ b: 1 });
  const [first, second] = record.rounds.map(({ jws }) => jws);

  it('must be in the export, wherever that begins and ends', () => {
    expect(codes(record.lines(), [first!, second!])).toEqual([]);
    expect(codes(record.lines(2), [first!])).toEqual([]);
    expect(codes(record.lines(2), [other.rounds[0]!.jws])).toEqual(['anchor']);
    const longer = new RecordByHand().seal({ a: 1 }).seal({ a: 1 }).seal({ a: 1 });
    expect(codes(record.lines(1, { until: at(1) }), [longer.rounds[2]!.jws])).toEqual(['anchor']);
  });

  it('is compared even if another one of its number was kept as well', () => {
    expect(codes(record.lines(), [other.rounds[1]!.jws, second!])).toEqual(['anchor']);
    expect(codes(record.lines(), [second!, other.rounds[1]!.jws])).toEqual(['anchor']);
  });
});

describe('content', () => {
  const all = new RecordByHand().seal({ a: 2 }).seal({ a: [erasure('content', 'all')] });
  const lines = all.lines();
  const gone = (content: ExportLine[], text: string | null = null) => content.map((line) => (line.kind === 'event' && line.type !== 'erased' ? without(line, text) : line));

  it('may be gone where an erasure on record says so, and no text may stand in its place', () => {
    expect(verify(gone(lines))).toMatchObject({ findings: [], erased_events: 2 });
    const comment = lines.findIndex((line) => line.kind === 'event' && line.type === 'commented');
    expect(codes(gone(lines).with(comment, without(lines[comment]!, '{"text":"approved"}')))).toEqual(['content']);
    const opened = lines.findIndex((line) => line.kind === 'event' && line.type === 'opened');
    expect(codes(gone(lines).with(opened, { ...without(lines[opened]!), payload: '{"summary":"other"}' } as EventLine))).toEqual(['content']);
  });

  it('may be other words where a person was taken out, of the events that are named alone', () => {
    const record = new RecordByHand().seal({ a: 3 }).seal({ a: [erasure('person', [2])] }).lines();
    const [second, third] = [2, 3].map((seq) => record.findIndex((line) => line.kind === 'event' && line.seq === seq));
    const named = record.with(second!, without(record[second!]!, '{"id":"erased-1"}'));
    expect(codes(named)).toEqual([]);
    expect(codes(named.with(third!, without(record[third!]!, '{"id":"erased-1"}')))).toEqual(['content_missing']);
  });

  it('that is gone is a finding where the export ends before an erasure could say so', () => {
    const short = new RecordByHand().seal({ a: 2 }).lines(1, { until: at(0) });
    expect(codes(short)).toEqual([]);
    expect(verify(gone(short)).findings).toMatchObject([{ code: 'content_missing', what: expect.stringContaining('behind the end of this export') }]);
    expect(codes(gone(short, '{"text":"approved"}'))).toContain('content_missing');
  });

  it('cannot be moved between salt and text', () => {
    const at = lines.findIndex((line) => line.kind === 'event' && line.type === 'commented');
    const event = lines[at] as EventLine;
    const moved = { ...event, actor_salt: `${event.actor_salt}${Buffer.from(event.actor!.slice(0, 1)).toString('hex')}`, actor: event.actor!.slice(1) };
    expect(codes(lines.with(at, moved))).toContain('content');
  });
});

it('says of events that were sealed long after they are said to have happened', () => {
  const record = new RecordByHand();
  for (let round = 0; round < 10; round++) record.seal({ a: 1 });
  record.seal({ a: 1, made: 2 }, 0, 1);
  const lines = record.lines();
  expect(verify(lines)).toMatchObject({ ok: true, late: { events: 3, line: lines.findLastIndex((line) => line.kind === 'chain' && line.request_id === 'a') + 2 } });
});
