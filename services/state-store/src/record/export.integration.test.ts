import fc from 'fast-check';
import { ExportVerifier, Keys, type CheckpointLine, type EventLine, type ExportLine, type Report } from '@umpire/record';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, type Client } from '../test/http.ts';
import { exportLines, nothingRunsBefore, seal as sealAll } from '../test/record-client.ts';
import { startHarness, submission, type Harness } from '../test/store-harness.ts';

let harness: Harness;
let http: Client;
let origin: string;
let keys: Keys;
let lines: string[];
let checkpointsBefore: string[];
const key: Record<string, string> = {};
const SEED = 20_260_115;

beforeAll(async () => {
  harness = await startHarness();
  ({ origin } = await harness.startStore());
  http = client(origin);
  for (const [name, roles, user] of [['admin', ['admin']], ['alice', ['reviewer'], 'alice'], ['bob', ['reviewer'], 'bob']] as const) key[name] = await harness.key([...roles], user);
  await seal();
  await harness.submit(['a/1', 'Übung 7', 'c\u2028d', 'later'].map((id) => submission(id, { interaction: { assignees: { users: ['alice', 'bob'] } }, payload: JSON.stringify({ request_id: id, summary: `about ${id}\u2028` }) })));
  await comment('a/1', 'looks odd');
  await seal();
  await respond('alice', 'a/1', 'approve');
  await respond('bob', 'Übung 7', 'reject');
  await comment('later', 'wait');
  await seal();
  await respond('alice', 'later', 'approve');
  await http.post('/audit/keys', { overlap_seconds: 0 }, key['admin']!);
  await nothingRunsBefore(harness.database.sql);
  lines = await exportLines(origin, key['admin']!);
  keys = new Keys((await http.get('/.well-known/jwks.json', '')).body);
  checkpointsBefore = (await http.get('/audit/checkpoints', key['admin']!)).body.items.map((item: { jws: string }) => item.jws);
});
afterAll(() => harness.stop());

const seal = () => sealAll(harness.database.sql, http, key['admin']!);
const respond = async (who: string, id: string, decision: string) => {
  const answered = await http.post('/hitl/respond', { interaction_id: id, user_input: { decision, feedback: `I say ${decision}` } }, key[who]!);
  expect(answered.status).toBe(200);
};
const comment = async (id: string, text: string) => expect((await http.post(`/hitl/escalations/~${Buffer.from(id).toString('base64url')}/comment`, { text }, key['alice']!)).status).toBe(200);

function verify(content: string[], pinned: Keys | undefined = keys, anchors: string[] = []): Report {
  const verifier = new ExportVerifier({ ...(pinned ? { keys: pinned } : {}), anchors });
  for (const line of content) verifier.push(line);
  return verifier.finish();
}

const parsed = (line: string) => JSON.parse(line) as ExportLine;
const codes = (report: Report) => report.findings.map(({ code }) => code);
/** The line of the keys says nothing about the record: keys that are given are believed, whatever it says. */
const tellsOfTheRecord = (index: number) => parsed(lines[index]!).kind !== 'keys';
const place = fc.nat().map((n) => n % lines.length);

