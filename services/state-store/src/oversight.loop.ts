import type { EscalationState } from '@umpire/domain';
import { Loop, transaction, type Logger, type Sql } from '@umpire/runtime';
import { parseState } from './escalation.queries.ts';
import { agentWords, contentOf, readingWords, wordOf } from './oversight-content.ts';
import { addAgents, addAnswers, addEnds, moveCursor, pruneOversight, takeCursor, type AgentRow, type AnswerRow, type EndRow } from './oversight.queries.ts';
import { changedRows, payloadsOf, type ChangedRow } from './stats.queries.ts';

const ROWS = 200;
const EVERY_MS = 3_000;
const ROUND_MS = 30_000;
const HOUR_MS = 3_600_000;
/** Longer than the longest window, so that what is reversed in it is still known. */
const KEPT_DAYS = 100;
const PRUNED_ROWS = 1_000;

type Content = ReturnType<typeof contentOf>;
type Ended = ChangedRow & { settled_at: Date; domain: EscalationState };

/** Notes what people decided, and how fast, once an escalation has ended. Any number of replicas run it; whoever holds the cursor's row works. */
export class OversightLoop {
  private readonly sql: Sql;
  private readonly loop: Loop;

  constructor(sql: Sql, logger: Logger) {
    this.sql = sql;
    this.loop = new Loop({ name: 'oversight', intervalMs: EVERY_MS, runOnce: () => this.runOnce(), logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** @returns how many rows were read, or 0 once the end is reached: then it rests */
  runOnce(): Promise<number> {
    return transaction(this.sql, ROUND_MS, async (tx) => {
      const cursor = await takeCursor(tx);
      if (cursor === null) return 0;
      const rows = await changedRows(tx, cursor, ROWS);
      const last = rows.at(-1);
      if (last === undefined) {
        await pruneOversight(tx, KEPT_DAYS, PRUNED_ROWS);
        return 0;
      }
      await this.note(tx, rows.filter((row) => row.state !== null && row.settled_at !== null).map((row) => ({ ...row, settled_at: row.settled_at!, domain: parseState(row.state!) })));
      await moveCursor(tx, last);
      return rows.length < ROWS ? 0 : rows.length;
    });
  }

  private async note(tx: Parameters<typeof payloadsOf>[0], ended: Ended[]): Promise<void> {
    if (ended.length === 0) return;
    const added = new Set((await addEnds(tx, ended.map(endRow))).map(nameOf));
    const fresh = ended.filter((row) => added.has(nameOf(row)));
    if (fresh.length === 0) return;
    const contents = new Map((await payloadsOf(tx, fresh)).map((row) => [nameOf(row), contentOf(row.body)]));
    const answers = fresh.flatMap((row) => answerRows(row, contents.get(nameOf(row)) ?? null));
    if (answers.length > 0) await addAnswers(tx, answers);
    const agents = agentRows(fresh, contents);
    if (agents.length > 0) await addAgents(tx, agents);
  }
}

const nameOf = ({ namespace, request_id }: { namespace: string; request_id: string }): string => `${namespace}/${request_id}`;

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
    const hour = new Date(Math.floor(row.settled_at.getTime() / HOUR_MS) * HOUR_MS);
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
