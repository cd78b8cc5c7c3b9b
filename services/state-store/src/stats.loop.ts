import { decodeUtf8 } from '@umpire/contract';
import type { EscalationState } from '@umpire/domain';
import { Loop, transaction, type Logger, type Sql } from '@umpire/runtime';
import { parseState } from './escalation.queries.ts';
import { addHour, addOpenings, addPerson, changedRows, countEnded, countOpened, moveCursor, payloadsOf, takeCursor, type ChangedRow, type HourRow, type OpeningRow, type PersonRow } from './stats.queries.ts';

const ROWS = 500;
const EVERY_MS = 3_000;
const ROUND_MS = 30_000;
const HOUR_MS = 3_600_000;

/** Upper bounds of the times that are counted together, seconds; beyond the last is one more. */
export const BOUNDS = [10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400] as const;

type Ended = ChangedRow & { settled_at: Date; domain: EscalationState };

/** Counts what was opened and what has ended. Any number of replicas run it; whoever holds the cursor's row works. */
export class StatsLoop {
  private readonly sql: Sql;
  private readonly loop: Loop;

  constructor(sql: Sql, logger: Logger) {
    this.sql = sql;
    this.loop = new Loop({ name: 'stats', intervalMs: EVERY_MS, runOnce: () => this.runOnce(), logger });
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
      if (last === undefined) return 0;
      const ended = rows.filter((row) => row.state !== null && row.settled_at !== null).map((row) => ({ ...row, settled_at: row.settled_at!, domain: parseState(row.state!) }));
      const opened = new Set((await countOpened(tx, rows)).map(nameOf));
      if (opened.size > 0) await addOpenings(tx, openingRows(rows.filter((row) => opened.has(nameOf(row)))));
      const added = new Set((ended.length === 0 ? [] : await countEnded(tx, ended)).map(nameOf));
      const fresh = ended.filter((row) => added.has(nameOf(row)));
      const agents = await this.agentWords(tx, fresh.filter((row) => row.kind === 'escalation' && row.domain.outcome?.source === 'human'));
      for (const row of hourRows(fresh, agents)) await addHour(tx, row);
      for (const row of personRows(fresh)) await addPerson(tx, row);
      await moveCursor(tx, last);
      return rows.length < ROWS ? 0 : rows.length;
    });
  }

  /** What most agents had decided, by escalation; nothing where they tie or the content is gone. */
  private async agentWords(tx: Parameters<typeof payloadsOf>[0], rows: Ended[]): Promise<Map<string, string>> {
    if (rows.length === 0) return new Map();
    const found = (await payloadsOf(tx, rows)).map((row): [string, string | null] => [nameOf(row), row.body === null ? null : majorityWord(row.body)]);
    return new Map(found.filter((entry): entry is [string, string] => entry[1] !== null));
  }
}

const nameOf = ({ namespace, request_id }: { namespace: string; request_id: string }): string => `${namespace}/${request_id}`;
const hourOf = (at: Date): Date => new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);
const word = (value: unknown): string => String(value).trim().toLowerCase();

/** @param body a HITLRequest as it came; what cannot be read has no majority, and must not hold up the rest */
export function majorityWord(body: Uint8Array): string | null {
  const counts = new Map<string, number>();
  for (const value of decisionsIn(body)) counts.set(word(value), (counts.get(word(value)) ?? 0) + 1);
  const [first, second] = [...counts].sort((a, b) => b[1] - a[1]);
  return first === undefined || first[1] === second?.[1] ? null : first[0];
}

function decisionsIn(body: Uint8Array): unknown[] {
  try {
    const { agent_decisions: decisions } = JSON.parse(decodeUtf8(body)) as { agent_decisions?: unknown };
    return Array.isArray(decisions) ? decisions.map((one: { decision_value?: unknown } | null) => one?.decision_value) : [];
  } catch {
    return [];
  }
}

function openingRows(rows: ChangedRow[]): OpeningRow[] {
  const sums = new Map<string, OpeningRow>();
  for (const { namespace, reason, opened_at } of rows) {
    const hour = hourOf(opened_at);
    const key = `${namespace}/${hour.getTime()}/${reason}`;
    const sum = sums.get(key) ?? { namespace, hour, reason, opened: 0 };
    sums.set(key, sum);
    sum.opened += 1;
  }
  return [...sums.values()];
}

function hourRows(rows: Ended[], agents: Map<string, string>): HourRow[] {
  const sums = new Map<string, HourRow>();
  for (const row of rows) {
    const hour = hourOf(row.settled_at);
    const source = row.domain.outcome?.source ?? 'cancel';
    const key = `${row.namespace}/${hour.getTime()}/${row.reason}/${source}`;
    const sum = sums.get(key) ?? { namespace: row.namespace, hour, reason: row.reason, source, ended: 0, seconds: 0, histogram: Array.from({ length: BOUNDS.length + 1 }, () => 0), raised: 0, agreed: 0, disagreed: 0 };
    sums.set(key, sum);
    const seconds = Math.max(0, row.settled_at.getTime() - row.opened_at.getTime()) / 1_000;
    const place = BOUNDS.findIndex((bound) => seconds <= bound);
    sum.ended += 1;
    sum.seconds += seconds;
    sum.histogram[place < 0 ? BOUNDS.length : place]! += 1;
    if (row.level > 0) sum.raised += 1;
    const said = agents.get(nameOf(row));
    const options = row.domain.rules.options.map((option) => word(typeof option === 'string' ? option : option.value));
    // Agreement means something only where the agents' word is one that people could have chosen.
    if (said !== undefined && options.includes(said)) sum[said === word(row.domain.outcome!.verdict) ? 'agreed' : 'disagreed'] += 1;
  }
  return [...sums.values()];
}

function personRows(rows: Ended[]): PersonRow[] {
  const sums = new Map<string, PersonRow>();
  for (const row of rows) {
    for (const vote of row.domain.votes) {
      const hour = hourOf(row.settled_at);
      const key = `${row.namespace}/${hour.getTime()}/${vote.user_id}`;
      const sum = sums.get(key) ?? { namespace: row.namespace, hour, user_id: vote.user_id, votes: 0, seconds: 0 };
      sums.set(key, sum);
      sum.votes += 1;
      sum.seconds += Math.max(0, vote.at - row.opened_at.getTime()) / 1_000;
    }
  }
  return [...sums.values()];
}