describe('an export', () => {
  it('verifies as it is, with the keys given or its own', () => {
    const report = verify(lines);
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ ok: true, namespace: 'default', chains: 4, payloads: 4, erased_events: 0, log_entries: 2, checkpoints: { first: 1 } });
    expect(report.events).toBe(lines.filter((line) => parsed(line).kind === 'event').length);
    expect(report.signed_by).toHaveLength(2);
    expect(new ExportVerifier().finish().ok).toBe(false);
    const own = new ExportVerifier();
    for (const line of lines) own.push(line);
    expect(own.finish().ok).toBe(true);
  });

  it('holds everything that happened, in the words that were used', () => {
    const text = lines.join('\n');
    for (const said of ['about a/1', 'looks odd', 'I say reject', '"auth\\":\\"api_key']) expect(text).toContain(said);
  });

  it('comes in pages that begin anywhere', async () => {
    const big = 'x'.repeat(200_000);
    for (let n = 0; n < 30; n += 3) await harness.submit([n, n + 1, n + 2].map((at) => submission(`big-${at}`, { namespace: 'team-b', payload: JSON.stringify({ request_id: `big-${at}`, summary: big }) })));
    const admin = await harness.key(['admin'], undefined, 'team-b');
    await nothingRunsBefore(harness.database.sql);
    const first = await fetch(`${origin}/audit/export`, { headers: { authorization: `Bearer ${admin}` } });
    const second = await fetch(`${origin}${/<([^>]+)>/.exec(first.headers.get('link')!)![1]}`, { headers: { authorization: `Bearer ${admin}` } });
    expect((await second.text()).length).toBeLessThan(8 * 1024 * 1024);
    expect(second.headers.get('link')).not.toBeNull();
    const all = await exportLines(origin, admin);
    expect(verify(all)).toMatchObject({ ok: true, chains: 30, payloads: 30 });
    expect((await fetch(`${origin}/audit/export?after=${Buffer.from('[1]').toString('base64url')}`, { headers: { authorization: `Bearer ${admin}` } })).status).toBe(400);
  });

  it('seals more chains at once than are hashed or written in one go', async () => {
    const ids = Array.from({ length: 620 }, (_, n) => `many-${n}-${'Ü'.repeat(n % 3)}`);
    for (let from = 0; from < ids.length; from += 155) await harness.submit(ids.slice(from, from + 155).map((id) => submission(id, { namespace: 'team-b' })));
    await nothingRunsBefore(harness.database.sql);
    await seal();
    const report = verify(await exportLines(origin, await harness.key(['admin'], undefined, 'team-b')));
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ ok: true, chains: 30 + ids.length });
  });

  it('goes on only for who began it: none is made that is not on record', async () => {
    const page = async (after: string, who: string) => (await fetch(`${origin}/audit/export?after=${after}`, { headers: { authorization: `Bearer ${who}` } })).status;
    const first = await fetch(`${origin}/audit/export`, { headers: { authorization: `Bearer ${key['admin']}` } });
    const after = /after=([^>]+)>/.exec(first.headers.get('link')!)![1]!;
    expect(await page(after, key['admin']!)).toBe(200);
    expect(await page(after, await harness.key(['admin'], 'carol'))).toBe(400);
    const [, ...rest] = JSON.parse(Buffer.from(after, 'base64url').toString()) as unknown[];
    expect(await page(Buffer.from(JSON.stringify([9_999, ...rest])).toString('base64url'), key['admin']!)).toBe(400);
    const person = async (tail: string) => (await fetch(`${origin}/audit/person/alice?after=${tail}`, { headers: { authorization: `Bearer ${key['admin']}` } })).status;
    const begun = await fetch(`${origin}/audit/person/bob`, { headers: { authorization: `Bearer ${key['admin']}` } });
    expect(await person(/after=([^>]+)>/.exec(begun.headers.get('link')!)![1]!)).toBe(400);
    expect(await person('')).toBe(400);
  });

  it('may begin and end at a time, and is checked as well', async () => {
    const items = checkpointsBefore.map((jws) => JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString()) as { number: number; at: string });
    const [third, second] = [items.find(({ number }) => number === 3)!, items.find(({ number }) => number === 2)!];
    const middle = await exportLines(origin, key['admin']!, `?since=${second.at}&until=${third.at}`);
    const report = verify(middle);
    expect(report.findings).toEqual([]);
    expect(report.checkpoints!.first).toBe(2);
    const events = middle.findIndex((line) => parsed(line).kind === 'event');
    expect(verify(middle.toSpliced(events, 1)).ok).toBe(false);
    expect((await exportLines(origin, key['admin']!, '?since=2100-01-01T00:00:00Z')).length).toBe(2);
  });

  it('signs with keys that no tenant can change', async () => {
    const tenant = await harness.key(['admin'], undefined, 'team-a');
    const before = (await http.get('/.well-known/jwks.json', '')).body;
    expect(await http.post('/audit/keys', { overlap_seconds: 0 }, tenant)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect((await http.get('/.well-known/jwks.json', '')).body).toEqual(before);
  });

  it('brings no key that somebody wrote into the database', async () => {
    const before = (await http.get('/.well-known/jwks.json', '')).body;
    await harness.database.sql`insert into store.signing_keys (kid, public_x, sealed, created_by, signs_from) values ('made up', 'c29tZWJvZHkgZWxzZQ', decode('00', 'hex'), 'mallory', clock_timestamp() + interval '1 year')`;
    const stranger = await harness.startStore();
    expect((await client(stranger.origin).get('/audit/keys', key['admin']!)).body.items.map((one: { kid: string }) => one.kid)).toContain('made up');
    expect((await client(stranger.origin).get('/.well-known/jwks.json', '')).body).toEqual(before);
    await stranger.stop();
  });

  it('is for administrators, and of their namespace alone', async () => {
    expect((await http.get('/audit/export', key['alice']!)).status).toBe(403);
    expect((await http.get('/audit/export?until=yesterday', key['admin']!)).status).toBe(422);
    const other = await harness.key(['admin'], undefined, 'team-a');
    expect(verify(await exportLines(origin, other))).toMatchObject({ ok: true, namespace: 'team-a', chains: 0 });
  });
});

