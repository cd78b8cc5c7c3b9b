import type { Query } from '@umpire/runtime';

/**
 * Takes the sweep for `leaseMs`, unless another replica has it or the last one is too recent.
 * @returns where to go on (null: from the beginning), or undefined
 */
export async function takeSweep(sql: Query, leaseMs: number): Promise<string | null | undefined> {
  const [row] = await sql<{ cursor: string | null }[]>`
    update scheduler.sweeps set leased_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
    where name = 'reconciliation' and leased_until <= clock_timestamp() returning cursor`;
  return row?.cursor;
}

/**
 * Keeps the cursor, and the sweep for `leaseMs` more (with `leaseMs` the pause before the next, when it is done).
 * @returns false if somebody else has moved it meanwhile: this replica was asleep and stops
 */
export async function keepCursor(sql: Query, from: string | null, to: string | null, leaseMs: number): Promise<boolean> {
  const result = await sql`
    update scheduler.sweeps set cursor = ${to}, leased_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
    where name = 'reconciliation' and cursor is not distinct from ${from}`;
  return result.count === 1;
}
