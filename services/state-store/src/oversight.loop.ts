import type { Logger, Sql, Tx } from '@umpire/runtime';
import { bodiesOf, ChangesLoop, endedOf, hourOf, nameOf, type Ended } from './changes.loop.ts';
import type { ChangedRow } from './changes.queries.ts';
import { agentWords, contentOf, readingWords, wordOf } from './oversight-content.ts';
import { addAgents, addAnswers, addEnds, pruneOversight, type AgentRow, type AnswerRow, type EndRow } from './oversight.queries.ts';

type Content = ReturnType<typeof contentOf>;

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
    const ended = endedOf(rows);
    if (ended.length === 0) return;
    const added = new Set((await addEnds(tx, ended.map(endRow))).map(nameOf));
    const fresh = ended.filter((row) => added.has(nameOf(row)));
    const contents = new Map([...(await bodiesOf(tx, fresh.filter(wasAnswered)))].map(([name, body]) => [name, contentOf(body)]));
    const answers = fresh.flatMap((row) => answerRows(row, contents.get(nameOf(row)) ?? null));
    if (answers.length > 0) await addAnswers(tx, answers);
    const agents = agentRows(fresh, contents);
    if (agents.length > 0) await addAgents(tx, agents);
  }
}

/** Nothing is compared with the content of what only a timeout or its producer ended: it is not read. */
const wasAnswered = ({ domain }: Ended) => domain.outcome?.source === 'human' || domain.votes.length > 0 || domain.history.length > 0;

function endRow({ namespace, request_id, reason, settled_at, domain }: Ended): EndRow {
  return { namespace, request_id, reason, source: domain.outcome?.source ?? 'cancel', verdict: domain.outcome?.verdict ?? null, ended_at: settled_at, revises: domain.rules.revises ?? null };
}

/** Every answer that was given, whether it counted in the end or not: rounds of refinement, and votes. */
function answerRows({ namespace, request_id, reason, domain }: Ended, content: Content): AnswerRow[] {
  const words = readingWords(domain, content);
  const rounds = domain.history.map((round) => ({ user_id: round.user_id, at: round.at, verdict: null }));
  return [...rounds, ...domain.votes].map(({ user_id, at, verdict }) => ({
    namespace, request_id, reason, user_id, verdict, words, answered_at: new Date(at),
    asked_at: new Date(Math.max(domain.opened_at, ...domain.history.filter((round) => round.at < at).map((round) => round.at))),
  }));
}

/** Agreement means something only where people decided, and the agents' word is one that they could have chosen. */
function agentRows(rows: Ended[], contents: Map<string, Content>): AgentRow[] {
  const sums = new Map<string, AgentRow>();
  for (const row of rows) {
    const { outcome, rules } = row.domain;
    if (row.kind !== 'escalation' || outcome?.source !== 'human') continue;
    const options = new Set(rules.options.map((option) => wordOf(typeof option === 'string' ? option : option.value)));
    const hour = hourOf(row.settled_at);
    for (const { kind, name, word } of agentWords(contents.get(nameOf(row)) ?? null)) {
      if (!options.has(word)) continue;
      const key = JSON.stringify([row.namespace, hour.getTime(), kind, name]);
      const sum = sums.get(key) ?? { namespace: row.namespace, hour, kind, name, agreed: 0, disagreed: 0 };
      sums.set(key, sum);
      sum[word === wordOf(outcome.verdict) ? 'agreed' : 'disagreed'] += 1;
    }
  }
  return [...sums.values()];
}
