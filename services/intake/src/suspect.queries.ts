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

/**
 * Forgets those that nobody has tried to read for so long, and all but the newest `most`. While a message is there it is handed out again and
 * again, and noted each time; what was refused unread stays noted for as long as it might come once more.
 * @returns how many
 */
export async function pruneSuspects(sql: Query, hours: number, most: number): Promise<number> {
  const rows = await sql`
    delete from intake.suspects
    where noted_at < (select clock_timestamp()) - make_interval(hours => ${hours}::integer)
      or submission in (select submission from intake.suspects order by noted_at desc, submission offset ${most})
    returning 1 as one`;
  return rows.length;
}
