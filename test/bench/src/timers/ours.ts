import type { Messages } from '../harness/messages.ts';
import { latencies } from '../harness/numbers.ts';
import { closed } from '../harness/paced.ts';
import { cpuEach, until, type Product } from '../harness/product.ts';
import type { Contender } from '../harness/rounds.ts';

const SLOWEST_OPENING = 200;
const OPENING_LANES = 96;
const SPARE_SECONDS = 5;
const LEAD_MS = 500;

/**
 * Escalations whose deadlines fall into the same few seconds, `rate` in each: with all that a deadline brings (decided, stored, event and
 * outcome published). Lateness is what the store decided against the deadline, both by the database's clock; `heard` is when the event
 * reached a subscriber, by this machine's clock, which is the same.
 */
export function ours(product: Product, messages: Messages, rate: number, seconds: number): Contender {
  return {
    name: `ours at ${rate.toLocaleString('en-US')}/s`,
    run: async (round) => {
      const count = rate * seconds;
      const prefix = `bench/due/${rate}/${round}`;
      const heard = hearExpiries(product, prefix);
      const window = Date.now() + (count / SLOWEST_OPENING + SPARE_SECONDS) * 1000;
      const timeouts = await openDue(product, messages, { count, prefix, window, seconds });
      // All of it is stored by now: what is measured are the timers alone, and not what the idle product does until the first is due.
      await new Promise((resolve) => setTimeout(resolve, window - LEAD_MS - Date.now()));
      const before = await product.cpu();
      const late = Date.now() > window;
      await until('the last expiry', async () => heard.size >= count, 300, 20);
      const cpu = cpuEach(before, await product.cpu(), count);
      heard.stop();
      if (late) throw new Error('opening took longer than was left for it');
      return { ...(await lateness(product, prefix, timeouts, heard.at)), ...cpu };
    },
  };
}

/** Deadlines count from the opening: each lane waits until its own is stored, or what lags behind would be due later than asked for. */
async function openDue(product: Product, messages: Messages, due: { count: number; prefix: string; window: number; seconds: number }): Promise<Map<string, number>> {
  const timeouts = new Map<string, number>();
  const openings = hearOpenings(product, due.prefix);
  // Subscribed on one connection, published on another: the first opening came before the subscription, once, and its lane waited for ever.
  await product.operator.flush();
  await closed(due.count, OPENING_LANES, async (index) => {
    const { id, subject, text } = messages.next(due.prefix);
    // Whole seconds: the deadlines of all fall into just the window, as evenly as the openings fell into their seconds.
    const timeout = Math.max(1, Math.ceil((due.window - Date.now()) / 1000) + (index % due.seconds));
    timeouts.set(id, timeout);
    const opened = openings.of(id);
    await product.js.publish(subject, `${text.slice(0, -1)},"interaction":{"timeout_seconds":${timeout}}}`);
    await opened;
  });
  openings.stop();
  return timeouts;
}

function hearOpenings(product: Product, prefix: string) {
  const waiting = new Map<string, () => void>();
  const subscription = product.operator.subscribe('hitl.default.escalation.opened.*', {
    callback: (_error, message) => {
      const id = /"request_id":"([^"]+)"/.exec(message.string())?.[1];
      if (!id?.startsWith(prefix)) return;
      waiting.get(id)?.();
      waiting.delete(id);
    },
  });
  return { of: (id: string) => new Promise<void>((resolve) => waiting.set(id, resolve)), stop: () => subscription.unsubscribe() };
}

function hearExpiries(product: Product, prefix: string) {
  const at = new Map<string, number>();
  const subscription = product.operator.subscribe('hitl.default.escalation.expired.*', {
    callback: (_error, message) => {
      const now = Date.now();
      const { request_id: id } = message.json<{ request_id: string }>();
      if (id.startsWith(prefix)) at.set(id, now);
    },
  });
  return { at, get size() { return at.size; }, stop: () => subscription.unsubscribe() };
}

