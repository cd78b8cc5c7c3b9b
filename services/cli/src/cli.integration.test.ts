import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHarness, submission, type Harness } from '../../state-store/src/test/store-harness.ts';
import { EXIT, run } from './index.ts';

let harness: Harness;
let folder: string;
let origin: string;
let adminKey: string;

beforeAll(async () => {
  harness = await startHarness();
  folder = await mkdtemp(join(tmpdir(), 'umpire-cli-'));
  ({ origin } = await harness.startStore());
  adminKey = await harness.key(['admin']);
  const keys = { admin: adminKey, producer: await harness.key(['producer']), reviewers: { alice: await harness.key(['reviewer'], 'alice') } };
  const other = { admin: await harness.key(['admin'], undefined, 'team-a') };
  await writeFile(join(folder, 'connection.json'), JSON.stringify({ api_url: origin, keys, namespaces: { default: { keys }, 'team-a': { keys: other } } }));
});
afterAll(async () => {
  await harness.stop();
  await rm(folder, { recursive: true, force: true });
});

type Ran = { exit: number; out: string; err: string };

/** As a shell would run it, with UMPIRE_HOME as the test's folder unless the environment says otherwise. */
async function umpire(argv: string[], { env, input = '' }: { env?: Record<string, string>; input?: string } = {}): Promise<Ran> {
  const ran: Ran = { exit: -1, out: '', err: '' };
  ran.exit = await run(argv, {
    env: env ?? { UMPIRE_HOME: folder }, folder,
    readFile: (path) => readFile(path, 'utf8'),
    readInput: () => Promise.resolve(input),
    out: (line) => { ran.out += `${line}\n`; },
    err: (line) => { ran.err += `${line}\n`; },
  });
  return ran;
}

/** What a command that must succeed says with `--json`. */
async function told(...argv: string[]): Promise<any> {
  const { exit, out, err } = await umpire([...argv, '--json']);
  expect({ exit, err }).toEqual({ exit: EXIT.ok, err: '' });
  expect(out.trimEnd()).not.toContain('\n');
  return JSON.parse(out);
}

describe('keys', () => {
  it('are made, listed and revoked', async () => {
    const made = await told('keys', 'create', 'night shift', '--role', 'reviewer,lead', '--role', 'on-call', '--user', 'nina', '--expires-in', '2d');
    expect(made).toMatchObject({ name: 'night shift', roles: ['reviewer', 'lead', 'on-call'], user_id: 'nina', key: expect.stringMatching(/^umk_/) });
    const listed = await umpire(['keys', 'list', '--user', 'nina']);
    expect(listed.out).toMatch(/^id +name +roles +user +expires +revoked$/m);
    expect(listed.out).toContain(`${made.id}  night shift  reviewer,lead,on-call  nina`);
    expect(listed.out).not.toContain('umk_');
    expect((await told('keys', 'revoke', made.id)).items).toMatchObject([{ id: made.id, revoked_at: expect.any(String) }]);
    expect(await told('keys', 'list', '--user', 'nina', '--active')).toEqual({ items: [], next: null });
    expect((await umpire(['keys', 'list', '--user', 'nina', '--active'])).out).toBe('none\n');
  });

  it('follow every page with --all', async () => {
    for (const name of ['one', 'two', 'three']) await told('keys', 'create', name, '--role', 'reviewer', '--user', 'many');
    const page = await told('keys', 'list', '--user', 'many', '--limit', '2');
    expect(page.items).toHaveLength(2);
    expect((await umpire(['keys', 'list', '--user', 'many', '--limit', '2'])).out).toContain(`more: --after ${page.next}`);
    const all = await told('keys', 'list', '--user', 'many', '--limit', '2', '--all');
    expect(all.items.map((key: { name: string }) => key.name)).toEqual(['one', 'two', 'three']);
    expect(all.next).toBeNull();
  });

  it('belong to the namespace that is named', async () => {
    const { id } = await told('keys', 'create', 'theirs', '--role', 'producer', '--namespace', 'team-a');
    expect((await told('keys', 'list', '--all')).items.map((key: { id: string }) => key.id)).not.toContain(id);
    expect((await umpire(['keys', 'revoke', id])).exit).toBe(EXIT.refused);
  });
});

