import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { subjects, type PrincipalsQuery } from '@umpire/contract';
import { keyDigest } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { Harness, type App, type Call } from '../../test/harness.ts';
import { SocketClient } from '../../test/socket-client.ts';
import { readNotifierConfig } from '../notifier.config.ts';

let harness: Harness;
let notifier: App;
let number = 0;
const clients: SocketClient[] = [];
const apps: App[] = [];

beforeAll(async () => {
  harness = await Harness.start();
  notifier = await harness.notifier();
});
afterAll(() => harness.stop());
afterEach(async () => {
  for (const client of clients.splice(0)) client.ws.terminate();
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

/** A person of this test alone, with a key, and calls to the store in their name. */
async function person(name: string, roles = ['reviewer'], namespace = 'default'): Promise<{ id: string; key: string; store: Call }> {
  const id = `${name}-${(number += 1)}`;
  const key = await harness.key(roles, namespace, id);
  return { id, key, store: harness.callWith(() => harness.storeOrigin, key) };
}

async function open(who: { id: string; key: string }, more: { origin?: string; since?: string; of?: string } = {}): Promise<SocketClient> {
  const query = more.since === undefined ? '' : `?since=${more.since}`;
  const client = await SocketClient.open(more.origin ?? notifier.origin, `/ws/hitl/${encodeURIComponent(more.of ?? who.id)}${query}`, { headers: { authorization: `Bearer ${who.key}` } });
  clients.push(client);
  return client;
}

const newId = (name: string) => `${name}/${(number += 1)} Ü`;
const asks = (...users: string[]) => ({ interaction: { assignees: { users } } });

describe('the seed\'s client', () => {
  it('gets the list, what is new, and what is over; ping gives pong', async () => {
    const alice = await person('alice');
    const [first, second] = [newId('first'), newId('second')];
    const payload = JSON.stringify({ request_id: first, n: 1 }).replace('"n":1', '"n": 1.0');
    await harness.submit(first, { payload, ...asks(alice.id) });
    const socket = await open(alice);
    const list = await socket.list();
    expect(list).toMatchObject({ total: 1, data: [{ interaction_id: first, status: 'pending', data: { request_id: first } }] });
    expect(socket.texts[0]).toContain(`"data":${payload}`);
    expect(list.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(list.resync).toBeUndefined();

    await harness.submit(second, asks(alice.id));
    const fresh = await socket.wait('the new one', (frame) => frame.type === 'new_interaction');
    expect(fresh).toMatchObject({ event: 'opened', seq: 1, data: { interaction_id: second, ui_schema: { fields: expect.any(Array) }, expires_at: expect.any(String) } });

    expect((await alice.store('POST', '/hitl/respond', { interaction_id: first, user_input: { decision: 'approve' } })).status).toBe(200);
    const closed = await socket.wait('the end', (frame) => frame.type === 'interaction_closed');
    expect(closed).toMatchObject({ event: 'resolved', data: { interaction_id: first, status: 'completed', outcome: { verdict: 'approve', id: closed.id } } });
    socket.send('ping');
    await eventually('pong', () => socket.texts.includes('pong'));
    socket.send({ type: 'ping' });
    await socket.wait('pong', (frame) => frame.type === 'pong');
  });

  it('sees what happens to an interaction, and only what concerns it', async () => {
    const [bob, carol] = [await person('bob'), await person('carol')];
    const [bobs, carols] = [await open(bob), await open(carol)];
    await Promise.all([bobs.list(), carols.list()]);
    const id = newId('both');
    await harness.submit(id, { interaction: { assignees: { users: [bob.id, carol.id] }, quorum: 'all' } });
    await harness.submit(newId('bob only'), asks(bob.id));
    await bobs.wait('both', (frame) => frame.data?.interaction_id === id);
    await bob.store('POST', '/hitl/respond', { interaction_id: id, user_input: { decision: 'approve' } });
    const vote = await carols.wait('the vote', (frame) => frame.event === 'responded');
    expect(vote).toMatchObject({ type: 'interaction_updated', data: { interaction_id: id, votes: [{ user_id: bob.id, verdict: 'approve' }] } });
    expect(carols.events.map((frame) => frame.data.interaction_id)).toEqual([id, id]);
  });

  it('a role is an inbox too, and four-eyes keeps out of it', async () => {
    const [dave, erin] = [await person('dave', ['reviewer'], 'team-a'), await person('erin', ['reviewer'], 'team-a')];
    const [daves, erins] = [await open(dave), await open(erin)];
    await Promise.all([daves.list(), erins.list()]);
    const id = newId('role');
    await harness.submit(id, { namespace: 'team-a', interaction: { assignees: { roles: ['reviewer'] }, exclude: [erin.id] } });
    const open1 = newId('role for all');
    await harness.submit(open1, { namespace: 'team-a', interaction: { assignees: { roles: ['reviewer'] } } });
    await daves.wait('the excluded one', (frame) => frame.data?.interaction_id === id);
    await erins.wait('the one for all', (frame) => frame.data?.interaction_id === open1);
    expect(erins.events.map((frame) => frame.data.interaction_id)).toEqual([open1]);
  });

  it('leaves the inbox of who gave it away, and is new to who got it', async () => {
    const [frank, grace] = [await person('frank'), await person('grace')];
    const [franks, graces] = [await open(frank), await open(grace)];
    await Promise.all([franks.list(), graces.list()]);
    const id = newId('handed on');
    await harness.submit(id, asks(frank.id));
    await franks.wait('opened', (frame) => frame.event === 'opened');
    const moved = await frank.store('POST', `/hitl/escalations/${encodeURIComponent(id)}/reassign`, { from: frank.id, to: { users: [grace.id] } });
    expect({ moved }).toMatchObject({ moved: { status: 200 } });
    expect(await graces.wait('new', (frame) => frame.event === 'reassigned')).toMatchObject({ type: 'new_interaction', data: { interaction_id: id } });
    const left = await franks.wait('left', (frame) => frame.event === 'reassigned');
    expect(left).toMatchObject({ type: 'interaction_closed', data: { interaction_id: id, status: 'pending', reason: 'reassigned', outcome: null } });
    await grace.store('POST', '/hitl/respond', { interaction_id: id, user_input: { decision: 'approve' } });
    await graces.wait('resolved', (frame) => frame.event === 'resolved');
    expect(franks.events.map((frame) => frame.event)).toEqual(['opened', 'reassigned']);
  });

  it('follows one that is not in the inbox, if it may', async () => {
    const [heidi, admin] = [await person('heidi'), await person('admin', ['admin'])];
    const id = newId('followed');
    await harness.submit(id, asks(heidi.id));
    const stranger = await open(await person('stranger'));
    stranger.send({ type: 'subscribe', interaction_id: id });
    expect(await stranger.wait('refusal', (frame) => frame.type === 'error')).toMatchObject({ code: 'not_found', interaction_id: id });
    const watching = await open(admin, { of: heidi.id });
    expect((await watching.list()).data).toMatchObject([{ interaction_id: id }]);
    const other = newId('another');
    await harness.submit(other, asks((await person('ivan')).id));
    watching.send({ type: 'subscribe', interaction_id: other });
    expect(await watching.wait('subscribed', (frame) => frame.type === 'subscribed')).toMatchObject({ interaction_id: other, seq: 1, data: { status: 'pending' } });
    await (await harness.caller(harness.storeOrigin)) ('POST', `/hitl/escalations/${encodeURIComponent(other)}/cancel`, {});
    expect(await watching.wait('closed', (frame) => frame.type === 'interaction_closed')).toMatchObject({ event: 'cancelled', data: { interaction_id: other } });
    expect(stranger.events).toEqual([]);
    watching.send('what?');
    expect(await watching.wait('error', (frame) => frame.type === 'error')).toMatchObject({ code: 'bad_request' });
  });
});

describe('the read log', () => {
  const reads = async (who: { id: string }, count: number) => {
    const admin = await person('auditor', ['admin']);
    return eventually(`${count} reads by ${who.id}`, async () => {
      const { items } = (await admin.store('GET', `/hitl/reads?user_id=${who.id}`)).body as { items: { what: string; via: string; request_id: string | null; shown: string[]; subject_user: string | null }[] };
      return items.length >= count && items.toReversed().map(({ what, via, request_id, shown, subject_user }) => [what, via, request_id, shown, subject_user]);
    });
  };

  it('names an administrator who looks on at another\'s inbox, push by push, and not whom it is addressed to', async () => {
    const [lena, admin] = [await person('lena'), await person('looker', ['admin'])];
    const [own, looking] = [await open(lena), await open(admin, { of: lena.id })];
    await Promise.all([own.list(), looking.list()]);
    const id = newId('looked at');
    await harness.submit(id, asks(lena.id));
    await looking.wait('the new one', (frame) => frame.type === 'new_interaction');
    await lena.store('POST', '/hitl/respond', { interaction_id: id, user_input: { decision: 'approve' } });
    await looking.wait('the end', (frame) => frame.type === 'interaction_closed');
    expect(looking.events.map((frame) => frame.event)).toEqual(['opened', 'responded', 'resolved']);
    expect(await reads(admin, 4)).toEqual([['pending', 'socket', null, [], lena.id], ...Array.from({ length: 3 }, () => ['item', 'socket', id, [], null])]);
    expect(await reads(lena, 1)).toEqual([['pending', 'socket', null, [], lena.id]]);
  });

  it('names an administrator who follows one, and whoever comes back with since', async () => {
    const [mona, admin] = [await person('mona'), await person('follower', ['admin'])];
    const [own, following] = [await open(mona), await open(admin)];
    await Promise.all([own.list(), following.list()]);
    const [id, second] = [newId('followed on'), newId('missed')];
    await harness.submit(id, asks(mona.id));
    // Whoever follows it from here on is not told of its opening any more.
    await own.wait('opened', (frame) => frame.event === 'opened');
    following.send({ type: 'subscribe', interaction_id: id });
    await following.wait('subscribed', (frame) => frame.type === 'subscribed');
    await mona.store('POST', `/hitl/escalations/~${Buffer.from(id).toString('base64url')}/comment`, { text: 'hm' });
    const frame = await following.wait('the comment', ({ event }) => event === 'commented');
    expect((await reads(admin, 3)).slice(1)).toEqual(Array.from({ length: 2 }, () => ['item', 'socket', id, [], null]));
    await harness.submit(second, asks(mona.id));
    // Told before she comes back: else she might be told as of now, and nothing would be replayed.
    await own.wait('the second', ({ data }) => data?.interaction_id === second);
    await own.close();
    const back = await open(mona, { since: frame.id! });
    await back.wait('the missed one', ({ data }) => data?.interaction_id === second);
    expect((await reads(mona, 2)).slice(1)).toEqual([['replay', 'socket', null, [second], mona.id]]);
  });

  it('that takes nothing ends what an onlooker is shown, and nobody else\'s', async () => {
    const [nina, admin] = [await person('nina'), await person('unheard', ['admin'])];
    await harness.stopStore();
    await harness.startStore({ UMPIRE_READ_LOG: 'before' });
    const own = await eventually('the store is there', () => open(nina).catch(() => null));
    const looking = await open(admin, { of: nina.id });
    await Promise.all([own.list(), looking.list()]);
    const blocker = await harness.database.sql.reserve();
    await blocker`begin`;
    await blocker`lock table store.reads in exclusive mode`;
    const id = newId('not written down');
    await harness.submit(id, asks(nina.id));
    await own.wait('the new one', (frame) => frame.data?.interaction_id === id);
    expect(await eventually('the onlooker is put out', () => looking.closed)).toMatchObject({ code: 1013 });
    expect(looking.events).toEqual([]);
    await blocker`rollback`;
    blocker.release();
    await harness.stopStore();
    await harness.startStore();
  });
});

describe('coming back', () => {
  it('with since brings exactly what was missed, on any replica', async () => {
    const judy = await person('judy');
    const socket = await open(judy);
    await socket.list();
    await harness.submit(newId('seen'), asks(judy.id));
    const last = await socket.wait('seen', (frame) => frame.event === 'opened');
    await socket.close();
    const missed = [newId('m1'), newId('m2'), newId('m3')];
    for (const id of missed) await harness.submit(id, asks(judy.id));
    await judy.store('POST', '/hitl/respond', { interaction_id: missed[1], user_input: { decision: 'approve' } });
    const other = await harness.notifier();
    apps.push(other);
    for (const origin of [notifier.origin, other.origin]) {
      const back = await open(judy, { origin, since: last.id! });
      await back.wait('the end', (frame) => frame.event === 'resolved');
      expect(back.events.map((frame) => [frame.event, frame.data.interaction_id])).toEqual([
        ['opened', missed[0]], ['opened', missed[1]], ['opened', missed[2]], ['responded', missed[1]], ['resolved', missed[1]],
      ]);
      expect(back.frames).toHaveLength(5);
    }
  });

  it('from beyond the window brings the list again and says so', async () => {
    const ken = await person('ken');
    const id = newId('kept');
    await harness.submit(id, asks(ken.id));
    const back = await open(ken, { since: '0192f0c1-1111-7abc-8def-000000000001' });
    expect(await back.list()).toMatchObject({ resync: true, total: 1, data: [{ interaction_id: id }] });
  });

  it('again and again in a storm misses nothing and gets nothing twice', async () => {
    const [leo, admin] = [await person('leo'), await harness.caller(harness.storeOrigin)];
    const ids = Array.from({ length: 60 }, (_, index) => newId(`storm-${index}`));
    const storm = (async () => {
      for (const id of ids) {
        await harness.submit(id, asks(leo.id));
        if (ids.indexOf(id) % 2 === 0) await admin('POST', `/hitl/escalations/${encodeURIComponent(id)}/comment`, { text: 'look' });
        if (ids.indexOf(id) % 3 === 0) await leo.store('POST', '/hitl/respond', { interaction_id: id, user_input: { decision: 'approve' } });
      }
    })();
    const got: { id: string; seq: number; interaction: string }[] = [];
    let known = new Map<string, number>();
    let since: string | undefined;
    const state = { over: false };
    void storm.then(() => (state.over = true));
    for (let turn = 0; !state.over; turn += 1) {
      const socket = await open(leo, since === undefined ? {} : { since });
      if (since === undefined) {
        const list = await socket.list();
        known = new Map((list.data as { interaction_id: string; seq: number }[]).map((item) => [item.interaction_id, item.seq]));
        since = list.id;
      }
      const before = socket.events.length;
      await eventually('something more, or the end', () => socket.events.length > before + (turn % 4) || state.over);
      socket.ws.terminate();
      await eventually('gone', () => socket.closed);
      for (const frame of socket.events) got.push({ id: frame.id!, seq: frame.seq!, interaction: frame.data.interaction_id as string });
      expect(socket.frames.some((frame) => frame.resync)).toBe(false);
      since = got.at(-1)?.id ?? since;
    }
    const final = await open(leo, { since: since! });
    const rows = await harness.database.sql<{ id: string; seq: number; request_id: string }[]>`
      select v.id, v.seq, v.request_id from store.events v where v.request_id = any(${ids}) and v.type <> 'consumed'`;
    const expected = rows.filter((row) => row.seq > (known.get(row.request_id) ?? 0)).map((row) => row.id);
    await eventually('all of it', () => got.length + final.events.length >= expected.length);
    for (const frame of final.events) got.push({ id: frame.id!, seq: frame.seq!, interaction: frame.data.interaction_id as string });
    expect(got.map((frame) => frame.id).toSorted()).toEqual(expected.toSorted());
    for (const frames of Map.groupBy(got, (frame) => frame.interaction).values()) expect(frames.map((frame) => frame.seq)).toEqual(frames.map((frame) => frame.seq).toSorted((a, b) => a - b));
  });

  it('needs no coming back when NATS restarts or the store is away for a while', async () => {
    const mia = await person('mia');
    const socket = await open(mia);
    await socket.list();
    await harness.nats.restart();
    const [first, second] = [newId('after restart'), newId('after the store came back')];
    await eventually('submitted', () => harness.submit(first, asks(mia.id)).then(() => true));
    await socket.wait('the first', (frame) => frame.data?.interaction_id === first, 30_000);
    await harness.stopStore();
    const late = open(mia).catch(() => null);
    await harness.startStore();
    await harness.submit(second, asks(mia.id));
    await socket.wait('the second', (frame) => frame.data?.interaction_id === second, 30_000);
    expect(socket.events.map((frame) => frame.data.interaction_id)).toEqual([first, second]);
    expect((await ((await late) ?? (await open(mia))).list()).total).toBeGreaterThanOrEqual(1);
  });
});

describe('who may connect', () => {
  const refused = (path: string, headers: Record<string, string>) => SocketClient.open(notifier.origin, path, { headers }).then(
    () => 'open',
    (error: Error) => error.message,
  );

  it('needs a credential of that person, or an administrator\'s', async () => {
    const [nina, oscar] = [await person('nina'), await person('oscar')];
    const producer = await harness.key(['producer']);
    const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
    expect(await refused(`/ws/hitl/${nina.id}`, {})).toBe('refused with 401');
    expect(await refused(`/ws/hitl/${nina.id}`, bearer('umk_nonsense'))).toBe('refused with 401');
    expect(await refused(`/ws/hitl/${nina.id}`, bearer(oscar.key))).toBe('refused with 403');
    expect(await refused(`/ws/hitl/${nina.id}`, bearer(producer))).toBe('refused with 403');
    expect(await refused('/ws/hitl', bearer(nina.key))).toBe('refused with 404');
    expect(await refused(`/ws/other/${nina.id}`, bearer(nina.key))).toBe('refused with 404');
    expect(await refused('/ws/hitl/%E0%A4%A', bearer(nina.key))).toBe('refused with 400');
  });

  it('takes a session from its own pages only', async () => {
    const paula = await person('paula');
    const signedIn = await fetch(`${harness.storeOrigin}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key: paula.key }) });
    expect(signedIn.status).toBeLessThan(300);
    const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;
    const path = `/ws/hitl/${paula.id}`;
    expect(await refused(path, { cookie })).toBe('refused with 403');
    expect(await refused(path, { cookie, origin: 'https://evil.example' })).toBe('refused with 403');
    expect(await refused(path, { cookie, origin: notifier.origin, 'sec-fetch-site': 'cross-site' })).toBe('refused with 403');
    expect(await refused(`/ws/hitl/${(await person('quinn')).id}`, { cookie, origin: notifier.origin })).toBe('refused with 403');
    const socket = await SocketClient.open(notifier.origin, path, { headers: { cookie, origin: notifier.origin } });
    clients.push(socket);
    await socket.list();
  });

  it('ends with the credential', async () => {
    // Within five seconds: asked again every three, a tick of one, and never from what was kept.
    expect(readNotifierConfig({ UMPIRE_POSTGRES_URL: 'postgres://any', UMPIRE_SECRET_KEY: Buffer.alloc(32).toString('base64') }).socketRecheckMs).toBeLessThanOrEqual(3_000);
    const operator = await harness.nats.operator();
    let asked = 0;
    operator.subscribe(subjects.query('principals'), { callback: (_, message) => { asked += message.json<PrincipalsQuery>().credentials.length; } });
    await operator.flush();
    const [rita, sven] = [await person('rita'), await person('sven')];
    const signedIn = await fetch(`${harness.storeOrigin}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key: sven.key }) });
    const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;
    const bySession = await SocketClient.open(notifier.origin, `/ws/hitl/${sven.id}`, { headers: { cookie, origin: notifier.origin } });
    clients.push(bySession);
    const [byKey, stays] = [await open(rita), await open(sven)];
    await Promise.all([byKey.list(), bySession.list(), stays.list()]);
    // Not by the look that every new socket gets at the first tick, but by a later one.
    await eventually('the first looks', () => asked >= 3);
    await harness.database.sql`update identity.keys set revoked_at = clock_timestamp() where digest = decode(${keyDigest(rita.key)}, 'hex')`;
    expect((await fetch(`${harness.storeOrigin}/session`, { method: 'DELETE', headers: { cookie } })).status).toBeLessThan(300);
    expect(await eventually('closed', () => byKey.closed)).toMatchObject({ code: 4401 });
    expect(await eventually('closed', () => bySession.closed)).toMatchObject({ code: 4401 });
    expect(stays.closed).toBeNull();
    await operator.close();
  });
});

