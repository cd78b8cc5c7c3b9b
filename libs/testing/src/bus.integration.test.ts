import type { Msg } from '@nats-io/transport-node';
import { REASONS, REQUESTS, subjects } from '@umpire/contract';
import { NoAckError } from '@umpire/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testNats, type TestNats } from './nats.ts';

let nats: TestNats;
beforeAll(async () => {
  nats = await testNats();
});
afterAll(() => nats.stop());

const subject = subjects.submit(REASONS[0]);
const spec = REQUESTS.find((request) => request.subject === 'umpire.store.submit.*')!;

describe('a responder that is stopped', () => {
  it('has answered what was in flight, whoever and however often it was asked to stop', async () => {
    const [store, intake] = [await nats.bus('state-store'), await nats.bus('intake')];
    const [begun, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
    const stop = store.respond(spec, () => {
      begun.resolve();
      return answer.promise;
    });
    await store.connection.flush();
    const asked = intake.request(subject, 'x', 10_000);
    await begun.promise;
    let stopped = 0;
    const stops = [stop(), stop()].map((stopping) => stopping.then(() => (stopped += 1)));
    // Both have drained by then, and gone on from there: what they wait for is the answer.
    for (let rounds = 0; rounds < 2; rounds += 1) await store.connection.flush();
    expect(stopped).toBe(0);
    answer.resolve('y');
    await Promise.all(stops);
    expect(new TextDecoder().decode(await asked)).toBe('y');
    await stop();
    await Promise.all([store.connection.close(), intake.connection.close()]);
  });
});

describe('a publisher', () => {
  it('gives each message its own ack in whatever order they come, and gives up those without one', async () => {
    const [store, intake] = [await nats.bus('state-store'), await nats.bus('intake')];
    const [arrived, all] = [[] as Msg[], Promise.withResolvers<void>()];
    store.connection.subscribe('umpire.store.submit.*', { callback: (_error, message) => void (arrived.push(message) === 80 && all.resolve()) });
    await store.connection.flush();
    const results = Promise.allSettled(Array.from({ length: 80 }, (_, index) => intake.publish(subject, String(index))));
    await all.promise;
    const acked = (index: number) => index % 3 > 0;
    for (const message of arrived.toReversed()) if (acked(Number(message.string()))) message.respond(JSON.stringify({ stream: 'S', seq: Number(message.string()) }));
    (await results).forEach((result, index) => {
      if (acked(index)) expect(result).toMatchObject({ status: 'fulfilled', value: { seq: index } });
      else expect(result).toMatchObject({ status: 'rejected', reason: { code: 'unavailable', cause: expect.any(NoAckError) } });
    });
    await Promise.all([store.connection.close(), intake.connection.close()]);
  });

  it('rejects what the client refuses, and what no stream takes, with the cause', async () => {
    const intake = await nats.bus('intake');
    const reasonOf = (publishing: Promise<unknown>) => publishing.then(() => null, (error: unknown) => error);
    const large = reasonOf(intake.publish(subject, new Uint8Array(2 * intake.connection.info!.max_payload)));
    const broken = reasonOf(intake.publish(subject, '', { headers: { name: 'a\r\nb' } }));
    const nobody = reasonOf(intake.publish(subject, ''));
    for (const [reason, cause] of [[await large, /payload/i], [await broken, /header/i], [await nobody, /no stream takes it/]] as const) {
      expect(reason).toMatchObject({ code: 'unavailable', cause: { message: expect.stringMatching(cause) } });
    }
    await intake.connection.close();
  });

  it('puts the message id behind the headers', async () => {
    const [store, intake] = [await nats.bus('state-store'), await nats.bus('intake')];
    store.connection.subscribe('umpire.store.submit.*', { callback: (_error, message) => void message.respond(JSON.stringify({ stream: 'S', seq: [...(message.headers ?? [])].length, domain: String(message.headers?.get('Nats-Msg-Id')) })) });
    await store.connection.flush();
    expect(await intake.publish(subject, '')).toMatchObject({ seq: 0 });
    expect(await intake.publish(subject, '', { msgId: 'm' })).toMatchObject({ seq: 1, domain: 'm' });
    expect(await intake.publish(subject, '', { msgId: 'm', headers: { a: 'b' } })).toMatchObject({ seq: 2, domain: 'm' });
    await Promise.all([store.connection.close(), intake.connection.close()]);
  });
});
