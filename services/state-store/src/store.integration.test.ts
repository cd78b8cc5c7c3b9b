import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { canonicalJson, fromHex, idToken, subjects, toHex, type ApplyReply, type ChangesReply, type EscalationEvent, type OutcomeReply } from '@umpire/contract';
import { evolve, type DomainEvent, type EscalationState } from '@umpire/domain';
import { saltedDigest } from '@umpire/record';
import { eventually } from '@umpire/testing';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancellation, startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let origin: string;
let alice: string;
let bob: string;
let admin: string;
let producer: string;

beforeAll(async () => {
  harness = await startHarness();
  ({ origin } = await harness.startStore());
  alice = await harness.key(['reviewer'], 'alice');
  bob = await harness.key(['reviewer'], 'bob');
  admin = await harness.key(['admin']);
  producer = await harness.key(['producer']);
});
afterAll(() => harness.stop());

const get = async (path: string, key = alice) => {
  const response = await fetch(`${origin}${path}`, { headers: { authorization: `Bearer ${key}` } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as any };
};
const respond = async (id: string, userInput: object, key = alice, more: object = {}) => {
  const response = await fetch(`${origin}/hitl/respond`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ interaction_id: id, user_input: userInput, ...more }),
  });
  return { status: response.status, body: (await response.json()) as any };
};

/** Every event of an id that is on the stream. */
async function eventsOf(id: string): Promise<EscalationEvent[]> {
  const connection = await harness.nats.operator();
  const consumer = await jetstream(connection).consumers.get('HITL_EVENTS');
  const { num_pending } = await consumer.info();
  const found: EscalationEvent[] = [];
  if (num_pending > 0) {
    const messages = await consumer.fetch({ max_messages: num_pending, expires: 2_000 });
    for await (const message of messages) {
      const event = message.json<EscalationEvent>();
      if (event.request_id === id) found.push(event);
      if (message.info.pending === 0) break;
    }
  }
  await connection.close();
  return found.sort((a, b) => a.seq - b.seq);
}

describe('submit', () => {
  it('stores, then knows the same submission, the same content and other content apart', async () => {
    const first = submission('sub-1');
    expect((await harness.submit([first])).map((v) => v.status)).toEqual(['stored']);
    expect((await harness.submit([first])).map((v) => v.status)).toEqual(['stored']);
    expect((await harness.submit([submission('sub-1')])).map((v) => v.status)).toEqual(['duplicate']);
    expect((await harness.submit([submission('sub-1', { payload: '{"request_id":"sub-1","summary":"other"}' })])).map((v) => v.status)).toEqual(['conflict']);
  });

  it('keeps an id twice in one batch apart from its twin', async () => {
    const verdicts = await harness.submit([submission('twin'), submission('twin'), submission('twin', { payload: '{"x":1}' })]);
    expect(verdicts.map((v) => v.status)).toEqual(['stored', 'duplicate', 'conflict']);
  });

  it('rejects a bad row alone', async () => {
    const nobody = submission('empty-group', { interaction: { assignees: { groups: ['nobody-is-in-it'] } } });
    const verdicts = await harness.submit([submission('good-1'), nobody, submission('good-2')]);
    expect(verdicts.map((v) => v.status)).toEqual(['stored', 'rejected', 'stored']);
    expect(verdicts[1]!.errors![0]).toMatchObject({ path: 'interaction.assignees', code: 'empty_electorate' });
  });

  it('rejects what is not UTF-8 alone, even where the next one makes it whole', async () => {
    const half = { ...submission('half-1'), body: Uint8Array.of(0x22, 0xc3) };
    const rest = { ...submission('half-2'), body: Uint8Array.of(0xa4, 0x22) };
    const verdicts = await harness.submit([submission('whole-1'), half, rest, submission('whole-2', { payload: '"\u00e4"' })]);
    expect(verdicts.map((v) => v.status)).toEqual(['stored', 'rejected', 'rejected', 'stored']);
    expect(verdicts[1]!.errors![0]).toMatchObject({ code: 'malformed_json' });
  });

  it('rejects alone what has no digest of its content', async () => {
    const bad = submission('no-digest');
    const verdicts = await harness.submit([submission('digest-1'), { ...bad, item: { ...bad.item, content_digest: `${'0'.repeat(62)},0` } as typeof bad.item }, submission('digest-2')]);
    expect(verdicts.map((v) => v.status)).toEqual(['stored', 'rejected', 'stored']);
  });

  it('keeps the bytes as they came', async () => {
    const payload = '{ "b":1.50, "a":[12345678901234567890, -0.0],"b":2,"nul":"\\u0000","text":"Gr\u00fc\u00dfe \u5be9\u67fb" }';
    expect((await harness.submit([submission('bytes', { payload })]))[0]!.status).toBe('stored');
    const [row] = await harness.database.sql<{ body: Uint8Array }[]>`select body from store.payloads where request_id = 'bytes'`;
    expect(new TextDecoder().decode(row!.body)).toBe(payload);
    expect((await get('/hitl/escalations/bytes')).text).toContain(`"data":${payload}`);
    await eventually('the opened event', async () => (await eventsOf('bytes')).length === 1);
  });

  it('shows what an automation got so far, as it was written', async () => {
    const payload = '{"pipeline_name":"loans","step_name":"check","data":{"n":1.0},"partial_result":{"score":0.50},"metadata":{"model":"m-1"}}';
    await harness.submit([submission('partial', { kind: 'interaction', payload })]);
    expect((await get('/hitl/escalations/partial')).text).toContain('"partial_result":{"score":0.50},"metadata":{"model":"m-1"},"data":{"n":1.0}');
  });

  it('opens and cancels what was cancelled before it came', async () => {
    expect((await harness.submit([cancellation('early')]))[0]!.status).toBe('tombstoned');
    expect((await harness.submit([submission('early')]))[0]!.status).toBe('stored');
    const status = await get('/hitl/status/early');
    expect(status.body).toMatchObject({ status: 'cancelled', outcome: { state: 'cancelled', source: 'cancel', verdict: null } });
  });

  it('tells a late cancel the real outcome', async () => {
    await harness.submit([submission('late-cancel')]);
    expect((await respond('late-cancel', { decision: 'approve' })).status).toBe(200);
    const [verdict] = await harness.submit([cancellation('late-cancel')]);
    expect(verdict).toMatchObject({ status: 'late', outcome: { verdict: 'approve', source: 'human' } });
  });
});

