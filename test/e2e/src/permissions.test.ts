import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { durableConsumers, STREAMS } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hitlRequest, queueMessage } from './messages.ts';
import { operatorConnection } from './operator.ts';
import { Stack } from './stack.ts';

let stack: Stack;
let nats: NatsConnection;
/** Takes each word of refusal that the server says. */
let heard: (refusal: string) => void = () => undefined;

beforeAll(async () => {
  stack = await Stack.start('all', { default: ['main'], 'team-b': ['main'] });
  ({ nats } = await stack.producer());
  void (async () => {
    for await (const status of nats.status()) if (status.type === 'error') heard(status.error.message);
  })();
});
afterAll(() => stack.stop());

/** @returns the server's own word that refuses this subject @throws if it says none: a generous time, since a refusal comes at once or never */
async function refusalOf(subject: string, action: () => void): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  heard = (refusal) => refusal.includes(`"${subject}"`) && resolve(refusal);
  const timer = setTimeout(() => reject(new Error(`nothing was refused: ${subject}`)), 30_000);
  action();
  return promise.finally(() => clearTimeout(timer));
}

describe('the streams and consumers on the server', () => {
  it('are those that the topology says', async () => {
    const operator = await operatorConnection(stack);
    const manager = await jetstreamManager(operator);
    const streams: string[] = [];
    const consumers: string[] = [];
    for await (const stream of manager.streams.list()) {
      streams.push(stream.config.name);
      // Sockets read by a consumer of each replica's own that goes with it.
      for await (const consumer of manager.consumers.list(stream.config.name)) if (consumer.config.durable_name) consumers.push(`${stream.config.name} ${consumer.name} ${[consumer.config.filter_subjects ?? consumer.config.filter_subject ?? []].flat().join(',')}`);
    }
    await operator.close();
    expect(streams.sort()).toEqual(Object.values(STREAMS).map((stream) => stream.name).sort());
    expect(consumers.sort()).toEqual(durableConsumers({ default: ['main'], 'team-b': ['main'] }).map((spec) => `${spec.stream} ${spec.name} ${spec.filters.join(',')}`).sort());
  });
});

