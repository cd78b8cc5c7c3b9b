import { decodeUtf8 } from '@umpire/contract';
import { inSlices, type Logger, type Sql, type Tx } from '@umpire/runtime';
import { bodiesOf, ChangesLoop, endedOf, hourOf, nameOf, type Ended } from './changes.loop.ts';
import type { ChangedRow } from './changes.queries.ts';
import { addHours, addOpenings, addPeople, BOUNDS, countEnded, countOpened, type HourRow, type OpeningRow, type PersonRow } from './stats.queries.ts';

/** Counts what was opened and what has ended. */
export class StatsLoop extends ChangesLoop {
  constructor(sql: Sql, logger: Logger) {
    super({ name: 'stats', cursor: 'stats_position', rows: 200, sql, logger });
  }

  protected async take(tx: Tx, rows: ChangedRow[]): Promise<void> {
    const counted = new Set((await countOpened(tx, rows)).map(nameOf));
    const opened = rows.filter((row) => counted.has(nameOf(row)));
    if (opened.length > 0) await addOpenings(tx, openingRows(opened));
    const ended = await endedOf(rows);
    const added = new Set((ended.length === 0 ? [] : await countEnded(tx, ended)).map(nameOf));
    const fresh = ended.filter((row) => added.has(nameOf(row)));
    if (fresh.length === 0) return;
    const bodies = await bodiesOf(tx, fresh.filter((row) => row.kind === 'escalation' && row.domain.outcome?.source === 'human'));
    await addHours(tx, hourRows(fresh, await agentWords(bodies)));
    const people = personRows(fresh);
    if (people.length > 0) await addPeople(tx, people);
  }
}

/** What most agents had decided, by escalation; nothing where they tie or the content is gone. */
async function agentWords(bodies: Map<string, Uint8Array | null>): Promise<Map<string, string>> {
  const words = await inSlices(bodies, ([name, body]): [string, string | null] => [name, body === null ? null : majorityWord(body)]);
  return new Map(words.filter((entry): entry is [string, string] => entry[1] !== null));
}

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
