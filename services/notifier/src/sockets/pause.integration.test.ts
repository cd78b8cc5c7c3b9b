import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { createLogger, newId, Readiness, RemoteAuthenticator } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../../test/harness.ts';
import { SocketClient } from '../../test/socket-client.ts';
import { Foundation } from '../foundation.ts';
import { readNotifierConfig } from '../notifier.config.ts';
import { Sockets } from './sockets.ts';

const STREAM = 'HITL_EVENTS';
const WINDOW = 5;
const PAST = 2;

let harness: Harness;
let jsm: JetStreamManager;
let number = 0;
const clients: SocketClient[] = [];
const running: { server: Server; sockets: Sockets }[] = [];

beforeAll(async () => {
  harness = await Harness.start();
  jsm = await jetstreamManager(await harness.nats.operator());
});
afterAll(() => harness.stop());
afterEach(async () => {
  for (const client of clients.splice(0)) client.ws.terminate();
  for (const { server, sockets } of running.splice(0)) {
    await sockets.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await eventually('no consumer is left', async () => (await consumers()).length === 0);
});

/** What a notifier serves sockets with, that pauses as soon as nobody is there. @returns its origin */
async function start(): Promise<string> {
  const config = readNotifierConfig(harness.notifierEnvironment({ UMPIRE_NOTIFIER_SOCKET_WINDOW: String(WINDOW), UMPIRE_NOTIFIER_SOCKET_WINDOW_AT_START: String(PAST) }));
  const bus = await harness.nats.bus('notifier');
  const foundation = new Foundation(config, { logger: createLogger('test', 'silent'), readiness: new Readiness() }, harness.database.sql, bus);
  const sockets = new Sockets(foundation, new RemoteAuthenticator(bus, foundation.clock.now), 0);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  sockets.start(server);
  running.push({ server, sockets });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function person(name: string) {
  const id = `${name}-${(number += 1)}`;
  const key = await harness.key(['reviewer'], 'default', id);
  return { id, key, store: harness.callWith(() => harness.storeOrigin, key) };
}

async function open(origin: string, who: { id: string; key: string }, since?: string): Promise<SocketClient> {
  const client = await SocketClient.open(origin, `/ws/hitl/${who.id}${since === undefined ? '' : `?since=${since}`}`, { headers: { authorization: `Bearer ${who.key}` } });
  clients.push(client);
  return client;
}

const consumers = async () => (await jsm.consumers.list(STREAM).next()).filter(({ name }) => name.startsWith('sockets-'));
const paused = () => eventually('no consumer for sockets', async () => (await consumers()).length === 0);
/** Submits so many for this person. @returns their ids */
async function submit(who: { id: string }, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `paused-${(number += 1)}`);
  for (const id of ids) await harness.submit(id, { interaction: { assignees: { users: [who.id] } } });
  await published(ids.at(-1)!);
  return ids;
}
/** What happened to it last is in the stream, as the store has it. */
const published = (requestId: string) =>
  eventually('published', async () => {
    const [newest] = await harness.database.sql<{ id: string }[]>`select id from store.events where request_id = ${requestId} order by seq desc limit 1`;
    const { state } = await jsm.streams.info(STREAM);
    for (let seq = state.last_seq; seq >= Math.max(1, state.last_seq - 10); seq -= 1) if ((await jsm.streams.getMessage(STREAM, { seq }))?.json<{ id: string }>().id === newest!.id) return true;
    return false;
  });
/** A socket that has been told of something and is gone, and so is the feed. @returns the id of the last frame */
async function goneAfterOne(origin: string, who: { id: string; key: string }): Promise<string> {
  const socket = await open(origin, who);
  await socket.list();
  await submit(who, 1);
  const { id } = await socket.wait('the one', (frame) => frame.event === 'opened');
  await socket.close();
  await paused();
  return id!;
}
const told = (socket: SocketClient) => socket.events.map(({ event, data }) => [event, data.interaction_id as string]);

describe('with nobody connected', () => {
  it('no event is read: neither before the first socket nor after the last', async () => {
    const origin = await start();
    const anna = await person('anna');
    await submit(anna, 1);
    expect(await consumers()).toEqual([]);
    const [first, second] = [await open(origin, anna), await open(origin, anna)];
    await Promise.all([first.list(), second.list()]);
    const [consumer] = await consumers();
    expect(await consumers()).toMatchObject([{ name: expect.stringMatching(/^sockets-/) }]);
    await first.close();
    const [id] = await submit(anna, 1);
    await second.wait('the one', ({ data }) => data?.interaction_id === id);
    expect(await consumers()).toMatchObject([{ name: consumer!.name }]);
    await second.close();
    await paused();
  });

  it('who is refused or cut off leaves nothing behind that reads', async () => {
    const origin = await start();
    const bert = await person('bert');
    await expect(open(origin, { ...bert, key: 'umk_nonsense' })).rejects.toThrow('401');
    expect(await consumers()).toEqual([]);
    const cut = await open(origin, bert);
    cut.ws.terminate();
    const socket = await open(origin, bert);
    await socket.list();
    await socket.close();
    await paused();
  });
});

describe('after a pause', () => {
  it('since brings exactly what happened meanwhile, and then what happens', async () => {
    const origin = await start();
    const cleo = await person('cleo');
    const last = await goneAfterOne(origin, cleo);
    // More than a start would read, all that the window holds beside the last one seen.
    const missed = await submit(cleo, WINDOW - 1);
    expect(await consumers()).toEqual([]);
    const [back, again] = await Promise.all([open(origin, cleo, last), open(origin, cleo, last)]);
    await Promise.all([back, again].map((socket) => socket.wait('the last', ({ data }) => data?.interaction_id === missed.at(-1))));
    const [live] = await submit(cleo, 1);
    await Promise.all([back, again].map((socket) => socket.wait('the live one', ({ data }) => data?.interaction_id === live)));
    for (const socket of [back, again]) expect({ told: told(socket), frames: socket.frames.length }).toEqual({ told: [...missed, live!].map((id) => ['opened', id]), frames: WINDOW });
  });

  it('in which more was missed than is kept, the list comes again and says so', async () => {
    const origin = await start();
    const dora = await person('dora');
    const last = await goneAfterOne(origin, dora);
    await submit(dora, WINDOW + 1);
    const { state } = await jsm.streams.info(STREAM);
    const back = await open(origin, dora, last);
    const list = await back.list();
    expect(list).toMatchObject({ resync: true, total: WINDOW + 2 });
    expect(await consumers()).toMatchObject([{ config: { opt_start_seq: state.last_seq - PAST + 1 } }]);
    const [live] = await submit(dora, 1);
    await back.wait('the live one', ({ data }) => data?.interaction_id === live);
    expect(told(back)).toEqual([['opened', live]]);
    // From the list's position on nothing is lacking, from before the pause everything is.
    const after = await open(origin, dora, list.id!);
    await after.wait('the live one', ({ data }) => data?.interaction_id === live);
    expect(await (await open(origin, dora, newId())).list()).toMatchObject({ resync: true });
    expect(await (await open(origin, dora, last)).list()).toMatchObject({ resync: true });
  });

  it('a new socket is shown the list, then what happens from there on, and nothing of the pause', async () => {
    const origin = await start();
    const emil = await person('emil');
    await goneAfterOne(origin, emil);
    const [kept, settled] = await submit(emil, 2);
    expect((await emil.store('POST', '/hitl/respond', { interaction_id: settled, user_input: { decision: 'approve' } })).status).toBe(200);
    await published(settled!);
    const sockets = await Promise.all([open(origin, emil), open(origin, emil), open(origin, emil)]);
    const lists = await Promise.all(sockets.map((socket) => socket.list()));
    for (const list of lists) {
      expect(list).toMatchObject({ total: 2, data: expect.arrayContaining([expect.objectContaining({ interaction_id: kept })]) });
      expect(list.resync).toBeUndefined();
    }
    expect((await emil.store('POST', '/hitl/respond', { interaction_id: kept, user_input: { decision: 'approve' } })).status).toBe(200);
    for (const socket of sockets) await socket.wait('the end', (frame) => frame.event === 'resolved');
    for (const socket of sockets) expect(told(socket)).toEqual([['responded', kept], ['resolved', kept]]);
  });
});
