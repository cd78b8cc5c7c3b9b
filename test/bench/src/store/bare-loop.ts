/**
 * The limit of what the product does between publish and event, a page of code: consume, one batched insert of the same bytes, publish
 * one event, ack. No validation, no policy, no people, no clocks. Run as a process of its own, as the product's services are.
 */
import { AckPolicy, jetstream, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import postgres from 'postgres';
import { Signal } from '../harness/signal.ts';

export type BareOptions = { natsUrl: string; user: string; pass: string; postgresUrl: string; tables: 1 | 4 };

const BATCH = 150;
const LANES = 3;
const options = JSON.parse(process.argv[2]!) as BareOptions;
const nats = await connect({ servers: options.natsUrl, user: options.user, pass: options.pass, inboxPrefix: '_INBOX.operator' });
const js = jetstream(nats, { timeout: 30_000 });
const jsm = await jetstreamManager(nats);
const sql = postgres(options.postgresUrl, { max: LANES });

const ids = (batch: JsMsg[]) => batch.map((message) => String(message.seq));
const bodies = (batch: JsMsg[]) => batch.map((message) => message.string());

const insert = {
  1: (batch: JsMsg[]) => sql`insert into bare (id, body) select * from unnest(${ids(batch)}::text[], ${bodies(batch)}::text[])`,
  4: (batch: JsMsg[]) => sql`
    with input as (select * from unnest(${ids(batch)}::text[], ${bodies(batch)}::text[]) as t (id, body)),
      hot as (insert into bare_hot (id, status) select id, 'pending' from input),
      logged as (insert into bare_log (id, seq, at) select id, 1, now() from input),
      queued as (insert into bare_outbox (id, seq) select id, 1 from input)
    insert into bare (id, body) select id, body from input`,
};

async function lane(next: () => Promise<JsMsg[]>): Promise<void> {
  for (;;) {
    const batch = await next();
    await insert[options.tables](batch);
    await Promise.all(batch.map((message) => js.publish(`bare.event.${message.seq % 4}`, message.data)));
    if (options.tables === 4) await sql`delete from bare_outbox using unnest(${ids(batch)}::text[]) as k (id) where bare_outbox.id = k.id`;
    for (const message of batch) message.ack();
  }
}

await jsm.consumers.add('BARE', { durable_name: 'bare', ack_policy: AckPolicy.Explicit, max_ack_pending: 4_000 });
const consumer = await js.consumers.get('BARE', 'bare');
const arrived: JsMsg[] = [];
const arrival = new Signal();
const next = async () => {
  while (arrived.length === 0) await arrival.wait();
  return arrived.splice(0, BATCH);
};
for (let count = 0; count < LANES; count++) void lane(next);
process.send?.('ready');
for await (const message of await consumer.consume({ max_messages: 1_000 })) {
  arrived.push(message);
  arrival.wake();
}
