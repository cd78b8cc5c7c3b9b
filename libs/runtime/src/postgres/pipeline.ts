import { withDeadline, type Query, type Sql } from './connect.ts';

/** A statement as postgres.js makes it: not sent yet. */
export type Statement<Rows> = PromiseLike<Rows> & { execute(): PromiseLike<Rows> };

type Reserved = Query & { release: () => void };

/**
 * Runs two statements in one round trip: on one connection, in order, each its own transaction, so that the second sees what the first
 * has committed.
 * @throws DeadlineError after `deadlineMs`; what the first statement throws, else the second
 */
export function oneAfterTheOther<A, B>(
  sql: Sql, deadlineMs: number, what: string, first: (query: Query) => Statement<A>, second: (query: Query) => Statement<B>,
): Promise<[A, B]> {
  return withDeadline(onOneConnection(sql, async (query) => {
    // `execute` sends: a statement that is awaited goes out some microtasks later, and perhaps behind the next.
    const [a, b] = [first(query).execute(), second(query).execute()];
    return unlessRejected(await Promise.allSettled([a, b])) as [A, B];
  }), deadlineMs, what);
}

/**
 * Runs a transaction in two round trips where `transaction` takes four: `begin` travels with what `work` asks first, `commit` with the
 * last statement. Where that one fails there is nothing to commit: Postgres rolls back instead.
 * @param work reads, locks and decides; what writes is the last statement alone, or `work` itself, and then there is no last
 * @throws DeadlineError after `deadlineMs`: the server rolls the transaction back by its own time-outs. What `work` or a statement
 *   throws: nothing was written; after a lost connection nothing is known
 */
export function shortTransaction<T>(sql: Sql, deadlineMs: number, work: (tx: Query) => Promise<{ result: T; last: Statement<unknown> | null }>): Promise<T> {
  return withDeadline(onOneConnection(sql, async (tx) => {
    const begun = tx.unsafe('begin').execute();
    const [worked, began] = await Promise.allSettled([work(tx), begun]);
    if (worked.status === 'rejected' || began.status === 'rejected') {
      await tx.unsafe('rollback').execute().catch(() => undefined);
      throw worked.status === 'rejected' ? worked.reason : (began as PromiseRejectedResult).reason;
    }
    const { result, last } = worked.value;
    const saved = last === null ? Promise.resolve() : last.execute();
    unlessRejected(await Promise.allSettled([saved, tx.unsafe('commit').execute()]));
    return result;
  }), deadlineMs, 'postgres transaction');
}

/** All of it is settled before the connection is anybody else's. */
async function onOneConnection<T>(sql: Sql, work: (query: Query) => Promise<T>): Promise<T> {
  const reserved = (await sql.reserve()) as unknown as Reserved;
  try {
    return await work(reserved);
  } finally {
    reserved.release();
  }
}

function unlessRejected(results: PromiseSettledResult<unknown>[]): unknown[] {
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