describe('a producer\'s NATS user', () => {
  it('may send, cancel, ask and read its own outcomes', async () => {
    const js = jetstream(nats);
    expect((await js.publish('hitl.default.review.low_confidence', queueMessage(hitlRequest('perm-1', 'low_confidence'), 'low_confidence'))).stream).toBe('HITL_REVIEW');
    expect((await js.publish('hitl.default.cancel.low_confidence', '{"type":"hitl_cancel","payload":{"request_id":"perm-1"}}')).stream).toBe('HITL_REVIEW');
    const consumer = await js.consumers.get('HITL_OUTCOMES', stack.connection.nats.producer.outcome_consumer!);
    const message = await consumer.next({ expires: 10_000 });
    expect(message?.json<any>().request_id).toBe('perm-1');
    expect(await message!.ackAck()).toBe(true);
    expect((await nats.request('hitl.default.query.outcome', '{"request_id":"perm-1"}')).json<any>().status).toBe('cancelled');
  });

  it('is told at once of a reason that nobody knows', async () => {
    // No stream takes the subject: NATS answers 503, which this client words as if JetStream were off.
    await expect(jetstream(nats).publish('hitl.default.review.no_such_reason', '{}')).rejects.toThrow(/jetstream is not enabled|no.?responders/i);
  });

  it.each([
    'hitl.team-b.review.low_confidence', 'hitl.team-b.cancel.low_confidence', 'hitl.team-b.query.outcome', 'hitl.default.escalation.opened.low_confidence',
    'hitl.default.outcome.low_confidence', 'hitl.default.rejected.unknown', 'hitl.default.settled.abc', 'umpire.store.submit.low_confidence', 'umpire.store.apply',
    'umpire.store.query.principal', 'umpire.store.query.content', '_INBOX.ns.team-b.x', '_INBOX.svc.intake.x', '$JS.API.STREAM.NAMES', '$JS.API.STREAM.INFO.HITL_EVENTS',
    '$JS.API.STREAM.DELETE.HITL_OUTCOMES', '$JS.API.STREAM.PURGE.HITL_REVIEW', '$JS.API.STREAM.MSG.GET.HITL_OUTCOMES', '$JS.API.DIRECT.GET.HITL_OUTCOMES', '$JS.API.CONSUMER.CREATE.HITL_OUTCOMES.mine',
    '$JS.API.CONSUMER.DURABLE.CREATE.HITL_OUTCOMES.mine', '$JS.API.CONSUMER.DELETE.HITL_OUTCOMES.outcomes_default_main', '$JS.API.CONSUMER.MSG.NEXT.HITL_OUTCOMES.outcomes_team-b_main',
    '$JS.API.CONSUMER.INFO.HITL_OUTCOMES.outcomes_team-b_main', '$JS.API.CONSUMER.MSG.NEXT.HITL_REVIEW.intake-default-low_confidence', '$JS.ACK.HITL_OUTCOMES.outcomes_team-b_main.1.1.1.1.0',
    '$SYS.REQ.SERVER.PING', 'anything.else',
  ])('may not publish to %s', async (subject) => {
    expect(await refusalOf(subject, () => nats.publish(subject, '{}'))).toMatch(/permissions violation/i);
  });

  it.each(['>', 'hitl.>', 'hitl.default.review.*', 'hitl.default.escalation.>', 'hitl.default.outcome.*', 'hitl.team-b.settled.*', 'hitl.team-b.reply.>', '_INBOX.>', '_INBOX.ns.team-b.>', '_INBOX.svc.>', 'umpire.>', '$JS.>', '$SYS.>'])(
    'may not subscribe to %s',
    async (subject) => {
      expect(await refusalOf(subject, () => void nats.subscribe(subject, { callback: () => undefined }))).toMatch(/permissions violation/i);
    },
  );

  it('gets no answer to a request whose reply subject is not its own', async () => {
    const { nats: other } = await stack.producer('team-b');
    const stolenMessages: string[] = [];
    const stolen = other.subscribe('_INBOX.ns.team-b.aimed', { callback: (_, message) => void stolenMessages.push(message.string()) });
    nats.publish('hitl.default.query.outcome', '{"request_id":"perm-1"}', { reply: '_INBOX.ns.team-b.aimed' });
    // The same question asked properly is answered after the first was: one responder, one order.
    await nats.request('hitl.default.query.outcome', '{"request_id":"perm-1"}');
    await other.flush();
    expect(stolenMessages).toEqual([]);
    stolen.unsubscribe();
  });

  it('nobody gets in without a password', async () => {
    await expect(connect({ servers: stack.connection.nats_url, reconnect: false })).rejects.toThrow(/authorization/i);
  });

  it('cannot see JetStream through the manager', async () => {
    await expect((await jetstreamManager(nats, { checkAPI: false, timeout: 1_000 })).streams.info('HITL_OUTCOMES')).rejects.toThrow();
  });
});

/** What makes NATS itself answer, or the store; each also asked properly afterwards, when the first answer has been sent. */
const ANSWERED: Record<string, () => [subject: string, body: string]> = {
  'the end of a pull': () => [`$JS.API.CONSUMER.MSG.NEXT.HITL_OUTCOMES.${stack.connection.nats.producer.outcome_consumer}`, '{"batch":1,"no_wait":true}'],
  'the ack of a publish': () => ['hitl.default.cancel.low_confidence', '{"type":"hitl_cancel","payload":{"request_id":"aimed"}}'],
  'the state of a consumer': () => [`$JS.API.CONSUMER.INFO.HITL_OUTCOMES.${stack.connection.nats.producer.outcome_consumer}`, ''],
  'an outcome asked for': () => ['hitl.default.query.outcome', '{"request_id":"perm-1"}'],
};