describe('groups', () => {
  it('are made, changed and removed', async () => {
    expect(await told('groups', 'create', 'risk / eu', '--member', 'bob,alice', '--description', 'second line')).toMatchObject({ members: ['alice', 'bob'] });
    expect(await told('groups', 'add', 'risk / eu', 'carol', 'dave')).toMatchObject({ members: ['alice', 'bob', 'carol', 'dave'] });
    expect(await told('groups', 'remove', 'risk / eu', 'bob', 'carol')).toMatchObject({ members: ['alice', 'dave'] });
    expect(await told('groups', 'set', 'risk / eu', '--description', 'first line')).toMatchObject({ description: 'first line', members: ['alice', 'dave'] });
    expect((await umpire(['groups', 'show', 'risk / eu'])).out).toMatch(/^members +alice, dave$/m);
    expect((await umpire(['groups', 'list'])).out).toMatch(/^risk \/ eu +2 +first line$/m);
    expect(await told('groups', 'set', 'risk / eu', '--empty')).toMatchObject({ members: [] });
    await told('groups', 'delete', 'risk / eu');
    const gone = await umpire(['groups', 'show', 'risk / eu']);
    expect(gone).toEqual({ exit: EXIT.refused, out: '', err: 'umpire: there is no group "risk / eu" (not_found)\n' });
  });
});

describe('delegations', () => {
  it('are made by the person or an admin, listed and revoked', async () => {
    const own = await told('delegations', 'create', '--as', 'alice', '--to', 'bob', '--for', '2w', '--detail', 'holiday');
    expect(own).toMatchObject({ from: 'alice', to: 'bob', in_force: true, detail: 'holiday' });
    expect(Date.parse(own.until) - Date.parse(own.starts_at)).toBe(14 * 86_400_000);
    const other = await told('delegations', 'create', '--from', 'carol', '--to', 'bob', '--until', own.until);
    expect((await told('delegations', 'list', '--user', 'bob', '--in-force')).items.map((one: { id: string }) => one.id)).toEqual([own.id, other.id]);
    expect((await umpire(['delegations', 'revoke', own.id, other.id])).out).toMatch(/revoked/);
    const refused = await umpire(['delegations', 'create', '--from', 'carol', '--to', 'bob', '--for', '91d']);
    expect(refused.exit).toBe(EXIT.refused);
    expect(refused.err).toContain('  until: must be at most 90 days after the start');
  });
});

describe('escalations', () => {
  const hostile = '\u001b[31mred\u202e';

  it('are shown, answered and cancelled, whatever their id', async () => {
    const id = 'hitl-Übung 7/a?b#c';
    await harness.submit([submission(id, { payload: JSON.stringify({ request_id: id, summary: hostile }) }), submission('other')]);
    const shown = await umpire(['escalations', 'show', id]);
    expect(shown.out).toMatch(/^status +pending$/m);
    expect(shown.out).toContain('"summary": "\\u001b[31mred\\u{202e}"');
    expect((await told('escalations', 'show', id)).data.summary).toBe(hostile);
    const answered = await told('escalations', 'respond', id, '--as', 'alice', '--decision', 'approve', '--field', 'feedback=looks = right');
    expect(answered).toMatchObject({ interaction_id: id, state: 'completed', outcome: { verdict: 'approve', decided_by: ['alice'], response: { decision: 'approve', feedback: 'looks = right' } } });
    const late = await umpire(['escalations', 'cancel', id]);
    expect(late.exit).toBe(EXIT.refused);
    expect(late.err).toMatch(/already_settled[^]*outcome: completed, approve/);
    expect(await told('escalations', 'cancel', 'other', '--detail', 'not needed')).toMatchObject({ state: 'cancelled' });
  });

  it('take an answer from a file or standard input, numbers as numbers', async () => {
    const ui_schema = { fields: [{ name: 'amount', type: 'number', min: 1 }] };
    await harness.submit(['by-file', 'by-input', 'by-field'].map((id) => submission(id, { kind: 'interaction', interaction: { pattern: 'input', ui_schema, assignees: { users: ['alice'] } } })));
    await writeFile(join(folder, 'answer.json'), '{"amount": 12.5}');
    expect((await told('escalations', 'respond', 'by-file', '--as', 'alice', '--input', 'answer.json')).outcome.response).toEqual({ amount: 12.5 });
    const piped = await umpire(['escalations', 'respond', 'by-input', '--as', 'alice', '--input', '-', '--json'], { input: '{"amount": 3}' });
    expect(JSON.parse(piped.out).outcome.response).toEqual({ amount: 3 });
    expect((await told('escalations', 'respond', 'by-field', '--as', 'alice', '--field', 'amount:=4')).outcome.response).toEqual({ amount: 4 });
  });

  it('are answered by reviewers only, and every fault of an answer is named', async () => {
    await harness.submit([submission('strict')]);
    expect(await umpire(['escalations', 'respond', 'strict', '--decision', 'approve'])).toMatchObject({ exit: EXIT.usage, err: expect.stringContaining('--as <reviewer>') });
    expect(await umpire(['escalations', 'respond', 'strict', '--as', 'admin', '--decision', 'approve'])).toMatchObject({ exit: EXIT.refused, err: expect.stringContaining('(forbidden)') });
    const bad = await umpire(['escalations', 'respond', 'strict', '--as', 'alice', '--decision', 'perhaps', '--field', 'feedback:=7']);
    expect(bad.exit).toBe(EXIT.refused);
    expect(bad.err).toMatch(/ {2}user_input\.decision: [^]* {2}user_input\.feedback: /);
    const json = await umpire(['escalations', 'respond', 'strict', '--as', 'alice', '--decision', 'perhaps', '--json']);
    expect(json.out).toBe('');
    expect(JSON.parse(json.err)).toMatchObject({ code: 'invalid', status: 422, errors: [{ path: 'user_input.decision' }] });
  });
});