describe('decide', () => {
  it('commits before it replies, repeats the reply, and tells a late one the outcome', async () => {
    await harness.submit([submission('race')]);
    const first = await respond('race', { decision: 'approve', feedback: 'fine' });
    expect(first).toMatchObject({ status: 200, body: { status: 'accepted', message: 'Response submitted successfully', interaction_id: 'race', state: 'completed', seq: 3 } });
    expect(first.body.outcome).toMatchObject({ state: 'completed', verdict: 'approve', source: 'human', decided_by: ['alice'], timeout_applied: false, request_id: 'race' });
    expect((await respond('race', { decision: 'approve', feedback: 'fine' })).body).toEqual(first.body);
    const late = await respond('race', { decision: 'reject' }, bob);
    expect(late.status).toBe(409);
    expect(late.body).toMatchObject({ code: 'already_settled', outcome: { verdict: 'approve', id: first.body.outcome.id } });
  });

  it('refuses answers that the form does not allow, naming every field', async () => {
    await harness.submit([submission('form')]);
    const bad = await respond('form', { decision: 'maybe', feedback: 7 });
    expect(bad.status).toBe(422);
    expect(bad.body.errors.map((e: { path: string }) => e.path).sort()).toEqual(['user_input.decision', 'user_input.feedback']);
    expect((await get('/hitl/status/form')).body.status).toBe('pending');
  });

  it('takes identity from the credential alone', async () => {
    await harness.submit([submission('who')]);
    expect((await respond('who', { decision: 'approve' }, alice, { user_id: 'bob' })).status).toBe(403);
    expect((await respond('who', { decision: 'approve' }, admin)).status).toBe(403);
    expect((await respond('who', { decision: 'approve' }, producer)).status).toBe(403);
    expect((await respond('who', { decision: 'approve' }, 'umk_not-a-key')).status).toBe(401);
    expect((await get('/hitl/pending/alice', bob)).status).toBe(403);
    expect((await get('/hitl/pending/alice', admin)).status).toBe(200);
  });

  it('publishes each event and the outcome once, chained and gapless', async () => {
    await harness.submit([submission('chain')]);
    const { body } = await respond('chain', { decision: 'reject' });
    const events = await eventually('all events', async () => ((found) => found.length === 3 && found)(await eventsOf('chain')));
    expect(events.map((e) => [e.seq, e.type])).toEqual([[1, 'opened'], [2, 'responded'], [3, 'resolved']]);
    expect(events[0]!.data.escalation).toEqual({ request_id: 'chain', summary: 'two agents disagree' });
    expect(events[2]!.data.outcome!.id).toBe(events[2]!.id);
    expect(body.outcome.id).toBe(events[2]!.id);
    const rows = await harness.database.sql<{ seq: number; type: string; at: Date; actor: Uint8Array; actor_salt: Uint8Array; actor_digest: Uint8Array; data: Uint8Array; data_salt: Uint8Array; data_digest: Uint8Array; hash: Uint8Array }[]>`
      select seq, type, occurred_at as at, actor, actor_salt, actor_digest, data, data_salt, data_digest, hash from store.events where request_id = 'chain' order by seq`;
    // The chain by the letter of the design, not by the code that wrote it.
    let prev: Uint8Array = new Uint8Array(32);
    for (const row of rows) {
      expect(toHex(saltedDigest(row.actor_salt, row.actor))).toBe(toHex(row.actor_digest));
      expect(toHex(saltedDigest(row.data_salt, row.data))).toBe(toHex(row.data_digest));
      const canonical = canonicalJson({ namespace: 'default', request_id: 'chain', seq: row.seq, type: row.type, occurred_at: row.at.toISOString(), actor_digest: toHex(row.actor_digest), data_digest: toHex(row.data_digest) });
      prev = createHash('sha256').update(prev).update(canonical).digest();
      expect(toHex(row.hash)).toBe(toHex(prev));
    }
    const [payload] = await harness.database.sql<{ salt: Uint8Array; body: Uint8Array }[]>`select salt, body from store.payloads where request_id = 'chain'`;
    expect(events[0]!.data['payload_digest']).toBe(toHex(saltedDigest(payload!.salt, payload!.body)));
    expect(fromHex(events[0]!.data['payload_digest'] as string)).toHaveLength(32);
    await eventually('an empty outbox', async () => (await harness.database.sql`select 1 from store.outbox where request_id = 'chain'`).length === 0);
  });

  it('tells the outcome on the producer\'s reply subject too', async () => {
    const connection = await harness.nats.producer();
    const replies = connection.subscribe('hitl.default.reply.loans', { max: 1, timeout: 10_000 });
    await harness.submit([submission('replied', { interaction: { resume: { reply_subject: 'hitl.default.reply.loans' } } })]);
    const { body } = await respond('replied', { decision: 'approve' });
    for await (const message of replies) expect(message.json()).toEqual(body.outcome);
    await connection.close();
  });

  it('is the fold of its events', async () => {
    await harness.submit([submission('fold')]);
    await respond('fold', { decision: 'approve' });
    const rows = await harness.database.sql<{ type: DomainEvent['type']; at: Date; actor: Uint8Array; data: Uint8Array }[]>`
      select type, occurred_at as at, actor, data from store.events where request_id = 'fold' order by seq`;
    const parse = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as any;
    const folded = rows.reduce<EscalationState | null>((state, row) => evolve(state, { type: row.type, at: row.at.getTime(), actor: parse(row.actor), data: parse(row.data) }), null);
    const [kept] = await harness.database.sql<{ state: Uint8Array }[]>`select state from store.escalations where request_id = 'fold'`;
    expect(JSON.parse(JSON.stringify(folded))).toEqual(parse(kept!.state));
  });
});