const NOT_ITS_OWN = [
  'hitl.team-b.review.low_confidence', 'hitl.team-b.cancel.low_confidence', 'hitl.team-b.outcome.low_confidence', 'hitl.team-b.settled.abc', 'hitl.team-b.reply.resume-1',
  '_INBOX.ns.team-b.aimed', '_INBOX.svc.intake.aimed', 'hitl.default.outcome.aimed', 'hitl.default.escalation.aimed.low_confidence', 'hitl.default.rejected.aimed', 'umpire.store.apply',
  '$JS.API.CONSUMER.MSG.NEXT.HITL_OUTCOMES.outcomes_team-b_main', '$JS.API.STREAM.PURGE.HITL_REJECTED',
];

describe('a producer that names another\'s subject as where it wants to be answered', () => {
  it.each(Object.keys(ANSWERED))('has %s sent nowhere outside its own account', async (kind) => {
    const [subject, body] = ANSWERED[kind]!();
    const operator = await operatorConnection(stack);
    const { nats: other } = await stack.producer('team-b');
    const heard: string[] = [];
    const hear = (connection: NatsConnection, all: string) => connection.subscribe(all, { callback: (_, message) => void (NOT_ITS_OWN.includes(message.subject) && heard.push(message.subject)) });
    hear(operator, '>');
    for (const all of ['hitl.team-b.settled.*', 'hitl.team-b.reply.>', '_INBOX.ns.team-b.>']) hear(other, all);
    await Promise.all([operator.flush(), other.flush()]);
    for (const reply of NOT_ITS_OWN) nats.publish(subject, body, { reply });
    await nats.request(subject, body, { timeout: 5_000 });
    await Promise.all([operator.flush(), other.flush()]);
    expect(heard).toEqual([]);
    await operator.close();
  });

  it('cannot forge another namespace\'s outcome, nor fill its queue', async () => {
    const operator = await operatorConnection(stack);
    const manager = await jetstreamManager(operator);
    const own = stack.connection.nats.producer.outcome_consumer!;
    const js = jetstream(nats);
    for (const id of ['forged-1', 'forged-2', 'forged-3', 'forged-4']) {
      await js.publish('hitl.default.review.low_confidence', queueMessage(hitlRequest(id, 'low_confidence'), 'low_confidence'));
      await js.publish('hitl.default.cancel.low_confidence', JSON.stringify({ type: 'hitl_cancel', payload: { request_id: id } }));
    }
    await eventually('four outcomes wait', async () => (await manager.consumers.info('HITL_OUTCOMES', own)).num_pending === 4);
    const aimed = ['hitl.team-b.outcome.low_confidence', 'hitl.team-b.review.low_confidence', 'hitl.team-b.reply.resume-1'];
    const { nats: other } = await stack.producer('team-b');
    const heard: string[] = [];
    other.subscribe('hitl.team-b.reply.>', { callback: (_, message) => void heard.push(message.subject) });
    await other.flush();
    for (const reply of aimed) nats.publish(`$JS.API.CONSUMER.MSG.NEXT.HITL_OUTCOMES.${own}`, '{"batch":1,"expires":500000000}', { reply });
    await nats.flush();
    await eventually('the pulls have ended', async () => (await manager.consumers.info('HITL_OUTCOMES', own)).num_waiting === 0);
    await Promise.all([operator.flush(), other.flush()]);
    expect(heard).toEqual([]);
    for (const stream of ['HITL_REVIEW', 'HITL_OUTCOMES', 'HITL_REJECTED']) {
      expect((await manager.streams.info(stream, { subjects_filter: 'hitl.team-b.>' })).state.subjects ?? {}).toEqual({});
    }
    expect((await manager.consumers.info('HITL_OUTCOMES', stack.connection.namespaces['team-b']!.nats.producer.outcome_consumer!)).num_pending).toBe(0);
    await operator.close();
  });

  it.each(['$JS.ACK.HITL_OUTCOMES.outcomes_team-b_main.1.1.1.1.0', '_R_.abcdef.abcdef'])('is refused if it names %s', async (reply) => {
    expect(await refusalOf(reply, () => nats.publish('hitl.default.query.outcome', '{"request_id":"perm-1"}', { reply }))).toMatch(/permissions violation/i);
  });
});
