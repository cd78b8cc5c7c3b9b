import { Redis } from 'ioredis';
import { Client, originOf } from '../harness/http.ts';
import { latencies } from '../harness/numbers.ts';
import { closed } from '../harness/paced.ts';
import { atMost, type Options, type Part, type PartResult } from '../harness/part.ts';
import { Product } from '../harness/product.ts';
import { say } from '../harness/progress.ts';
import { byContender, interleave, type Contender } from '../harness/rounds.ts';
import { FILLERS, fillRows } from './rows.ts';

const READERS = 4;
const MOST_MS = 10;
const MOST_SEARCH_MS = 50;

const PATHS: Record<string, (n: number, total: number) => string> = {
  inbox: () => '/hitl/pending/alice?limit=50',
  list: (n) => `/hitl/escalations?state=pending&reason=${['hard_disagreement', 'low_confidence', 'inconsistent_evidence', 'custom_rule'][n % 4]}`,
  urgent: () => '/hitl/escalations?state=pending&sort=priority',
  status: (n, total) => `/hitl/status/row-${1 + ((n * 7919) % total)}`,
  task: (n, total) => `/hitl/escalations?task_id=${encodeURIComponent(`task/${10 * (1 + ((n * 7919) % (total / 10)))}`)}`,
  'search: one word': (n) => `/hitl/escalations?text=w${n % 1000}`,
  'search: a word of all': () => '/hitl/escalations?text=common&sort=-age',
  'search: two words': (n) => `/hitl/escalations?text=common+w${n % 1000}&state=pending`,
};

/** What operators look at; they are few. */
const OPERATORS: Record<string, (n: number, total: number) => string> = {
  'stats: a day': () => '/hitl/stats',
  'stats: 30 days': () => '/hitl/stats?hours=720',
  'oversight: 30 days': () => '/hitl/stats/oversight',
};

/** Reading a count of all pending by reason from the rows, as it would be without what is kept for statistics. */
const COUNTING = 'bare query (pending counted by reason)';

function reader(client: Client, name: string, path: (n: number, total: number) => string, total: number, count: number): Contender {
  return {
    name,
    run: async () => {
      const times: number[] = [];
      const seconds = await closed(count, READERS, async (index) => {
        const began = performance.now();
        await client.take(path(index, total));
        times.push(performance.now() - began);
      });
      return { ...latencies('read', times), rate: count / seconds };
    },
  };
}

/** The same rows by one statement, without HTTP, roles and rendering. */
function bareQuery(product: Product, total: number, count: number): Contender {
  return {
    name: 'bare query (one row by key)',
    run: async () => {
      const times: number[] = [];
      const sql = product.connectPostgres(READERS);
      const seconds = await closed(count, READERS, async (index) => {
        const began = performance.now();
        await sql`select state from store.escalations where namespace = 'default' and request_id = ${`row-${1 + ((index * 7919) % total)}`}`;
        times.push(performance.now() - began);
      });
      await sql.end();
      return { ...latencies('read', times), rate: count / seconds };
    },
  };
}

function counting(product: Product, count: number): Contender {
  return {
    name: COUNTING,
    run: async () => {
      const times: number[] = [];
      const sql = product.connectPostgres(READERS);
      const seconds = await closed(count, READERS, async () => {
        const began = performance.now();
        await sql`select reason, count(*)::int as pending, min(opened_at) as oldest from store.escalations where namespace = 'default' and status = 'pending' group by reason`;
        times.push(performance.now() - began);
      });
      await sql.end();
      return { ...latencies('read', times), rate: count / seconds };
    },
  };
}

function redisGet(product: Product, count: number): Contender {
  return {
    name: 'Redis GET (2.3 kB)',
    run: async () => {
      const redis = new Redis(product.connection.redis_url);
      await redis.set('bench:read', 'x'.repeat(2_300));
      const times: number[] = [];
      const seconds = await closed(count, READERS, async () => {
        const began = performance.now();
        await redis.get('bench:read');
        times.push(performance.now() - began);
      });
      redis.disconnect();
      return { ...latencies('read', times), rate: count / seconds };
    },
  };
}

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start({ env: { UMPIRE_STATE_STORE_RATE_READS: '0' } });
  try {
    const total = options.quick ? 20_000 : 1_000_000;
    const count = options.quick ? 100 : 3_000;
    const few = Math.round(count / 6);
    say(`filling ${total} rows`);
    await fillRows(product.connectPostgres(FILLERS), total, true);
    const origin = await originOf(product, 'state-store');
    const client = new Client(origin, product.connection.keys.reviewers.alice, READERS);
    const operator = new Client(origin, product.connection.keys.admin, READERS);
    const readers = [
      ...Object.entries(PATHS).map(([name, path]) => reader(client, name, path, total, name.startsWith('search') ? 2 * few : count)),
      ...Object.entries(OPERATORS).map(([name, path]) => reader(operator, name, path, total, few)),
    ];
    for (const one of readers) await one.run(0);
    const measured = await interleave([...readers, bareQuery(product, total, count), counting(product, Math.round(few / 5)), redisGet(product, count)], options, () => product.atRest());
    await Promise.all([client.close(), operator.close()]);
    const found = byContender(measured);
    const read = Object.entries(found).filter(([, metrics]) => metrics['read_p99'] !== undefined);
    return {
      measured,
      aims: readers.flatMap(({ name }) => (found[name] ? [atMost(`${name}, p99, ${READERS} readers, ${total.toLocaleString('en-US')} rows`, name.startsWith('search') ? MOST_SEARCH_MS : MOST_MS, found[name]['read_p99']!, 'ms')] : [])),
      charts: [{ title: `Reads at ${total.toLocaleString('en-US')} rows`, unit: 'ms (p99)', bars: read.map(([label, metrics]) => ({ label, summary: metrics['read_p99']! })) }],
    };
  } finally {
    await product.stop();
  }
}

export const readsPart: Part = { name: 'reads', title: 'lists, status, search, statistics at 1 M rows', run };