describe('clocks', () => {
  const apply = (items: object[]) => harness.scheduler.requestJson<ApplyReply>(subjects.apply, { items }, 5_000);

  it('asks an early clock to come again, refuses a stale one, applies a due one', async () => {
    await harness.submit([submission('slow', { interaction: { timeout_seconds: 600 } }), submission('fast', { interaction: { timeout_seconds: 0.2, default_action: 'reject' } })]);
    const early = await apply([{ namespace: 'default', request_id: 'slow', kind: 'deadline', ordinal: 0, generation: 1 }]);
    expect(early.results[0]!.status).toBe('retry_at');
    const stale = await apply([{ namespace: 'default', request_id: 'slow', kind: 'deadline', ordinal: 0, generation: 99 }, { namespace: 'default', request_id: 'unknown', kind: 'deadline', ordinal: 0, generation: 1 }]);
    expect(stale.results.map((r) => r.status)).toEqual(['stale', 'stale']);
    await eventually('the deadline', async () => (await apply([{ namespace: 'default', request_id: 'fast', kind: 'deadline', ordinal: 0, generation: 1 }])).results[0]!.status === 'applied');
    expect((await get('/hitl/status/fast')).body.outcome).toMatchObject({ state: 'completed', verdict: 'reject', source: 'timeout', timeout_applied: true, decided_by: [], response: { decision: 'reject' } });
  });

  it('tells whoever follows the changes the clocks of what is pending, and none of what has ended', async () => {
    // Postgres' JSON refuses to read the first two.
    const prompts = new Map([['followed/nul', 'a\u0000b'], ['followed/half a pair', 'a\ud83db'], ['followed/path', 'C:\\users'], ['followed/others', 'a\n"b" ü 🙂'], ['followed/fields', '"clocks":[]']]);
    await harness.submit(['followed', 'followed/ended', ...prompts.keys()].map((id) => submission(id, { interaction: { timeout_seconds: 600, reminders: [60], prompt: prompts.get(id) ?? 'Decide' } })));
    expect((await respond('followed/ended', { decision: 'approve', feedback: 'fine' })).status).toBe(200);
    const found = new Map<string, ChangesReply['items'][number]>();
    await eventually('both', async () => {
      for (let after: string | null = null; ; ) {
        const page: ChangesReply = await harness.scheduler.requestJson<ChangesReply>(subjects.query('changes'), { after, limit: 50 }, 5_000);
        for (const item of page.items) found.set(item.request_id, item);
        if (page.items.length < 50) break;
        after = page.next;
      }
      return found.has('followed') && (found.get('followed/ended')?.seq ?? 0) > 1;
    }, 60_000);
    expect(found.get('followed')).toMatchObject({ namespace: 'default', seq: 1, clocks: [{ kind: 'deadline', ordinal: 0, generation: 1 }, { kind: 'reminder', ordinal: 0, generation: 1 }] });
    const [deadline, reminder] = found.get('followed')!.clocks;
    expect(Date.parse(deadline!.due_at) - Date.parse(reminder!.due_at)).toBe(60_000);
    expect(found.get('followed/ended')!.clocks).toEqual([]);
    for (const id of prompts.keys()) expect(found.get(id)!.clocks.map((clock) => clock.kind)).toEqual(['deadline', 'reminder']);
  });

  it('applies the timeout itself when an answer comes after the deadline', async () => {
    await harness.submit([submission('overtaken', { interaction: { timeout_seconds: 0.05 } })]);
    const refused = await eventually('a refusal', async () => {
      const [row] = await harness.database.sql`select 1 from store.escalations where request_id = 'overtaken' and deadline <= clock_timestamp()`;
      return row && (await respond('overtaken', { decision: 'approve' }));
    });
    expect(refused.status).toBe(409);
    expect(refused.body.outcome).toMatchObject({ state: 'expired', verdict: null, source: 'timeout' });
  });

  it('waits for the outcome', async () => {
    await harness.submit([submission('waited')]);
    const waiting = get('/hitl/status/waited?wait=20', producer);
    await respond('waited', { decision: 'approve' });
    expect((await waiting).body).toMatchObject({ status: 'completed', outcome: { verdict: 'approve', data: { request_id: 'waited' }, merged: { request_id: 'waited', decision: 'approve' } } });
  });
});

