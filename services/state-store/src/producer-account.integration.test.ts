import { jetstream, type JetStreamClient, type JsMsg } from '@nats-io/jetstream';
import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { consumerNames, HEADERS, REQUESTS } from '@umpire/contract';
import { ensureConsumers, ensureStreams, type Bus } from '@umpire/runtime';
import { eventually, TEST_NAMESPACES, testNats, type TestNats } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What a producer sees of JetStream from its own account: the services' account holds the streams. */
const STREAM = 'HITL_OUTCOMES';
const CONSUMER = consumerNames.outcomes('default', 'main');
const NEXT = `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.${CONSUMER}`;
const SECOND = 1_000_000_000;

let nats: TestNats;
let store: Bus;
let intake: Bus;
let producer: NatsConnection;
let js: JetStreamClient;

beforeAll(async () => {
  nats = await testNats();
  store = await nats.bus('state-store');
  intake = await nats.bus('intake');
  for (const bus of [store, intake]) {
    await ensureStreams(bus);
    await ensureConsumers(bus, TEST_NAMESPACES);
  }
  producer = await nats.producer();
  js = jetstream(producer);
});
afterAll(() => nats.stop());

const publishOutcome = (id: string) => store.publish('hitl.default.outcome.low_confidence', JSON.stringify({ request_id: id }));
const infoOf = () => store.jsm.consumers.info(STREAM, CONSUMER);

async function take(expires = 2_000): Promise<JsMsg> {
  const message = await (await js.consumers.get(STREAM, CONSUMER)).next({ expires });
  if (!message) throw new Error('no message came');
  return message;
}

