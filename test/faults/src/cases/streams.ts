import { jetstream, jetstreamManager, AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { consumerNames, durableConsumers, REASONS } from '@umpire/contract';
import { delay, eventually } from '@umpire/testing';
import type { EscalationEvent } from '@umpire/contract';
import { hitlRequest, queueMessage } from '../../../e2e/src/messages.ts';
import { readDeadLetters, readStream } from '../../../e2e/src/operator.ts';
import type { FaultCase, FaultRun } from '../fault-case.ts';

const RETURN_WITHIN_MS = 60_000;

/** NATS and its streams: killed, deleted, full, holding what nobody can read. */
export const streamCases: FaultCase[] = [
  {
    name: 'nats-kill',
    breaks: 'nats-server is ended by kill -9, again and again',
    run: async ({ servers, load, random, short }) => {
      const kills = short ? 1 : 5;
      for (let kill = 0; kill < kills; kill++) {
        await delay(random() * 1_000);
        await servers.nats.restart({ signal: 'SIGKILL' });
        await load.moreAcked(short ? 20 : 60);
      }
      return { kills };
    },
  },
  {
    name: 'streams',
    breaks: 'the events and outcomes streams and every consumer are deleted while running; all must be delivered within 60 s of their return',
    run: async (run) => {
      const rounds = run.short ? 1 : 3;
      let slowest = 0;
      for (let round = 0; round < rounds; round++) {
        await run.load.moreAcked(run.short ? 20 : 60);
        await run.operator(async (connection) => {
          const manager = await jetstreamManager(connection);
          // Their reviews stay in the stream: intake's consumers begin at its beginning.
          for (const reason of REASONS) await manager.consumers.delete('HITL_REVIEW', consumerNames.intake('default', reason));
          await manager.streams.delete('HITL_EVENTS');
          await manager.streams.delete('HITL_OUTCOMES');
        });
        slowest = Math.max(slowest, await publishedAgain(run));
        run.say(`all events published again, ${slowest} ms at most after the stream's return`);
      }
      if (slowest > RETURN_WITHIN_MS) throw new Error(`published again only after ${slowest} ms`);
      return { rounds, publishedAgainMs: slowest };
    },
  },
  {
    name: 'consumers',
    breaks: 'every consumer is deleted while running, one after the other, some more than once',
    run: async (run) => {
      const all = durableConsumers({ default: ['main'], bystander: ['main'] }).filter((consumer) => consumer.reader !== 'producer');
      for (const { stream, name } of [...all, ...all]) {
        await run.operator(async (connection) => (await jetstreamManager(connection)).consumers.delete(stream, name).catch(() => false));
        await run.load.more(15);
      }
      return { deleted: 2 * all.length };
    },
  },
  {
    name: 'full',
    breaks: 'the review stream is full (its consumers stand still, and it may hold 100 kB): it must push back, and POST must answer 503 with Retry-After',
    run: async (run) => {
      const { faults, load } = run;
      const store = await faults.pid('state-store');
      process.kill(store, 'SIGSTOP');
      await limitReview(run, 100_000);
      const refused = await eventually('POST to be told that the queue is full', async () => {
        const answer = await load.postOne();
        return answer.status === 503 && answer.headers.get('retry-after') !== null && answer;
      }, 60_000);
      if (!/full/.test(refused.text)) throw new Error(`refused for another reason: ${refused.text}`);
      process.kill(store, 'SIGCONT');
      await limitReview(run, -1);
      await load.moreAcked(40);
    },
  },
  {
    name: 'redelivery',
    breaks: 'everything is delivered again long after: each message is sent once more, and the consumers of events begin again at the beginning',
    shows: ['sentAgain'],
    run: async (run) => {
      await run.load.moreAcked(200);
      // Longer than the review stream's window for duplicates: only the store can know them.
      await delay(12_000);
      const again = run.load.book.acked;
      await run.load.sendAgain(again);
      await run.operator(async (connection) => {
        const manager = await jetstreamManager(connection);
        for (const name of [consumerNames.notifier, consumerNames.scheduler]) {
          // A service that misses its consumer makes it again, from its own mark: whoever is quicker.
          await eventually(`${name} to begin at the beginning`, async () => {
            await manager.consumers.delete('HITL_EVENTS', name).catch(() => false);
            return manager.consumers.add('HITL_EVENTS', {
              durable_name: name, ack_policy: AckPolicy.Explicit, ack_wait: 30_000_000_000, max_ack_pending: 4_000, max_deliver: -1, deliver_policy: DeliverPolicy.All,
            });
          }, 30_000);
        }
      });
      await run.load.moreAcked(60);
      return { sentAgain: again.length };
    },
  },
  {
    name: 'poison',
    breaks: 'messages that no consumer can read lie in every stream, beside reasons that nobody knows',
    run: async (run) => {
      const texts = ['', '{', 'null', '[]', '"text"', '{"a":1}', '\u0000', '{"id":"x","type":"opened","namespace":"default","request_id":"p","seq":1e999,"data":{}}',
        '{"id":"018f0000-0000-7000-8000-000000000001","schema_version":"1.0","type":"opened","namespace":"default","request_id":"p\\u0000","seq":1,"reason":"custom_rule","occurred_at":"2026-01-01T00:00:00.000Z","data":{"clocks":[]}}',
        '{"id":"018f0000-0000-7000-8000-000000000002","schema_version":"1.0","type":"resolved","namespace":"DEFAULT","request_id":"p","seq":0,"reason":"custom_rule","occurred_at":"never","data":{"clocks":[{"kind":"deadline"}]}}',
        `{"id":"x","data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`];
      const unknownReason = queueMessage(hitlRequest('poison-reason', 'gut_feeling'), 'gut_feeling');
      let sent = 0;
      await run.operator(async (connection) => {
        const js = jetstream(connection);
        for (const subject of ['hitl.default.escalation.opened.custom_rule', 'hitl.default.escalation.resolved.custom_rule', 'hitl.default.outcome.custom_rule', ...QUEUES]) {
          for (const text of texts) {
            await js.publish(subject, text);
            sent += 1;
          }
          await run.load.more(10);
        }
        // A reason that nobody knows finds no stream; one that contradicts its subject is refused with its reasons.
        const unknown = await js.publish('hitl.default.review.gut_feeling', queueMessage(hitlRequest('p'))).then(() => 'taken', () => 'refused');
        if (unknown === 'taken') throw new Error('a subject of an unknown reason was taken');
        await js.publish(QUEUES[0], unknownReason);
      });
      const refused = [...QUEUES.flatMap((subject) => texts.map((text) => placed(subject, text))), placed(QUEUES[0], unknownReason)];
      await eventually('every unreadable message among the dead letters, with reasons', async () => {
        const letters = new Set((await readDeadLetters(run.faults.stack)).filter(({ errors }) => errors.length > 0).map(({ subject, original }) => `${subject} ${original}`));
        return refused.every((one) => letters.has(one));
      }, 60_000);
      const taken = await run.database((sql) => sql`select request_id from store.escalations where request_id in ('p', 'poison-reason')`);
      if (taken.length > 0) throw new Error(`stored what nobody can read: ${JSON.stringify(taken)}`);
      await run.load.moreAcked(60);
      return { poison: sent + 2 };
    },
  },
];

/** Where what cannot be read becomes a dead letter. */
const QUEUES = ['hitl.default.review.custom_rule', 'hitl.default.cancel.low_confidence'] as const;

/** A message as its dead letter names it. */
const placed = (subject: string, text: string) => `${subject} ${Buffer.from(text).toString('base64')}`;

async function limitReview(run: FaultRun, bytes: number): Promise<void> {
  await run.operator(async (connection) => {
    const manager = await jetstreamManager(connection);
    const { config } = await manager.streams.info('HITL_REVIEW');
    await manager.streams.update('HITL_REVIEW', { ...config, max_bytes: bytes });
  });
}

/** @returns how long after its return the stream holds every event that was committed before its loss, ms. */
async function publishedAgain(run: FaultRun): Promise<number> {
  const before = await run.database((sql) => sql<{ id: string }[]>`select id from store.events where request_id like 'f/%'`);
  await run.operator(async (connection) => {
    const manager = await jetstreamManager(connection);
    await eventually('the streams to be made again', async () => (await manager.streams.info('HITL_EVENTS')) && (await manager.streams.info('HITL_OUTCOMES')), 60_000);
  });
  const began = performance.now();
  await eventually('every event to be published again', async () => {
    const there = new Set((await readStream<EscalationEvent>(run.faults.stack, 'HITL_EVENTS')).map((event) => event.id));
    return before.every(({ id }) => there.has(id));
  }, 120_000);
  return Math.round(performance.now() - began);
}
