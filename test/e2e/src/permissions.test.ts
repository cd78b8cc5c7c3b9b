import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { durableConsumers, STREAMS } from '@umpire/contract';
import { delay } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hitlRequest, queueMessage } from './messages.ts';
import { operatorConnection } from './operator.ts';
import { Stack } from './stack.ts';

let stack: Stack;
let nats: NatsConnection;
const refused: string[] = [];

beforeAll(async () => {
  stack = await Stack.start('all', { default: ['main'], 'team-b': ['main'] });
  ({ nats } = await stack.producer());
  void (async () => {
    for await (const status of nats.status()) if (status.type === 'error') refused.push(String(status.error.message));
  })();
});
afterAll(() => stack.stop());

/** Publishes, and waits for the server's word on it: a refusal comes before the answer to the flush behind it. */
async function refusalOf(action: () => void): Promise<string | null> {
  const before = refused.length;
  action();
  await nats.flush();
  for (let i = 0; i < 20 && refused.length === before; i++) await delay(5);
  return refused[before] ?? null;
}

describe('the streams and consumers on the server', () => {
  it('are exactly those that the topology says', async () => {
    const operator = await operatorConnection(stack);
    const manager = await jetstreamManager(operator);
    const streams: string[] = [];
    const consumers: string[] = [];
    for await (const stream of manager.streams.list()) {
      streams.push(stream.config.name);
      for await (const consumer of manager.consumers.list(stream.config.name)) consumers.push(`${stream.config.name} ${consumer.name} ${[consumer.config.filter_subjects ?? consumer.config.filter_subject ?? []].flat().join(',')}`);
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
    expect(await refusalOf(() => nats.publish(subject, '{}'))).toMatch(/permissions violation/i);
  });

  it.each(['>', 'hitl.>', 'hitl.default.review.*', 'hitl.default.escalation.>', 'hitl.default.outcome.*', 'hitl.team-b.settled.*', 'hitl.team-b.reply.>', '_INBOX.>', '_INBOX.ns.team-b.>', '_INBOX.svc.>', 'umpire.>', '$JS.>', '$SYS.>'])(
    'may not subscribe to %s',
    async (subject) => {
      expect(await refusalOf(() => void nats.subscribe(subject, { callback: () => undefined }))).toMatch(/permissions violation/i);
    },
  );

  it('gets no answer to a request whose reply subject is not its own', async () => {
    const { nats: other } = await stack.producer('team-b');
    const stolenMessages: string[] = [];
    const stolen = other.subscribe('_INBOX.ns.team-b.aimed', { callback: (_, message) => void stolenMessages.push(message.string()) });
    nats.publish('hitl.default.query.outcome', '{"request_id":"perm-1"}', { reply: '_INBOX.ns.team-b.aimed' });
    // The same question asked properly is answered after the first was dropped: one responder, one order.
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
