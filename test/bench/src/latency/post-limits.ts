import { RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { fastify } from 'fastify';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endChild, startChild } from '../harness/child.ts';
import { Client } from '../harness/http.ts';
import type { Messages } from '../harness/messages.ts';
import { quantile } from '../harness/numbers.ts';
import { serial } from '../harness/paced.ts';
import type { Product } from '../harness/product.ts';
import type { Contender } from '../harness/rounds.ts';
import type { BarePathOptions } from './bare-path.ts';
import { publishAndCommit } from './steps.ts';

/** Echo, publish and commit, one at a time: what a POST cannot do without. */
export function bareSum(product: Product, messages: Messages, count: number): Contender {
  return {
    name: 'echo + publish + commit',
    run: async () => {
      const server = fastify();
      server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      server.post('/echo', (request, reply) => reply.send(request.body));
      const client = new Client(await server.listen({ port: 0, host: '127.0.0.1' }), 'none');
      const batch = messages.many(count, 'bench/echo');
      const echo = await serial(count, (index) => client.ask('POST', '/echo', batch[index]!.text));
      await client.close();
      await server.close();
      const steps = await publishAndCommit(product, messages, count);
      return { echo: quantile(echo, 0.5), ...steps, post_p50: quantile(echo, 0.5) + steps['publish']! + steps['commit']! };
    },
  };
}

const BARE_PATH = fileURLToPath(new URL('./bare-path.js', import.meta.url));
/** In the order in which they need each other. */
const ROLES: BarePathOptions['role'][] = ['store', 'follower-1', 'follower-2', 'intake'];

/** @returns the origin of the bare path, which stays up until it is stopped, as the product does */
export async function startBarePath(product: Product): Promise<{ origin: string; stop: () => Promise<void> }> {
  const postgresUrl = await product.database('bench_path');
  const sql = product.connectPostgres(1, postgresUrl);
  await sql`create table bare (id text primary key, body text not null)`;
  await sql.end();
  await product.jsm.streams.add({ name: 'BARE_EVENTS', subjects: ['bare.event'], storage: StorageType.File, retention: RetentionPolicy.Limits });
  const children: ChildProcess[] = [];
  let origin = '';
  for (const role of ROLES) {
    const options: BarePathOptions = { role, natsUrl: product.connection.nats_url, ...(await product.operatorLogin()), postgresUrl };
    const { child, ready } = await startChild<string>(BARE_PATH, options);
    children.push(child);
    origin = ready;
  }
  return { origin, stop: async () => void (await Promise.all(children.map(endChild))) };
}
