import { connect, type NatsConnection } from '@nats-io/transport-node';
import { createConnection } from 'node:net';
import { inboxPrefix, PRODUCER_LIMITS, REASONS, subjects } from '@umpire/contract';
import { eventually, TEST_NATS_PASSWORD, testNats, type TestNats } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let nats: TestNats;
const opened: NatsConnection[] = [];
beforeAll(async () => {
  nats = await testNats();
});
afterAll(async () => {
  await Promise.allSettled(opened.map((connection) => connection.close()));
  await nats.stop();
});

const producer = async (namespace: string): Promise<NatsConnection> => {
  const connection = await connect({ servers: nats.url, user: `producer-${namespace}`, pass: TEST_NATS_PASSWORD, inboxPrefix: inboxPrefix.namespace(namespace), reconnect: false });
  opened.push(connection);
  return connection;
};

/** A service asks another, as if nobody else were there. */
async function servicesGoOn(): Promise<void> {
  const [store, intake] = [await nats.bus('state-store'), await nats.bus('intake')];
  const stop = store.respond({ subject: 'umpire.store.submit.*', askers: ['intake'], responder: 'state-store', queue: 'state-store', schema: 'submit' }, () => Promise.resolve('{"verdicts":[]}'));
  await store.connection.flush();
  expect(await intake.requestJson(subjects.submit(REASONS[0]), {}, 10_000)).toEqual({ verdicts: [] });
  await stop();
  await Promise.all([store.connection.close(), intake.connection.close()]);
}

describe('what a namespace\'s producers may hold of the server', () => {
  it('is so many connections together: one more is refused, another namespace and the services are not', async () => {
    await Promise.all(Array.from({ length: PRODUCER_LIMITS.connections }, () => producer('team-a')));
    expect(await saidTo('team-a', 'PING\r\n')).toMatch(/maximum.*connections exceeded/i);
    await (await producer('team-b')).close();
    await servicesGoOn();
    await Promise.all(opened.splice(0).map((connection) => connection.close()));
    // What was given back can be had again.
    await eventually('room for one more', () => producer('team-a').then(() => true, () => false));
  });

  it('is so many subscriptions of a connection: the next is refused, and those before go on', async () => {
    const connection = await producer('default');
    const refused: string[] = [];
    void (async () => {
      for await (const status of connection.status()) if (status.type === 'error') refused.push(status.error.message);
    })();
    const heard: string[] = [];
    for (let n = 0; n < PRODUCER_LIMITS.subscriptions; n++) connection.subscribe(`_INBOX.ns.default.limit.${n}`, { callback: (error, message) => void (error ? refused.push(error.message) : heard.push(message.subject)) });
    await connection.flush();
    expect(refused).toEqual([]);
    connection.subscribe('_INBOX.ns.default.limit.more', { callback: (error, message) => void (error ? refused.push(error.message) : heard.push(message.subject)) });
    await connection.flush();
    await eventually('the refusal', () => refused.some((text) => /maximum subscriptions exceeded/i.test(text)));
    const intake = await nats.bus('intake');
    for (const last of ['0', String(PRODUCER_LIMITS.subscriptions - 1), 'more']) intake.connection.publish(`_INBOX.ns.default.limit.${last}`, 'x');
    await intake.connection.flush();
    await eventually('those before', () => heard.length >= 2);
    await connection.flush();
    expect(heard.sort()).toEqual(['_INBOX.ns.default.limit.0', `_INBOX.ns.default.limit.${PRODUCER_LIMITS.subscriptions - 1}`]);
    await servicesGoOn();
  });

  it('is so long a message: a longer one ends the connection that sent it, and is seen by nobody', async () => {
    const operator = await nats.operator();
    const seen: number[] = [];
    operator.subscribe('hitl.default.review.*', { callback: (_, message) => void seen.push(message.data.length) });
    await operator.flush();
    const connection = await producer('default');
    connection.publish('hitl.default.review.low_confidence', new Uint8Array(PRODUCER_LIMITS.payloadBytes));
    await connection.flush();
    expect(await saidTo('default', `PUB hitl.default.review.low_confidence ${PRODUCER_LIMITS.payloadBytes + 1}\r\n${'x'.repeat(PRODUCER_LIMITS.payloadBytes + 1)}\r\n`)).toMatch(/Maximum Payload Violation/i);
    await operator.flush();
    expect(seen).toEqual([PRODUCER_LIMITS.payloadBytes]);
    await servicesGoOn();
  });
});

/** A client that knows no limits and hears every word. @returns all that the server said until it closed */
function saidTo(namespace: string, lines: string): Promise<string> {
  const { hostname, port } = new URL(nats.url);
  return new Promise((resolve, reject) => {
    const socket = createConnection(Number(port), hostname);
    let said = '';
    socket.setTimeout(30_000, () => socket.destroy(new Error('the server did not close')));
    socket.on('data', (data) => (said += data.toString()));
    socket.once('close', () => resolve(said));
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(said) : reject(error)));
    socket.write(`CONNECT ${JSON.stringify({ user: `producer-${namespace}`, pass: TEST_NATS_PASSWORD, verbose: false, pedantic: false, lang: 'raw', version: '0', protocol: 1 })}\r\n`);
    socket.write(lines);
  });
}