describe('reads', () => {
  it('lists what is pending for a person and no other namespace', async () => {
    const carol = await harness.key(['reviewer'], 'carol');
    const stranger = await harness.key(['reviewer'], 'carol', 'team-a');
    await harness.submit([submission('named', { interaction: { assignees: { users: ['carol'] } } }), submission('four-eyes', { interaction: { exclude: ['carol'] } })]);
    const ids = (await get('/hitl/pending/carol', carol)).body.map((item: { interaction_id: string }) => item.interaction_id);
    expect(ids).toContain('named');
    expect(ids).not.toContain('four-eyes');
    expect((await get('/hitl/pending/carol', stranger)).body).toEqual([]);
    expect((await get('/hitl/status/named', stranger)).status).toBe(404);
    expect((await get('/hitl/escalations/named', alice)).status).toBe(403);
  });

  it('pages the inbox through Link', async () => {
    const dave = await harness.key(['reviewer', 'team-lead'], 'dave');
    await harness.submit(Array.from({ length: 5 }, (_, i) => submission(`page-${i}`, { interaction: { assignees: { roles: ['team-lead'] } } })));
    const seen: string[] = [];
    for (let path: string | null = '/hitl/pending/dave?limit=2'; path; ) {
      const page: Awaited<ReturnType<typeof get>> = await get(path, dave);
      seen.push(...page.body.map((item: { interaction_id: string }) => item.interaction_id).filter((id: string) => id.startsWith('page-')));
      path = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? null;
    }
    expect(seen.sort()).toEqual(['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
  });

  it.each(['hitl-loan/2024/17-af4ecf7b', 'hitl-\u00dcbung 7-0c1d2e3f', '~tilde', '\u5be9'.repeat(170) + 'ab', '..', 'a?b#c%d'])('finds the id %s both ways', async (id) => {
    expect(Buffer.byteLength(id)).toBeLessThanOrEqual(512);
    expect((await harness.submit([submission(id)]))[0]!.status).toBe('stored');
    if (!id.startsWith('~') && id !== '..') expect((await get(`/hitl/status/${encodeURIComponent(id)}`)).body.interaction_id).toBe(id);
    expect((await get(`/hitl/status/~${idToken(id)}`)).body.interaction_id).toBe(id);
    expect((await get(`/hitl/escalations/~${idToken(id)}/timeline`)).body.items[0].type).toBe('opened');
    const connection = await harness.nats.producer();
    const hint = connection.subscribe(subjects.settled('default', id), { max: 1 });
    expect((await respond(id, { decision: 'approve' })).status).toBe(200);
    for await (const message of hint) expect(message.subject).toBe(subjects.settled('default', id));
    const reply = (await connection.request(subjects.queryOutcome('default'), JSON.stringify({ request_id: id }), { timeout: 3_000 })).json<OutcomeReply>();
    expect(reply).toMatchObject({ status: 'completed', request_id: id, outcome: { verdict: 'approve' } });
    await connection.close();
  });

  it('answers from the cache, and the same with it planted, flushed or gone', async () => {
    await harness.submit([submission('cached')]);
    const { Redis } = await import('ioredis');
    const redis = new Redis(harness.redis.url);
    const truth = (await get('/hitl/escalations/cached')).text;
    const key = `umpire:default:item:${idToken('cached')}`;
    await eventually('a cache entry', () => redis.exists(key));
    // Shown to be served from it: a mark in the entry comes back.
    await redis.set(key, `1\n${truth.replace('two agents disagree', 'from the cache')}`);
    expect((await get('/hitl/escalations/cached')).text).toContain('from the cache');
    await redis.flushall();
    expect((await get('/hitl/escalations/cached')).text).toBe(truth);
    expect((await respond('cached', { decision: 'approve' })).status).toBe(200);
    const settled = (await get('/hitl/escalations/cached')).text;
    // An entry of the old version is never used.
    await redis.set(key, `1\n${truth}`);
    expect((await get('/hitl/escalations/cached')).text).toBe(settled);
    expect((await get('/hitl/status/cached')).body.status).toBe('completed');
    redis.disconnect();
    await harness.redis.kill();
    expect((await get('/hitl/escalations/cached')).text).toBe(settled);
    expect((await get('/hitl/status/cached')).body.status).toBe('completed');
    await harness.redis.start();
  });
});

describe('documents', () => {
  it('publishes its schemas to everybody', async () => {
    const list = await (await fetch(`${origin}/schemas`)).json() as { items: { href: string }[] };
    expect(list.items.length).toBeGreaterThan(10);
    for (const { href } of list.items) expect(((await (await fetch(`${origin}${href}`)).json()) as { $schema: string }).$schema).toContain('2020-12');
    expect((await fetch(`${origin}/schemas/nothing.json`)).status).toBe(404);
    expect(((await (await fetch(`${origin}/asyncapi.json`)).json()) as { asyncapi: string }).asyncapi).toBe('3.0.0');
    expect(((await (await fetch(`${origin}/semantics.json`)).json()) as { contract_version: string }).contract_version).toBe('1.0.0');
  });
});

describe('outbox', () => {
  it('is swept when the broker comes back', async () => {
    await harness.submit([submission('swept')]);
    await eventually('published', async () => (await eventsOf('swept')).length === 1);
    await eventually('forgotten', async () => (await harness.database.sql`select 1 from store.outbox where request_id = 'swept'`).length === 0);
    await harness.nats.kill();
    // A decision needs no broker; its events wait in the outbox.
    expect((await respond('swept', { decision: 'approve' })).status).toBe(200);
    expect(await harness.database.sql`select seq from store.outbox where request_id = 'swept' order by seq`).toHaveLength(2);
    await harness.nats.start();
    const events = await eventually('the rest', async () => ((found) => found.length === 3 && found)(await eventsOf('swept')), 30_000);
    expect(events.map((event) => event.type)).toEqual(['opened', 'responded', 'resolved']);
    await eventually('an empty outbox', async () => (await harness.database.sql`select 1 from store.outbox where request_id = 'swept'`).length === 0);
  });

  it('is filled again when the streams are lost, under the same ids', async () => {
    await harness.submit([submission('lost')]);
    await respond('lost', { decision: 'approve' });
    const before = await eventually('published', async () => ((found) => found.length === 3 && found)(await eventsOf('lost')));
    const operator = await harness.nats.operator();
    const manager = await jetstreamManager(operator);
    await manager.streams.delete('HITL_EVENTS');
    await manager.streams.delete('HITL_OUTCOMES');
    const after = await eventually('published again', async () => ((found) => found.length === 3 && found)(await eventsOf('lost')), 30_000);
    expect(after.map((event) => event.id)).toEqual(before.map((event) => event.id));
    const outcomes = await jetstream(operator).consumers.get('HITL_OUTCOMES');
    const ids: string[] = [];
    for await (const message of await outcomes.consume()) {
      ids.push(message.json<{ id: string }>().id);
      if (message.info.pending === 0) break;
    }
    expect(ids).toContain(before[2]!.id);
    await operator.close();
  });
});

describe('what cannot be kept as it was sent', () => {
  const send = (body: string | Uint8Array) => fetch(`${origin}/hitl/respond`, { method: 'POST', headers: { authorization: `Bearer ${alice}`, 'content-type': 'application/json' }, body: body as string });

  it('is refused with its reason', async () => {
    await harness.submit([submission('exact', { interaction: { pattern: 'input', ui_schema: { fields: [] } } })]);
    const answer = (userInput: string) => send(`{"interaction_id":"exact","user_input":${userInput}}`);
    const inexact = await answer('{"amount":12345678901234567890,"n":[1e400]}');
    expect(inexact.status).toBe(422);
    expect(((await inexact.json()) as { errors: { path: string; code: string }[] }).errors).toMatchObject([{ path: 'user_input.amount', code: 'inexact_number' }, { path: 'user_input.n[0]', code: 'inexact_number' }]);
    expect((await answer('['.repeat(100) + ']'.repeat(100))).status).toBe(400);
    expect((await send(new Uint8Array([...new TextEncoder().encode('{"interaction_id":"exact","user_input":{"a":"'), 0xff, ...new TextEncoder().encode('"}}')]))).status).toBe(400);
    expect((await get('/hitl/pending/a%00b', admin)).status).toBe(400);
    expect((await get('/hitl/status/exact')).body.status).toBe('pending');
    expect((await answer('{"amount":30.0,"small":0.1}')).status).toBe(200);
  });

  it('keeps an electorate within what an event can carry', async () => {
    const { sql } = harness.database;
    await sql`insert into identity.groups (namespace, name) values ('default', 'crowd')`;
    await sql`insert into identity.group_members (namespace, group_name, user_id) select 'default', 'crowd', repeat('x', 240) || i from generate_series(1, 1000) as i`;
    const [verdict] = await harness.submit([submission('crowded', { interaction: { assignees: { groups: ['crowd'] } } })]);
    expect(verdict).toMatchObject({ status: 'rejected', errors: [{ code: 'electorate_too_large' }] });
  });

  it('answers many late cancels in replies that fit', async () => {
    const ids = Array.from({ length: 24 }, (_, i) => `late-${i}`);
    await harness.submit(ids.map((id) => submission(id, { interaction: { pattern: 'input', ui_schema: { fields: [] } } })));
    for (const id of ids) expect((await respond(id, { text: 'y'.repeat(60_000) })).status).toBe(200);
    const verdicts = await harness.submit(ids.map((id) => cancellation(id)));
    expect(verdicts.length).toBeGreaterThan(1);
    expect(verdicts.length).toBeLessThan(24);
    expect(verdicts.every((verdict) => verdict.status === 'late')).toBe(true);
  });

  it('stops at once although a reader waits', async () => {
    const second = await harness.startStore();
    await harness.submit([submission('patient')]);
    const waiting = fetch(`${second.origin}/hitl/status/patient?wait=60`, { headers: { authorization: `Bearer ${alice}` } });
    await eventually('a reader that waits', async () => (await fetch(`${second.origin}/healthz`)).ok);
    await second.stop();
    expect(((await (await waiting).json()) as { status: string }).status).toBe('pending');
  }, 20_000);
});
