import type { Query } from '@umpire/runtime';

/**
 * Notes that a message is about to be read.
 * @param again this process has noted it already, perhaps without an answer, and is still there: that is no further reading
 * @returns how often that was noted and never taken back, this time included
 */
export async function noteSuspect(sql: Query, submission: string, again = false): Promise<number> {
  const [row] = await sql<{ reads: number }[]>`
    insert into intake.suspects as s (submission, reads) values (${submission}, 1)
    on conflict (submission) do update set reads = s.reads + ${again ? 0 : 1}::integer, noted_at = clock_timestamp()
    returning reads`;
  return row!.reads;
}

/** It was read to its end. */
export async function clearSuspect(sql: Query, submission: string): Promise<void> {
  await sql`delete from intake.suspects where submission = ${submission}`;
}
