import { StorageType } from '@nats-io/jetstream';
import type { Messages } from '../harness/messages.ts';
import { quantile } from '../harness/numbers.ts';
import { serial } from '../harness/paced.ts';
import type { Product } from '../harness/product.ts';
import type { Metrics } from '../harness/rounds.ts';

/** The single steps of which every path here is made, each alone and one at a time: ms at the median. */
export async function publishAndCommit(product: Product, messages: Messages, count: number): Promise<Metrics> {
  await product.jsm.streams.add({ name: 'BARE', subjects: ['bare.in.*'], storage: StorageType.File });
  const sql = product.connectPostgres(1, await product.database('bench_steps'));
  try {
    await sql`create table bare (id text primary key, body text not null)`;
    const batch = messages.many(count, 'bench/steps');
    const publish = await serial(count, (index) => product.operatorJs.publish(`bare.in.${batch[index]!.reason}`, batch[index]!.text));
    const commit = await serial(count, (index) => sql`insert into bare (id, body) values (${batch[index]!.id}, ${batch[index]!.text})`.execute());
    return { publish: quantile(publish, 0.5), commit: quantile(commit, 0.5) };
  } finally {
    await sql.end();
    await product.jsm.streams.delete('BARE');
  }
}