describe('a producer in its namespace’s own account', () => {
  it('reads its outcomes under their own subject, and its acks count', async () => {
    await publishOutcome('one');
    const message = await take();
    expect([message.subject, message.json<any>().request_id, message.info.stream, message.info.consumer, message.info.deliveryCount]).toEqual(['hitl.default.outcome.low_confidence', 'one', STREAM, CONSUMER, 1]);
    expect((await infoOf()).num_ack_pending).toBe(1);
    expect(await message.ackAck()).toBe(true);
    expect(await infoOf()).toMatchObject({ num_ack_pending: 0, num_pending: 0 });
    await publishOutcome('two');
    (await take()).ack();
    await eventually('a plain ack counts too', async () => (await infoOf()).num_ack_pending === 0);
  });

  it('is given again what it refused, can keep it alive, and can end it', async () => {
    await publishOutcome('again');
    (await take()).nak();
    const again = await take();
    expect([again.json<any>().request_id, again.info.deliveryCount, again.redelivered]).toEqual(['again', 2, true]);
    again.working();
    again.term('not for us');
    await eventually('the message is done with', async () => (await infoOf()).num_ack_pending === 0);
  });

  it('may ack one and ask for the next in one go', async () => {
    for (const id of ['first', 'second', 'third']) await publishOutcome(id);
    const first = await take();
    const inbox = createInbox('_INBOX.ns.default');
    const got: Msg[] = [];
    producer.subscribe(inbox, { callback: (_, message) => void got.push(message) });
    first.next(inbox, { batch: 2, expires: 5 * SECOND } as never);
    await eventually('both come', () => got.length === 2);
    expect(got.map((message) => message.json<any>().request_id)).toEqual(['second', 'third']);
    got.forEach((message) => message.respond());
    await eventually('all are acked', async () => (await infoOf()).num_ack_pending === 0);
  });

  it('hears heartbeats through a long pull and the message at its end', async () => {
    const inbox = createInbox('_INBOX.ns.default');
    const got: Msg[] = [];
    producer.subscribe(inbox, { callback: (_, message) => void got.push(message) });
    producer.publish(NEXT, JSON.stringify({ batch: 1, expires: 20 * SECOND, idle_heartbeat: SECOND / 2 }), { reply: inbox });
    await eventually('ten heartbeats', () => got.filter((message) => message.headers?.code === 100).length >= 10, 15_000);
    await publishOutcome('late');
    await eventually('the message', () => got.some((message) => message.subject.endsWith('.outcome.low_confidence')), 5_000);
    const message = got.at(-1)!;
    expect(message.json<any>().request_id).toBe('late');
    message.respond();
    await eventually('it is acked', async () => (await infoOf()).num_ack_pending === 0);
  });

  it('hears the end of a pull that nothing came for', async () => {
    const reply = await producer.request(NEXT, JSON.stringify({ batch: 1, no_wait: true }), { timeout: 5_000 });
    expect(reply.headers?.code).toBe(404);
  });

  it('iterates over more than one pull', async () => {
    const messages = await (await js.consumers.get(STREAM, CONSUMER)).consume({ max_messages: 10, expires: 1_000 });
    const ids: string[] = [];
    const reading = (async () => {
      for await (const message of messages) {
        ids.push(message.json<any>().request_id);
        message.ack();
        if (ids.length === 60) return;
      }
    })();
    for (let i = 0; i < 30; i++) await publishOutcome(`a${i}`);
    await eventually('the first half', () => ids.length === 30);
    for (let i = 30; i < 60; i++) await publishOutcome(`a${i}`);
    await reading;
    expect(ids).toEqual(Array.from({ length: 60 }, (_, i) => `a${i}`));
  });

  it('is answered by a service, and hears hints and answers to its header', async () => {
    const spec = REQUESTS.find((request) => request.subject === 'hitl.*.query.outcome')!;
    const stop = store.respond(spec, async (_, subject) => subject);
    await store.connection.flush();
    expect((await producer.request('hitl.default.query.outcome', '{}', { timeout: 5_000 })).string()).toBe('hitl.default.query.outcome');
    const heard: string[] = [];
    const hear = (subject: string) => producer.subscribe(subject, { callback: (_, message) => void heard.push(message.subject) });
    ['hitl.default.settled.*', 'hitl.default.reply.>', '_INBOX.ns.default.>'].map(hear);
    await producer.flush();
    for (const subject of ['hitl.default.settled.abc', 'hitl.team-b.settled.abc', 'hitl.default.reply.a.b', 'hitl.team-b.reply.a.b']) store.hint(subject, 'x');
    for (const subject of ['_INBOX.ns.team-b.mine', '_INBOX.ns.default.mine']) intake.hint(subject, 'x');
    await eventually('the three that are its own', () => heard.length === 3);
    expect(heard.sort()).toEqual(['_INBOX.ns.default.mine', 'hitl.default.reply.a.b', 'hitl.default.settled.abc']);
    await stop();
  });

  it('has its message stored as it came', async () => {
    const own = headers();
    own.set(HEADERS.replyTo, '_INBOX.ns.default.x');
    const ack = await js.publish('hitl.default.review.custom_rule', 'as it came', { headers: own });
    const stored = await intake.jsm.streams.getMessage('HITL_REVIEW', { seq: ack.seq });
    expect([stored!.subject, stored!.string(), stored!.header.get(HEADERS.replyTo)]).toEqual(['hitl.default.review.custom_rule', 'as it came', '_INBOX.ns.default.x']);
    expect(stored!.header.keys()).toEqual([HEADERS.replyTo]);
  });
});

describe('a service', () => {
  it('has a request dropped whose reply subject is not an asker’s', async () => {
    const notifier = await nats.bus('notifier');
    const spec = REQUESTS.find((request) => request.subject === 'umpire.store.query.content')!;
    const answered: string[] = [];
    const stop = store.respond(spec, async (data) => {
      answered.push(new TextDecoder().decode(data));
      return '';
    });
    await store.connection.flush();
    for (const reply of ['_INBOX.svc.intake.x', '_INBOX.ns.default.x']) notifier.connection.publish(spec.subject, reply, { reply });
    await notifier.request(spec.subject, 'properly', 5_000);
    expect(answered).toEqual(['properly']);
    await stop();
  });
});