describe('policies', () => {
  it('names line and column of what is not YAML, and asks nobody', async () => {
    await writeFile(join(folder, 'bad.yaml'), 'id: loans\nmatch: [reason: {');
    const ran = await umpire(['policies', 'validate', 'bad.yaml']);
    expect(ran).toMatchObject({ exit: EXIT.usage, out: '', err: expect.stringMatching(/bad\.yaml: .* at line 2, column/) });
  });
});

describe('the record', () => {
  it('is exported, and verified without asking anybody', async () => {
    await harness.submit([submission('on record', { namespace: 'default' })]);
    await told('escalations', 'respond', 'on record', '--as', 'alice', '--decision', 'approve');
    expect(await told('audit', 'export', '--out', 'record.ndjson')).toMatchObject({ file: 'record.ndjson', lines: expect.any(Number) });
    await writeFile(join(folder, 'jwks.json'), await (await fetch(`${origin}/.well-known/jwks.json`)).text());
    const nowhere = { env: { UMPIRE_HOME: '/nowhere' } };
    const good = await umpire(['audit', 'verify', 'record.ndjson', '--jwks', 'jwks.json'], nowhere);
    expect(good).toMatchObject({ exit: EXIT.ok, err: '', out: expect.stringContaining('the record is as it was sealed') });
    expect((await umpire(['audit', 'verify', 'record.ndjson'], nowhere)).out).toContain('--jwks');
    const lines = (await readFile(join(folder, 'record.ndjson'), 'utf8')).split('\n');
    await writeFile(join(folder, 'cut.ndjson'), lines.slice(0, -3).join('\n'));
    await writeFile(join(folder, 'edited.ndjson'), lines.map((line) => line.replace('approve', 'reject')).join('\n'));
    const cut = await umpire(['audit', 'verify', 'cut.ndjson', '--jwks', 'jwks.json', '--json'], nowhere);
    expect(cut.exit).toBe(EXIT.refused);
    expect(JSON.parse(cut.out)).toMatchObject({ ok: false });
    const edited = await umpire(['audit', 'verify', 'edited.ndjson', '--jwks', 'jwks.json'], nowhere);
    expect(edited.exit).toBe(EXIT.refused);
    expect(edited.out).toMatch(/NOT VERIFIED[^]* {2}line \d+: escalation "[^"]+", event \d+: its data is not what was recorded \(content\)/);
    expect((await umpire(['audit', 'verify', 'missing.ndjson'], nowhere)).exit).toBe(EXIT.usage);
    expect((await umpire(['audit', 'verify', 'record.ndjson', '--jwks', 'record.ndjson'], nowhere)).exit).toBe(EXIT.usage);
    expect((await umpire(['audit', 'export', '--out', 'none/x.ndjson'])).exit).toBe(EXIT.usage);
  });

  it('gives receipts, which are verified offline', async () => {
    await told('receipt', 'get', 'on record', '--out', 'receipt.jws');
    const verified = await umpire(['receipt', 'verify', 'receipt.jws', '--jwks', 'jwks.json'], { env: {} });
    expect(verified).toMatchObject({ exit: EXIT.ok, out: expect.stringMatching(/decided by +alice/) });
    await writeFile(join(folder, 'forged.jws'), (await readFile(join(folder, 'receipt.jws'), 'utf8')).replace('.e', '.f'));
    expect((await umpire(['receipt', 'verify', 'forged.jws', '--jwks', 'jwks.json'], { env: {} })).exit).toBe(EXIT.refused);
  });

  it('is cleared by hand and by time, and its keys change', async () => {
    expect((await umpire(['audit', 'retention'])).out).toMatch(/^completed +for good$/m);
    expect(await told('audit', 'retention', '--completed', '365')).toMatchObject({ completed_days: 365, expired_days: null });
    expect(await told('audit', 'retention', '--completed', 'forever', '--expired', '30')).toMatchObject({ completed_days: null, expired_days: 30 });
    expect((await umpire(['audit', 'retention', '--completed', 'soon'])).exit).toBe(EXIT.usage);
    const erasure = await told('audit', 'erase', '--escalation', 'on record', '--reason', 'asked for');
    expect((await umpire(['audit', 'erasures', erasure.id])).out).toMatch(/done/);
    expect((await told('audit', 'erasures')).items).toMatchObject([{ id: erasure.id, request_id: 'on record' }]);
    expect((await umpire(['receipt', 'get', 'on record'])).exit).toBe(EXIT.refused);
    expect(await told('audit', 'person', 'alice', '--out', 'alice.ndjson')).toMatchObject({ lines: expect.any(Number) });
    expect(JSON.parse((await readFile(join(folder, 'alice.ndjson'), 'utf8')).split('\n')[0]!)).toMatchObject({ kind: 'person', user_id: 'alice' });
    const keys = await told('audit', 'keys', '--rotate', '--overlap', '2h');
    expect(keys.items.map((one: { state: string }) => one.state)).toEqual(['signing', 'next']);
  });
});

