import { REASONS, type Reason } from '@umpire/contract';
import { databaseNow, transaction, withDeadline, type Sql } from '@umpire/runtime';
import { KeptFigures } from './kept-figures.ts';
import { agentFigures, answerFigures, endFigures, lastErased, reversals, type AnswerFigures, type Reversal } from './oversight.queries.ts';

/** So long is waited for figures; what takes longer goes on, and is there for whoever asks again. */
const READ_MS = 15_000;
const COMPUTE_MS = 120_000;
/** Figures of a long window cost seconds; a twentieth of a processor is what they may take. */
export const OVERSIGHT_KEEPING = { quickMs: 250, times: 20, mostMs: Number.POSITIVE_INFINITY, staleTimes: 5 };
const MOST_AGENTS = 200;
const MOST_REVIEWERS = 200;
const MOST_REVERSALS = 50;

type Speed = { answers: number; median_seconds: number | null; p90_seconds: number | null };
type Reading = { readable: number; faster_than_reading: number };
type Ends = { human: number; timeout: number; cancel: number; timeout_share: number | null };
type Agreement = { agreed: number; disagreed: number; agreement: number | null };

/** Figures on how people decide. What each means: docs/oversight.md. Shares are from 0 to 1, null where there is nothing to share. */
export type Oversight = {
  as_of: string;
  days: number;
  words_per_minute: number;
  all: Ends & Speed & Reading & { reversed: number };
  reasons: (Ends & Speed & { reason: Reason })[];
  reviewers: (Speed & Reading & { user_id: string; reversed: number; reasons: (Speed & { reason: Reason })[] })[];
  agents: (Agreement & { name: string })[];
  synthesis: Agreement;
  reversals: (Omit<Reversal, 'revised_at'> & { revised_at: string })[];
};

export class OversightReads {
  private readonly sql: Sql;
  private readonly kept: KeptFigures<Oversight>;

  constructor(sql: Sql, kept = new KeptFigures<Oversight>(OVERSIGHT_KEEPING, () => performance.now())) {
    this.sql = sql;
    this.kept = kept;
  }

  read(namespace: string, days: number, wordsPerMinute: number): Promise<Oversight> {
    return withDeadline(this.keptOrComputed(namespace, days, wordsPerMinute), READ_MS, 'oversight');
  }

  /** What was kept before a person was erased names them: it is not shown any more. */
  private async keptOrComputed(namespace: string, days: number, wordsPerMinute: number): Promise<Oversight> {
    const erased = await lastErased(this.sql, namespace);
    return this.kept.get(JSON.stringify([namespace, days, wordsPerMinute, erased]), () => this.compute(namespace, days, wordsPerMinute));
  }

  private async compute(namespace: string, days: number, wordsPerMinute: number): Promise<Oversight> {
    const [now, answers, ends, agents, reversed] = await transaction(this.sql, COMPUTE_MS, async (sql) => {
      // All figures are of one moment.
      await sql`set transaction isolation level repeatable read, read only`;
      await sql`select set_config('statement_timeout', ${String(COMPUTE_MS)}, true)`;
      return [
        await databaseNow(sql), await answerFigures(sql, namespace, days, wordsPerMinute), await endFigures(sql, namespace, days), await agentFigures(sql, namespace, days, MOST_AGENTS),
        await reversals(sql, namespace, days),
      ] as const;
    });
    const of = (user_id: string | null, reason: string | null) => answers.find((row) => row.user_id === user_id && row.reason === reason);
    return {
      as_of: new Date(now).toISOString(),
      days,
      words_per_minute: wordsPerMinute,
      all: { ...endsOf(ends), ...speedOf(of(null, null)), ...readingOf(of(null, null)), reversed: reversed.length },
      reasons: REASONS.map((reason) => ({ reason, ...endsOf(ends.filter((row) => row.reason === reason)), ...speedOf(of(null, reason)) })),
      reviewers: reviewersOf(answers, reversed),
      agents: agents.filter(({ kind }) => kind === 'agent').map(({ name, ...row }) => ({ name, ...agreementOf(row) })),
      synthesis: agreementOf(agents.find(({ kind }) => kind === 'synthesis') ?? { agreed: 0, disagreed: 0 }),
      reversals: reversed.slice(0, MOST_REVERSALS).map((row) => ({ ...row, revised_at: row.revised_at.toISOString() })),
    };
  }
}

function endsOf(rows: { source: string; ended: number }[]): Ends {
  const of = (source: string) => rows.filter((row) => row.source === source).reduce((sum, row) => sum + row.ended, 0);
  const [human, timeout, cancel] = [of('human'), of('timeout'), of('cancel')];
  return { human, timeout, cancel, timeout_share: shareOf(timeout, human + timeout) };
}

const speedOf = (row: AnswerFigures | undefined): Speed => ({ answers: row?.answers ?? 0, median_seconds: row?.median_seconds ?? null, p90_seconds: row?.p90_seconds ?? null });
const readingOf = (row: AnswerFigures | undefined): Reading => ({ readable: row?.readable ?? 0, faster_than_reading: row?.faster_than_reading ?? 0 });
const agreementOf = ({ agreed, disagreed }: { agreed: number; disagreed: number }): Agreement => ({ agreed, disagreed, agreement: shareOf(agreed, agreed + disagreed) });
const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function reviewersOf(answers: AnswerFigures[], reversed: Reversal[]): Oversight['reviewers'] {
  const reasons = Map.groupBy(answers.filter((row) => row.user_id !== null && row.reason !== null), (row) => row.user_id!);
  return answers.filter((row) => row.user_id !== null && row.reason === null).slice(0, MOST_REVIEWERS).map((row) => ({
    user_id: row.user_id!,
    ...speedOf(row),
    ...readingOf(row),
    reversed: reversed.filter(({ reviewers }) => reviewers.includes(row.user_id!)).length,
    reasons: (reasons.get(row.user_id!) ?? []).map((one) => ({ reason: one.reason as Reason, ...speedOf(one) })),
  }));
}
