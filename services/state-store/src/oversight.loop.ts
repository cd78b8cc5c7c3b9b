import { inSlices, type Logger, type Sql, type Tx } from '@umpire/runtime';
import { bodiesOf, ChangesLoop, endedOf, hourOf, nameOf, type Ended } from './changes.loop.ts';
import type { ChangedRow } from './changes.queries.ts';
import { agentWords, contentOf, readingWords, wordOf, type AgentWord } from './oversight-content.ts';
import { addAgents, addAnswers, addEnds, pruneOversight, type AgentRow, type AnswerRow, type EndRow } from './oversight.queries.ts';

/** What is kept of an ended escalation's content: how many words there were to read, null where it has been erased, and what its agents had said. */
type Reading = { words: number | null; agents: AgentWord[] };

/** Longer than the longest window, so that what is reversed in it is still known. */
const KEPT_DAYS = 100;
const PRUNED_ROWS = 1_000;

/** Notes what people decided, and how fast, once an escalation has ended. */
export class OversightLoop extends ChangesLoop {
  constructor(sql: Sql, logger: Logger) {
    super({ name: 'oversight', cursor: 'oversight_cursor', rows: 100, sql, logger });
  }

  protected override rest(tx: Tx): Promise<unknown> {
    return pruneOversight(tx, KEPT_DAYS, PRUNED_ROWS);
  }

  protected async take(tx: Tx, rows: ChangedRow[]): Promise<void> {
    const ended = await endedOf(rows);
    if (ended.length === 0) return;
    const added = new Set((await addEnds(tx, ended.map(endRow))).map(nameOf));
    const fresh = ended.filter((row) => added.has(nameOf(row)));
    const bodies = await bodiesOf(tx, fresh.filter(wasAnswered));
    const readings = new Map(await inSlices(fresh, (row): [Ended, Reading] => [row, readingOf(row, bodies.get(nameOf(row)) ?? null)]));
    const answers = fresh.flatMap((row) => answerRows(row, readings.get(row)!));
    if (answers.length > 0) await addAnswers(tx, answers);
    const agents = agentRows(readings);
    if (agents.length > 0) await addAgents(tx, agents);
  }
}

/** Nothing is compared with the content of what only a timeout or its producer ended: it is not read. */
const wasAnswered = ({ domain }: Ended) => domain.outcome?.source === 'human' || domain.votes.length > 0 || domain.history.length > 0;

/** Agreement means something only where people decided. */
function readingOf({ kind, domain }: Ended, body: Uint8Array | null): Reading {
  const content = contentOf(body);
  return { words: readingWords(domain, content), agents: kind === 'escalation' && domain.outcome?.source === 'human' ? agentWords(content) : [] };
}

function endRow({ namespace, request_id, reason, settled_at, domain }: Ended): EndRow {
  return { namespace, request_id, reason, source: domain.outcome?.source ?? 'cancel', verdict: domain.outcome?.verdict ?? null, ended_at: settled_at, revises: domain.rules.revises ?? null };
}

/** Every answer that was given, whether it counted in the end or not: rounds of refinement, and votes. */
function answerRows({ namespace, request_id, reason, domain }: Ended, { words }: Reading): AnswerRow[] {
  const rounds = domain.history.map((round) => ({ user_id: round.user_id, at: round.at, verdict: null }));
  return [...rounds, ...domain.votes].map(({ user_id, at, verdict }) => ({
    namespace, request_id, reason, user_id, verdict, words, answered_at: new Date(at),
    asked_at: new Date(Math.max(domain.opened_at, ...domain.history.filter((round) => round.at < at).map((round) => round.at))),
  }));
}

/** Only where the agents' word is one that people could have chosen. */
function agentRows(readings: Map<Ended, Reading>): AgentRow[] {
  const sums = new Map<string, AgentRow>();
  for (const [row, { agents }] of readings) {
    const { outcome, rules } = row.domain;
    const options = new Set(rules.options.map((option) => wordOf(typeof option === 'string' ? option : option.value)));
    const hour = hourOf(row.settled_at);
    for (const { kind, name, word } of agents) {
      if (!options.has(word)) continue;
      const key = JSON.stringify([row.namespace, hour.getTime(), kind, name]);
      const sum = sums.get(key) ?? { namespace: row.namespace, hour, kind, name, agreed: 0, disagreed: 0 };
      sums.set(key, sum);
      sum[word === wordOf(outcome!.verdict) ? 'agreed' : 'disagreed'] += 1;
    }
  }
  return [...sums.values()];
}
