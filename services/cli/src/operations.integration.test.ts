import { migrationsOf } from '@umpire/operations';
import { isApiKey, keyDigest } from '@umpire/runtime';
import { testDatabase, testNats, TEST_NATS_PASSWORD, type TestDatabase, type TestNats } from '@umpire/testing';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT, run } from './index.ts';

let nats: TestNats;
let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  [nats, database, folder] = await Promise.all([testNats(), testDatabase(), mkdtemp(join(tmpdir(), 'umpire-operations-'))]);
});
afterAll(async () => {
  await nats.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function umpire(argv: string[], env: Record<string, string>): Promise<{ exit: number; out: string; err: string }> {
  const ran = { exit: -1, out: '', err: '' };
  ran.exit = await run(argv, {
    env, folder, readFile: (path) => readFile(path, 'utf8'), readInput: () => Promise.resolve(''),
    out: (line) => { ran.out += `${line}\n`; }, err: (line) => { ran.err += `${line}\n`; },
  });
  return ran;
}

describe('umpire topology', () => {
  const env = () => ({ UMPIRE_NATS_URL: nats.url, UMPIRE_NATS_USER: 'operator', UMPIRE_NATS_PASSWORD: TEST_NATS_PASSWORD, UMPIRE_NAMESPACES: '{"default":["main"]}' });

  it('plans, applies, and then has nothing to do', async () => {
    const planned = await umpire(['topology', 'plan'], env());
    expect(planned.exit).toBe(EXIT.differs);
    expect(planned.out).toMatch(/^\+ stream HITL_REVIEW \(intake\): missing$/m);
    expect(planned.out).toMatch(/^11 of 11 to make or change/m);
    expect((await umpire(['topology', 'check'], env())).exit).toBe(EXIT.differs);
    expect(await umpire(['topology', 'apply'], env())).toMatchObject({ exit: EXIT.ok, out: expect.stringContaining('11 made or changed') });
    expect(await umpire(['topology', 'plan'], env())).toMatchObject({ exit: EXIT.ok, out: expect.stringContaining('nothing to do') });
  });

  it('says what an ack is worth', async () => {
    const checked = await umpire(['topology', 'check'], env());
    expect(checked.exit).toBe(EXIT.ok);
    expect(checked.out).toMatch(/HITL_REVIEW: 1 copy, file; an ack means: written, synced if sync_interval is always/);
    expect(checked.out).toMatch(/mind: one copy of each stream: set sync_interval: always/);
  });

  it('takes passwords from files, and says what is wrong with a login or an address', async () => {
    const file = join(folder, 'password');
    await writeFile(file, `${TEST_NATS_PASSWORD}\n`);
    const { UMPIRE_NATS_PASSWORD: _, ...without } = env();
    expect((await umpire(['topology', 'plan'], { ...without, UMPIRE_NATS_PASSWORD_FILE: file })).exit).toBe(EXIT.ok);
    expect(await umpire(['topology', 'plan'], without)).toMatchObject({ exit: EXIT.refused, err: expect.stringMatching(/authori/i) });
    expect((await umpire(['topology', 'plan'], { ...env(), UMPIRE_NATS_URL: 'nats://127.0.0.1:1' })).exit).toBe(EXIT.unreachable);
    expect(await umpire(['topology', 'plan'], { ...env(), UMPIRE_NAMESPACES: '[]' })).toMatchObject({ exit: EXIT.usage, err: expect.stringContaining('UMPIRE_NAMESPACES') });
  });

  it('tells what happened since a time, and forgets it only when that is meant', async () => {
    const producer = await nats.bus('state-store');
    const told = (request_id: string, outcome?: object) => JSON.stringify({ namespace: 'default', request_id, seq: 1, type: 'opened', occurred_at: '2026-01-15T10:30:00Z', data: { outcome } });
    const subject = 'hitl.default.escalation.opened.custom_rule';
    await producer.js.publish(subject, told('before'));
    const stored = await nats.operator();
    const { time } = (await stored.request('$JS.API.STREAM.MSG.GET.HITL_EVENTS', '{"last_by_subj":"hitl.default.escalation.opened.custom_rule"}')).json<{ message: { time: string } }>().message;
    const since = new Date(Date.parse(time) + 1).toISOString();
    const nothing = await umpire(['topology', 'events', '--since', '2100-01-01T00:00:00Z'], env());
    expect(nothing).toEqual({ exit: EXIT.ok, out: '', err: '' });
    for (const text of [told('after', { verdict: 'approve', source: 'human' }), 'no JSON']) await producer.js.publish(subject, text);
    const { out, exit } = await umpire(['topology', 'events', '--since', since], env());
    expect(exit).toBe(EXIT.ok);
    expect(out.trimEnd().split('\n').map((line) => JSON.parse(line))).toMatchObject([{ request_id: 'after', type: 'opened', verdict: 'approve', source: 'human' }, { subject, unreadable: true }]);
    expect((await umpire(['topology', 'events'], env())).exit).toBe(EXIT.usage);
    expect((await umpire(['topology', 'events', '--since', 'yesterday'], env())).exit).toBe(EXIT.usage);
    expect((await umpire(['topology', 'forget'], env())).exit).toBe(EXIT.usage);
    expect((await umpire(['topology', 'check'], env())).exit).toBe(EXIT.ok);
    expect(await umpire(['topology', 'forget', '--yes'], env())).toMatchObject({ exit: EXIT.ok, out: 'deleted: HITL_EVENTS\ndeleted: HITL_OUTCOMES\n' });
    expect(await umpire(['topology', 'forget', '--yes'], env())).toMatchObject({ exit: EXIT.ok, out: 'nothing was there\n' });
    expect((await umpire(['topology', 'check'], env())).out).toMatch(/wrong: stream HITL_EVENTS[^]*wrong: stream HITL_OUTCOMES/);
    await umpire(['topology', 'apply'], env());
  });

  it('prints accounts that hold no secret', async () => {
    const { out, exit } = await umpire(['topology', 'accounts'], { UMPIRE_NAMESPACES: '{"team-b":[]}', UMPIRE_NATS_STREAM_PREFIX: 'ACME_' });
    expect(exit).toBe(EXIT.ok);
    expect(out).toContain('user: "producer-team-b", password: $UMPIRE_NATS_PRODUCER_TEAM_B_PASSWORD');
    expect(out).toContain('$JS.API.STREAM.CREATE.ACME_HITL_REVIEW');
  });
});

describe('umpire migrate and first-key', () => {
  const env = () => ({ UMPIRE_POSTGRES_ADMIN_URL: database.url });
  const passwords = { UMPIRE_ROLE_PASSWORD: 'only-for-tests' };

  it('migrates, grants rights to the roles, and says how far it is', async () => {
    expect(await umpire(['migrate', '--check'], env())).toMatchObject({ exit: EXIT.ok, out: expect.stringMatching(/^state-store: at \d+, current$/m) });
    expect((await umpire(['migrate'], { ...env(), ...passwords })).exit).toBe(EXIT.ok);
    const [rights] = await database.sql<{ own: boolean; other: boolean }[]>`
      select has_table_privilege('umpire_intake', 'intake.policies', 'select') as own, has_schema_privilege('umpire_intake', 'store', 'usage') as other`;
    expect(rights).toEqual({ own: true, other: false });
    // Roles that exist need no password: a managed Postgres may not let us set one.
    expect((await umpire(['migrate'], env())).exit).toBe(EXIT.ok);
  });

  it('sees what is still to be applied, and what was changed', async () => {
    const newest = await database.sql`delete from public.umpire_migrations where component = 'notifier' and number = (select max(number) from public.umpire_migrations where component = 'notifier') returning component, number, name, checksum`;
    expect(await umpire(['migrate', '--check'], env())).toMatchObject({ exit: EXIT.differs, out: expect.stringMatching(/notifier: at \d+, 1 to apply \(\d{4}_\w+\)/) });
    await database.sql`insert into public.umpire_migrations ${database.sql(newest)}`;
    await database.sql`update public.umpire_migrations set checksum = 'another' where component = 'intake' and number = 1`;
    expect(await umpire(['migrate', '--check'], env())).toMatchObject({ exit: EXIT.differs, out: expect.stringContaining('intake: an applied migration is not the one in this build') });
    expect((await umpire(['migrate'], env())).err).toContain('was changed after it had been applied');
  });

  it('lets an older build go on beside a newer schema, unless a migration says that it breaks', async () => {
    await database.sql`update public.umpire_migrations set checksum = ${(await migrationsOf('intake'))[0]!.checksum} where component = 'intake' and number = 1`;
    await database.sql`insert into public.umpire_migrations (component, number, name, checksum) values ('intake', 9998, 'of_a_newer_build', 'x')`;
    expect(await umpire(['migrate', '--check'], env())).toMatchObject({ exit: EXIT.ok, out: expect.stringMatching(/^intake: at 9998, newer than this build's \d+: this build works beside it$/m) });
    expect(await umpire(['migrate'], env())).toMatchObject({ exit: EXIT.ok, out: expect.stringMatching(/^nothing to migrate[^\n]*\nintake: at 9998, newer/) });
    await database.sql`update public.umpire_migrations set breaking = true where number = 9998`;
    expect(await umpire(['migrate', '--check'], env())).toMatchObject({ exit: EXIT.differs, out: expect.stringContaining('cannot work beside') });
    expect(await umpire(['migrate'], env())).toMatchObject({ exit: EXIT.refused, err: expect.stringContaining('deploy the newer build') });
    await database.sql`delete from public.umpire_migrations where number = 9998`;
    expect((await umpire(['migrate', '--check'], { UMPIRE_POSTGRES_ADMIN_URL: 'postgres://nobody@127.0.0.1:1/umpire' })).exit).toBe(EXIT.unreachable);
  });

  it('makes each namespace\'s first key once, readable by its owner alone', async () => {
    const keys = join(folder, 'keys');
    const first = () => umpire(['first-key', 'create', '--folder', keys], { ...env(), UMPIRE_NAMESPACES: '{"default":["main"],"team-b":[]}' });
    expect(await first()).toMatchObject({ exit: EXIT.ok, out: expect.stringContaining('team-b: made') });
    const key = (await readFile(join(keys, 'team-b'), 'utf8')).trim();
    expect(isApiKey(key)).toBe(true);
    expect((await stat(join(keys, 'team-b'))).mode & 0o777).toBe(0o600);
    expect(await first()).toMatchObject({ exit: EXIT.ok, out: expect.stringContaining('team-b: there already') });
    expect((await readFile(join(keys, 'team-b'), 'utf8')).trim()).toBe(key);
    const rows = await database.sql<{ namespace: string; roles: string[] }[]>`select namespace, roles from identity.keys where digest = decode(${keyDigest(key)}, 'hex')`;
    expect([...rows]).toEqual([{ namespace: 'team-b', roles: ['admin'] }]);
  });
});