describe('bad clients', () => {
  it('one that reads too slowly is dropped, and nobody else notices', async () => {
    const [sam, tina] = [await person('sam'), await person('tina')];
    const [sams, tinas] = [await open(sam), await open(tina)];
    await Promise.all([sams.list(), tinas.list()]);
    sams.ws.pause();
    const id = newId('large');
    const payload = JSON.stringify({ request_id: id, filler: 'x'.repeat(200_000) });
    await harness.submit(id, { payload, interaction: { assignees: { users: [sam.id, tina.id] }, quorum: 'all' } });
    const admin = await harness.caller(harness.storeOrigin);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 60; i += 1) await admin('POST', `/hitl/escalations/${encodeURIComponent(id)}/comment`, { text: `comment ${i}` });
    await eventually('tina has all', () => tinas.events.length === 61);
    await eventually('sam was dropped', async () => (await (await fetch(`${notifier.origin}/metrics`)).text()).match(/umpire_notifier_sockets_ended_total\{code="(1006|4408)"\} [1-9]/));
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
    sams.ws.resume();
    expect(await eventually('sam knows', () => sams.closed)).toMatchObject({ code: expect.any(Number) });
    const again = await open(sam, { since: sams.events.at(-1)?.id ?? (await sams.list()).id! });
    await eventually('sam has the rest', () => sams.events.length + again.events.length === 61);
    expect(new Set([...sams.events, ...again.events].map((frame) => frame.id)).size).toBe(61);
  });

  it('one that is not there any more is noticed', async () => {
    const quick = await harness.notifier({ UMPIRE_SOCKET_HEARTBEAT_MS: '1000' });
    apps.push(quick);
    const uma = await person('uma');
    const dead = await SocketClient.open(quick.origin, `/ws/hitl/${uma.id}`, { headers: { authorization: `Bearer ${uma.key}` }, autoPong: false });
    clients.push(dead);
    const alive = await open(uma, { origin: quick.origin });
    expect(await eventually('dropped', () => dead.closed)).toMatchObject({ code: 1006 });
    expect(alive.closed).toBeNull();
  });

  it('one that says too much, or what is too large, is closed', async () => {
    const victor = await person('victor');
    const [chatty, bulky, binary] = [await open(victor), await open(victor), await open(victor)];
    for (let i = 0; i < 200; i += 1) chatty.send('ping');
    expect(await eventually('closed', () => chatty.closed)).toMatchObject({ code: 1008 });
    bulky.send('x'.repeat(5_000));
    expect(await eventually('closed', () => bulky.closed)).toMatchObject({ code: 1009 });
    binary.ws.send(Buffer.from([1, 2, 3]));
    expect(await eventually('closed', () => binary.closed)).toMatchObject({ code: 1008 });
  });

  it('one that cuts the line while it is let in leaves nothing behind', async () => {
    const wendy = await person('wendy');
    const port = Number(new URL(notifier.origin).port);
    for (let i = 0; i < 20; i += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      socket.write(`GET /ws/hitl/${wendy.id} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${wendy.key}\r\n\r\n`);
      socket.resetAndDestroy();
    }
    const socket = await open(wendy);
    await socket.list();
    await eventually('one socket', async () => (await (await fetch(`${notifier.origin}/metrics`)).text()).includes('umpire_notifier_sockets 1\n'));
  });

  it('hears of a stop', async () => {
    const stopping = await harness.notifier();
    const socket = await open(await person('xavier'), { origin: stopping.origin });
    await socket.list();
    await stopping.stop();
    expect(await eventually('closed', () => socket.closed)).toMatchObject({ code: 1001 });
  });
});
