import { RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { fileURLToPath } from 'node:url';
import { endChild, startChild } from '../harness/child.ts';
import type { Messages } from '../harness/messages.ts';
import { cpuEach, type Product } from '../harness/product.ts';
import { cpuOf } from '../harness/machine.ts';
import type { Contender } from '../harness/rounds.ts';
import type { BareOptions } from './bare-loop.ts';
import { neededFor, sustained, warmingOf } from './ours.ts';

const PROGRAM = fileURLToPath(new URL('./bare-loop.js', import.meta.url));

/** The bare loop, on streams and a table of its own on the product's servers. */
export function bareLoop(product: Product, messages: Messages, count: number, tables: 1 | 4): Contender {
  return {
    name: tables === 1 ? 'bare loop' : 'bare loop, four tables',
    run: async (round) => {
      const url = await product.database('bench_bare');
      const sql = product.connectPostgres(1, url);
      await sql`create table bare (id text primary key, body text not null)`;
      if (tables === 4) {
        await sql`create table bare_hot (id text primary key, status text not null)`;
        await sql`create table bare_log (id text, seq integer, at timestamptz not null, primary key (id, seq))`;
        await sql`create table bare_outbox (id text primary key, seq integer not null)`;
      }
      await makeStreams(product);
      const options: BareOptions = { natsUrl: product.connection.nats_url, ...(await product.operatorLogin()), postgresUrl: url, tables };
      const { child } = await startChild(PROGRAM, options);
      const batch = messages.many(neededFor(count), `bench/bare/${round}`);
      const position = async () => (await product.jsm.streams.info('BARE_EVENTS')).state.last_seq;
      const spent = async () => ({ ...(await product.cpu()), loop: cpuOf(child.pid!) });
      let [before, after] = [await spent(), await spent()];
      const measured = await sustained(count, (index) => product.operatorJs.publish(`bare.in.${batch[index]!.reason}`, batch[index]!.text), position, async () => void (before = await spent()), async () => void (after = await spent()));
      const cpu = cpuEach(before, after, measured.count);
      await endChild(child);
      await sql.end();
      for (const name of ['BARE', 'BARE_EVENTS']) await product.jsm.streams.delete(name);
      return { rate: measured.count / measured.seconds, ...cpu };
    },
  };
}

async function makeStreams(product: Product): Promise<void> {
  const common = { storage: StorageType.File, retention: RetentionPolicy.Limits };
  await product.jsm.streams.add({ ...common, name: 'BARE', subjects: ['bare.in.*'] });
  await product.jsm.streams.add({ ...common, name: 'BARE_EVENTS', subjects: ['bare.event.*'] });
}

/** JetStream alone: as many publishes in flight as in the other rows. */
export function rawPublish(product: Product, messages: Messages, count: number): Contender {
  return {
    name: 'JetStream publish',
    run: async (round) => {
      await product.jsm.streams.add({ name: 'BARE', subjects: ['bare.in.*'], storage: StorageType.File });
      const batch = messages.many(neededFor(count), `bench/raw/${round}`);
      let done = 0;
      let [before, after] = [await product.cpu(), await product.cpu()];
      const measured = await sustained(count, (index) => product.operatorJs.publish(`bare.in.${batch[index]!.reason}`, batch[index]!.text).then(() => done++), async () => done, async () => void (before = await product.cpu()), async () => void (after = await product.cpu()));
      const cpu = cpuEach(before, after, measured.count);
      await product.jsm.streams.delete('BARE');
      return { rate: measured.count / measured.seconds, ...cpu };
    },
  };
}

/** Postgres alone: COPY of the same bytes into one table with a key, in transactions of 150 rows. */
export function copy(product: Product, messages: Messages, count: number): Contender {
  return {
    name: 'Postgres COPY',
    run: async (round) => {
      const sql = product.connectPostgres(1, await product.database('bench_copy'));
      await sql`create table bare (id text primary key, body text not null)`;
      const batch = messages.many(warmingOf(count) + count, `bench/copy/${round}`);
      const escape = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
      let [began, warm] = [0, 0];
      for (let at = 0; at < batch.length; at += 150) {
        if (warm === 0 && at >= warmingOf(count)) [began, warm] = [performance.now(), at];
        const writable = await sql`copy bare (id, body) from stdin`.writable();
        const ended = new Promise((resolve, reject) => writable.once('finish', resolve).once('error', reject));
        writable.end(batch.slice(at, at + 150).map(({ id, text }) => `${escape(id)}\t${escape(text)}\n`).join(''));
        await ended;
      }
      const seconds = (performance.now() - began) / 1000;
      await sql.end();
      return { rate: (batch.length - warm) / seconds };
    },
  };
}