describe('policies replay', () => {
  it('adds up the pages, keeps as many changes as asked for, and tells how far it is', async () => {
    const counts = (by_people: number, timed_out: number) => ({ by_people, timed_out, defaulted: 0, expired: 0, raised: 0, cancelled: 0, pending: 0 });
    const course = (verdict: string | null, source: string) => ({ policy: null, asked: { users: ['alice'], roles: ['lead'] }, level: 1, state: 'expired', source, verdict, ended_at: null });
    const change = (request_id: string) => ({ request_id, before: course('approve', 'human'), after: course(null, 'timeout'), differs: ['asked', 'outcome'], not_run: null });
    const page = { read: 2, skipped: { erased: 1, untraceable: 0, refused: 0 }, taken_by_draft: 1, changed: 1, short_of_answers: 1, before: counts(2, 0), after: counts(1, 1), at: '2026-01-02T00:00:00.000Z' };
    const asked: URL[] = [];
    const server = createServer((request, response) => {
      asked.push(new URL(request.url!, 'http://x'));
      const first = asked.at(-1)!.searchParams.get('after') === null;
      response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify({ ...page, changes: [change(first ? 'one' : 'two')], next: first ? 'cursor' : null }));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const env = { UMPIRE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, UMPIRE_KEY: adminKey };
    await writeFile(join(folder, 'draft.yaml'), 'id: loans\n');
    const line = ['policies', 'replay', 'draft.yaml', '--since', '2026-01-01T02:00:00+02:00'];
    const ran = await umpire(line, { env });
    expect(ran).toMatchObject({ exit: EXIT.ok, err: '2 read, to 2026-01-02T00:00:00.000Z\n' });
    expect(ran.out).toContain('4 escalations read, 2 for this policy, 2 would have gone otherwise.\nNot run: 2 erased.\n2 that people had decided');
    expect(ran.out).toMatch(/^decided by people +4 +2$/m);
    expect(ran.out).toMatch(/^two +asked,outcome +approve, level 1 +expired, by timeout, level 1 +alice,@lead$/m);
    expect(asked.map((url) => [url.pathname, url.searchParams.get('since'), url.searchParams.get('after')])).toEqual([['/policies/replay', '2026-01-01T00:00:00.000Z', null], ['/policies/replay', '2026-01-01T00:00:00.000Z', 'cursor']]);
    const json = JSON.parse((await umpire([...line, '--changes', '1', '--json'], { env })).out) as { read: number; changes: { request_id: string }[] };
    expect(json).toMatchObject({ read: 4, after: { by_people: 2, timed_out: 2 }, changes: [{ request_id: 'one' }] });
    expect(json.changes).toHaveLength(1);
    for (const wrong of [['--since', 'yesterday'], ['--since', '2026-99-01'], ['--since', '1d', '--changes', 'all'], []]) expect((await umpire(['policies', 'replay', 'draft.yaml', ...wrong], { env })).exit).toBe(EXIT.usage);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
});

describe('the command line', () => {
  it.each([
    [[]], [['--help']], [['help']], [['keys', '--help']], [['keys', 'create', '--help']], [['escalations', 'respond', '-h']],
  ])('%j explains itself and asks nobody', async (argv) => {
    expect(await umpire(argv, { env: { UMPIRE_HOME: '/nowhere' } })).toMatchObject({ exit: EXIT.ok, err: '', out: expect.stringContaining('--json') });
  });

  it.each([
    ['nothing'], ['keys'], ['keys forge'], ['keys list extra'], ['keys revoke'], ['keys list --colour'], ['keys list --limit'], ['keys create x --role admin --expires-in soon'],
    ['--json keys list'], ['escalations respond x --as alice'], ['escalations respond x --as alice --field oops'], ['escalations respond x --as alice --input missing.json'],
    ['audit erase --reason why'], ['audit export'], ['receipt verify x'], ['keys list --as mallory'], ['keys list --as constructor'], ['keys list --namespace nowhere'], ['keys list --namespace constructor'], ['keys list --connection missing.json'], ['delegations create --for 1d'],
  ])('"%s" is not understood: exit 2, and one reason', async (line) => {
    const ran = await umpire(line.split(' '));
    expect(ran).toMatchObject({ exit: EXIT.usage, out: '' });
    expect(ran.err.trimEnd().length).toBeGreaterThan(10);
  });

  it('finds address and key in a file, in UMPIRE_URL and UMPIRE_KEY, or in UMPIRE_HOME', async () => {
    const env = { UMPIRE_URL: `${origin}/`, UMPIRE_KEY: adminKey, UMPIRE_HOME: '/nowhere' };
    expect((await umpire(['groups', 'list'], { env })).exit).toBe(EXIT.ok);
    expect((await umpire(['groups', 'list', '--connection', 'connection.json'], { env: {} })).exit).toBe(EXIT.ok);
    expect(await umpire(['groups', 'list', '--as', 'admin'], { env })).toMatchObject({ exit: EXIT.usage, err: expect.stringContaining('UMPIRE_KEY') });
    expect((await umpire(['groups', 'list'], { env: { ...env, UMPIRE_URL: 'ftp://x' } })).exit).toBe(EXIT.usage);
    expect((await umpire(['groups', 'list'], { env: { ...env, UMPIRE_KEY: 'umk_wrong' } })).exit).toBe(EXIT.refused);
  });

  it('tells a server that is not there, is away or is no Umpire from a refusal', async () => {
    const answers = [503, 200];
    const server = createServer((_, response) => response.writeHead(answers.shift()!, { 'content-type': 'text/html', connection: 'close' }).end('<html>'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const env = { UMPIRE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, UMPIRE_KEY: adminKey };
    expect(await umpire(['keys', 'list'], { env })).toMatchObject({ exit: EXIT.unreachable, err: expect.stringContaining('503') });
    expect(await umpire(['keys', 'list'], { env })).toMatchObject({ exit: EXIT.unreachable, err: expect.stringContaining('is this an Umpire?') });
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    const away = await umpire(['keys', 'list', '--json'], { env });
    expect(away.exit).toBe(EXIT.unreachable);
    expect(JSON.parse(away.err)).toMatchObject({ code: 'unreachable', detail: expect.stringContaining('ECONNREFUSED') });
  });
});