async function lateness(product: Product, prefix: string, timeouts: Map<string, number>, heard: Map<string, number>) {
  const rows = await product.sql<{ id: string; opened: number; expired: number }[]>`
    select s.request_id as id, extract(epoch from s.opened_at)::float8 * 1000 as opened, extract(epoch from e.occurred_at)::float8 * 1000 as expired
    from store.escalations s join store.events e using (namespace, request_id) where s.request_id like ${`${prefix}-%`} and e.type = 'expired'`;
  const deadline = (row: { id: string; opened: number }) => row.opened + timeouts.get(row.id)! * 1000;
  const decided = rows.map((row) => row.expired - deadline(row));
  const first = Math.min(...rows.map(deadline));
  const last = Math.max(...rows.map((row) => row.expired));
  return {
    fired: (rows.length * 1000) / (last - first),
    early: decided.filter((late) => late < 0).length,
    ...latencies('late', decided),
    ...latencies('heard', rows.map((row) => heard.get(row.id)! - deadline(row))),
  };
}

/**
 * The scheduler's own work: timers of escalations that the store does not know are claimed, asked about (`stale`) and deleted, so nothing
 * is decided or published. `behind` is the most that was due and still there, in ms of the rate.
 */
export function claiming(product: Product, rate: number, seconds: number): Contender {
  return {
    name: `claiming alone at ${rate.toLocaleString('en-US')}/s`,
    run: async (round) => {
      const count = rate * seconds;
      const like = `claim/${round}/%`;
      const [{ start }] = await product.sql<[{ start: number }]>`
        with clock as (select clock_timestamp() + interval '6 seconds' as start),
          made as (
            insert into scheduler.timers (namespace, request_id, kind, ordinal, generation, due_at, wake_at)
            select 'default', ${`claim/${round}/`} || n, 'deadline', 0, 1, t.at, t.at from clock cross join generate_series(0, ${count - 1}::int) as n
            cross join lateral (select clock.start + make_interval(secs => n::float8 / ${rate}::float8) as at) as t)
        select extract(epoch from start)::float8 * 1000 as start from clock`;
      let most = 0;
      let left = count;
      await until('the last claim', async () => {
        const [row] = await product.sql<[{ behind: number; left: number }]>`
          select (count(*) filter (where wake_at <= clock_timestamp()))::int as behind, count(*)::int as left from scheduler.timers
          where namespace = 'default' and wake_at < to_timestamp(${start + (seconds + 5) * 1000}::float8 / 1000) and request_id like ${like}`;
        most = Math.max(most, row.behind);
        left = row.left;
        return left === 0;
      }, 120, 50);
      return { fired: (count * 1000) / (Date.now() - start), behind: (most * 1000) / rate };
    },
  };
}

/** The limit: batches of 200 leased and deleted by one connection in a table of the same shape, nothing asked. */
export function bareClaims(product: Product, pending: number, count: number): Contender {
  return {
    name: 'leased batch and delete, bare',
    run: async () => {
      const sql = product.connectPostgres(1, await product.database('bench_timers'));
      await sql`create table timers (namespace text not null, request_id text not null, wake_at timestamptz not null, leased_until timestamptz not null default '-infinity', primary key (namespace, request_id)) with (fillfactor = 85)`;
      await sql`create index on timers (namespace, wake_at)`;
      await sql`insert into timers select 'default', 'far-' || n, clock_timestamp() + interval '1 year' + make_interval(secs => n::float8) from generate_series(1, ${pending}::int) as n`;
      await sql`insert into timers select 'default', 'due-' || n, clock_timestamp() - interval '1 minute' from generate_series(1, ${count}::int) as n`;
      await sql`vacuum (analyze) timers`.simple();
      const began = performance.now();
      for (let done = 0; done < count; ) {
        const claimed = await sql<{ request_id: string }[]>`
          update timers set leased_until = clock_timestamp() + interval '8 seconds' where ctid = any (array(
            select ctid from timers where namespace = 'default' and wake_at <= (select clock_timestamp()) and leased_until <= (select clock_timestamp())
            order by wake_at limit 200 for update skip locked)) returning request_id`;
        await sql`delete from timers where namespace = 'default' and request_id = any (${claimed.map((row) => row.request_id)}::text[])`;
        done += claimed.length;
      }
      const seconds = (performance.now() - began) / 1000;
      await sql.end();
      return { fired: count / seconds };
    },
  };
}
