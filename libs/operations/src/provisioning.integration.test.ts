import { connectPostgres, createLogger, type Sql } from '@umpire/runtime';
import { testDatabase, type TestDatabase } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { provision } from './provisioning.ts';

const PASSWORD = 'only-for-tests';
let database: TestDatabase;
let store: Sql;

beforeAll(async () => {
  database = await testDatabase();
  await provision(database.sql, { roles: { intake: PASSWORD, 'state-store': PASSWORD, notifier: PASSWORD, 'timeout-scheduler': PASSWORD }, keys: [] });
  const url = new URL(database.url);
  url.username = 'umpire_state_store';
  url.password = PASSWORD;
  store = connectPostgres({ url: url.toString(), max: 1, service: 'test', logger: createLogger('test', 'silent') });
  const zeros = (length: number) => Buffer.alloc(length);
  await store`
    insert into store.events (namespace, request_id, seq, id, type, occurred_at, actor, actor_salt, actor_digest, data, data_salt, data_digest, hash)
    values ('default', 'a', 1, '00000000-0000-7000-8000-000000000001', 'opened', '2026-01-01', 'who', ${zeros(16)}, ${zeros(32)}, 'what', ${zeros(16)}, ${zeros(32)}, ${zeros(32)})`;
  await store`insert into store.payloads (namespace, request_id, body, salt, digest) values ('default', 'a', 'words', ${zeros(16)}, ${zeros(32)})`;
});
afterAll(async () => {
  await store.end({ timeout: 1 });
  await database.drop();
});

const DENIED = '42501';
const RESTRICTED = '23001';
const codeOf = (asked: Promise<unknown>) => asked.then(() => null, (error: { code?: string }) => error.code);

describe('the role of the state store', () => {
  it.each([
    ['update store.events set data = null'], ['update store.events set type = \'cancelled\''], ['delete from store.events'], ['truncate store.events'],
    ['update store.payloads set body = null'], ['delete from store.payloads'], ['update store.checkpoints set jws = \'\''], ['delete from store.checkpoints'],
    ['update store.sealed_heads set seq = 9'], ['delete from store.sealed_heads'], ['update store.audit_log set kind = \'x\''], ['delete from store.audit_log'],
    ['update store.signing_keys set signs_from = now()'], ['delete from store.signing_keys'], ['alter table store.events disable trigger all'], ['drop trigger events_change_by_erasure on store.events'],
    ['set umpire.erasing = \'on\'; update store.events set data = null'],
  ])('may not: %s', async (statement) => {
    expect(await codeOf(store.unsafe(statement).simple())).toBe(DENIED);
  });

  it('may go on as ever: search words change, and content is erased through the functions made for it', async () => {
    await store`update store.payloads set document = null where request_id = 'a'`;
    await store`select store.erase_content('default', ${['a']})`;
    const [event] = await store`select actor, actor_salt, data, data_salt, octet_length(hash) as kept from store.events where request_id = 'a'`;
    expect(event).toEqual({ actor: null, actor_salt: null, data: null, data_salt: null, kept: 32 });
    expect(await store`select body, salt from store.payloads where request_id = 'a'`).toEqual([{ body: null, salt: null }]);
  });
});

describe('the owner of the tables', () => {
  it.each([
    ['update store.events set data = \'other\''], ['delete from store.events'], ['truncate store.events'],
    ['set umpire.erasing = \'on\'; update store.events set type = \'cancelled\''], ['set umpire.erasing = \'on\'; update store.events set data = \'other\', data_salt = decode(repeat(\'01\', 16), \'hex\')'],
  ])('is stopped by triggers from a slip like: %s', async (statement) => {
    expect(await codeOf(database.sql.unsafe(statement).simple())).toBe(RESTRICTED);
  });
});