describe('what was changed in an export is found', () => {
  const passes = (content: string[]) => verify(content).ok;

  it('any character edited', () => {
    fc.assert(fc.property(place, fc.nat(), fc.constantFrom('0', '1', 'a', 'f', 'Z', ' ', '"', '9', '\\'), (at, where, character) => {
      fc.pre(tellsOfTheRecord(at));
      const line = lines[at]!;
      const position = where % line.length;
      const edited = line.slice(0, position) + character + line.slice(position + 1);
      fc.pre(!sameMeaning(line, edited));
      expect(passes(lines.with(at, edited))).toBe(false);
    }), { seed: SEED, numRuns: 2_000 });
  });

  it('any field changed, left out or emptied', () => {
    fc.assert(fc.property(place, fc.nat(), fc.constantFrom(undefined, null, '', 0, 1, 'other', [], {}), (at, which, value) => {
      fc.pre(tellsOfTheRecord(at));
      const line = parsed(lines[at]!) as unknown as Record<string, unknown>;
      const names = Object.keys(line);
      const edited = JSON.stringify({ ...line, [names[which % names.length]!]: value });
      fc.pre(!sameMeaning(lines[at]!, edited));
      expect(passes(lines.with(at, edited))).toBe(false);
    }), { seed: SEED, numRuns: 500 });
  });

  it('any lines left out', () => {
    fc.assert(fc.property(place, fc.integer({ min: 1, max: 5 }), (at, count) => {
      fc.pre(lines.slice(at, at + count).some((_, offset) => tellsOfTheRecord(at + offset)));
      expect(passes(lines.toSpliced(at, count))).toBe(false);
    }), { seed: SEED, numRuns: 300 });
  });

  it('the end cut off, wherever', () => {
    for (let length = 0; length < lines.length; length++) expect(passes(lines.slice(0, length))).toBe(false);
  });

  it('any two lines exchanged', () => {
    fc.assert(fc.property(place, place, (a, b) => {
      fc.pre(a !== b && lines[a] !== lines[b]);
      expect(passes(lines.with(a, lines[b]!).with(b, lines[a]!))).toBe(false);
    }), { seed: SEED, numRuns: 500 });
  });

  it('any line put in twice, or elsewhere as well', () => {
    fc.assert(fc.property(place, place, (from, to) => {
      fc.pre(tellsOfTheRecord(from));
      expect(passes(lines.toSpliced(to, 0, lines[from]!))).toBe(false);
    }), { seed: SEED, numRuns: 500 });
  });

  it('an escalation left out whole, with all that is said of it', () => {
    const names = lines.filter((line) => parsed(line).kind === 'chain').map((line) => (parsed(line) as { request_id: string }).request_id);
    for (const name of new Set(names)) {
      let inside = false;
      expect(passes(lines.filter((line) => {
        const one = parsed(line);
        if (one.kind === 'chain') inside = one.request_id === name;
        else if (one.kind !== 'event') inside = false;
        return !inside;
      }))).toBe(false);
    }
  });

  it('a checkpoint left out with everything that it sealed', () => {
    const starts = lines.flatMap((line, index) => (parsed(line).kind === 'checkpoint' ? [index] : []));
    starts.forEach((start, index) => expect(passes([...lines.slice(0, start), ...lines.slice(starts[index + 1] ?? lines.length)])).toBe(false));
  });

  it('an event that somebody made up, its hashes right', async () => {
    const { chainHash, hexOf, saltedDigest } = await import('@umpire/record');
    const at = lines.findLastIndex((line) => parsed(line).kind === 'event');
    const before = parsed(lines[at]!) as EventLine;
    const chain = parsed(lines.slice(0, at).findLast((line) => parsed(line).kind === 'chain')!) as { request_id: string; seq: number };
    const salt = Buffer.alloc(16, 3);
    const made = { seq: before.seq + 1, type: 'commented', occurred_at: before.occurred_at, actor: '{}', data: '{}' };
    const digest = saltedDigest(salt, '{}');
    const hash = hexOf(chainHash(Buffer.from(before.hash, 'hex'), { namespace: 'default', request_id: chain.request_id, ...made, actor_digest: digest, data_digest: digest }));
    const event: EventLine = { kind: 'event', ...made, actor_salt: salt.toString('hex'), actor_digest: hexOf(digest), data_salt: salt.toString('hex'), data_digest: hexOf(digest), hash };
    const chainAt = lines.slice(0, at).findLastIndex((line) => parsed(line).kind === 'chain');
    const forged = lines.with(chainAt, JSON.stringify({ ...parsed(lines[chainAt]!), seq: made.seq, hash })).toSpliced(at + 1, 0, JSON.stringify(event));
    expect(codes(verify(forged))).toEqual(['root']);
  });

  it('content taken away with its salt, where no erasure is on record', () => {
    const at = lines.findIndex((line) => (parsed(line) as EventLine).type === 'commented');
    const bare = { ...(parsed(lines[at]!) as EventLine), data: null, data_salt: null };
    const report = verify(lines.with(at, JSON.stringify(bare)));
    expect(codes(report)).toEqual(['content_missing']);
    expect(report.findings[0]).toMatchObject({ line: at + 1, where: expect.stringContaining('a/1') });
  });

  it('an export made anew with other keys', async () => {
    const stranger = await startHarness();
    try {
      const store = await stranger.startStore();
      const theirs = await exportLines(store.origin, await stranger.key(['admin']));
      expect(codes(verify(theirs))).toContain('signature');
    } finally {
      await stranger.stop();
    }
  });

  it('a record that was shortened before it was exported: by a checkpoint that was kept', () => {
    const kept = checkpointsBefore.at(0)!;
    expect(verify(lines, keys, [kept]).ok).toBe(true);
    const one = parsed(lines.find((line) => parsed(line).kind === 'checkpoint')!) as CheckpointLine;
    expect(verify(lines, keys, [one.jws, kept]).ok).toBe(true);
    expect(() => verify(lines, keys, [`${kept.slice(0, -8)}AAAAAAAA`])).toThrow(/cannot be believed/);
  });
});

/** Whether a line says the same as before: whitespace and the like are no edits. */
function sameMeaning(before: string, after: string): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(before), JSON.parse(after));
  } catch {
    return false;
  }
}
