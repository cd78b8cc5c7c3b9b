/**
 * What a POST costs between the same processes with nothing in them, a page of code: `intake` asks `store` over NATS, which inserts the same
 * bytes, commits, answers, and publishes one event; two `follower`s read it and ack, as notifier and scheduler do. No validation, no policy, no
 * people, no record.
 */
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { fastify } from 'fastify';
import postgres from 'postgres';

export type BarePathOptions = { role: 'store' | 'follower-1' | 'follower-2' | 'intake'; natsUrl: string; user: string; pass: string; postgresUrl: string };

const options = JSON.parse(process.argv[2]!) as BarePathOptions;
const nats = await connect({ servers: options.natsUrl, user: options.user, pass: options.pass, inboxPrefix: '_INBOX.operator' });

async function intake(): Promise<string> {
  const server = fastify();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.post('/api/escalations', async (request, reply) => {
    const answer = await nats.request('bare.submit', request.body as Buffer, { timeout: 30_000 });
    return reply.code(202).header('content-type', 'application/json').send(answer.string());
  });
  return server.listen({ port: 0, host: '127.0.0.1' });
}

async function store(): Promise<string> {
  const js = jetstream(nats, { timeout: 30_000 });
  const sql = postgres(options.postgresUrl, { max: 2 });
  let [waiting, lanes, last] = [[] as { data: Uint8Array; answer: () => void }[], 0, 0];
  // As many as have come go together, two batches at a time.
  const lane = async () => {
    for (lanes += 1; waiting.length > 0;) {
      const batch = waiting;
      waiting = [];
      const ids = batch.map(() => String((last += 1)));
      await sql`insert into bare (id, body) select * from unnest(${ids}::text[], ${batch.map(({ data }) => Buffer.from(data).toString())}::text[])`;
      for (const { data, answer } of batch) {
        answer();
        void js.publish('bare.event', data);
      }
    }
    lanes -= 1;
  };
  nats.subscribe('bare.submit', {
    callback: (_error, message) => {
      waiting.push({ data: message.data, answer: () => void message.respond('{"status":"stored"}') });
      if (lanes < 2) void lane();
    },
  });
  await nats.flush();
  return 'ready';
}

async function follower(name: string): Promise<string> {
  await (await jetstreamManager(nats)).consumers.add('BARE_EVENTS', { durable_name: name, ack_policy: AckPolicy.Explicit, max_ack_pending: 4_000 });
  const consumer = await jetstream(nats).consumers.get('BARE_EVENTS', name);
  await consumer.consume({ max_messages: 1_000, callback: (message) => message.ack() });
  return 'ready';
}

process.send?.(await (options.role === 'intake' ? intake() : options.role === 'store' ? store() : follower(options.role)));
