import type { DeadLetter, EscalationEvent, Outcome } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import postgres from 'postgres';
import { readStream, readTexts } from '../../e2e/src/operator.ts';
import type { Received, Receiver } from '../../e2e/src/receiver.ts';
import type { Stack } from '../../e2e/src/stack.ts';
import type { Book, Entry } from './book.ts';

/** What an audit looks at, apart from the product: the book, and what receivers got. */
export type Audited = { stack: Stack; book: Book; prefix: string; receivers: Map<string, Receiver>; /** Takes nothing (422), and is given up on quickly. */ failing: Receiver };

export type Counts = Record<string, number>;

type EventRow = { namespace: string; request_id: string; seq: number; id: string; type: string; at: number };
type Sql = postgres.Sql;

const SETTLING = new Set(['resolved', 'expired', 'cancelled']);
const WEBHOOK_OF: Record<string, string> = {
  opened: 'hitl_escalation_required', resolved: 'hitl_escalation_resolved', expired: 'hitl_escalation_expired', cancelled: 'hitl_escalation_cancelled', reminded: 'hitl_escalation_reminder',
};
const SETTLE_MS = 150_000;
const EXAMPLES = 5;

/** Findings by promise (L, O, T, D, I, S of the design): how many, and a few of them. */
class Findings {
  private readonly found = new Map<string, string[]>();

  check(promise: string, held: boolean, example: () => string): void {
    if (held) return;
    const examples = this.found.get(promise) ?? [];
    this.found.set(promise, examples);
    examples.push(example());
  }

  get texts(): string[] {
    return [...this.found].map(([promise, examples]) => `${promise}: ${examples.length}, such as ${examples.slice(0, EXAMPLES).join('; ')}`);
  }
}

/**
 * Waits until nothing is under way any more, then compares all that was acknowledged with what can be seen from outside: tables,
 * streams, and what receivers got.
 * @returns the counts, and one line for each kind of broken promise
 */
export async function audit(audited: Audited): Promise<{ counts: Counts; findings: string[] }> {
  const sql = postgres(audited.stack.connection.postgres_url, { max: 1, onnotice: () => undefined });
  try {
    const unfinished = await waitUntilQuiet(sql, audited);
    const seen = await look(sql, audited);
    const findings = new Findings();
    for (const what of unfinished) findings.check('L never finished', false, () => what);
    nothingLost(audited, seen, findings);
    oneTransition(audited, seen, findings);
    const lateness = timers(audited, seen, findings);
    deliveries(audited, seen, findings);
    sameIds(audited, seen, findings);
    return { counts: { ...count(audited, seen), ...lateness }, findings: findings.texts };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** @returns what had not come to rest within the time; an audit then says what exactly is missing. */
async function waitUntilQuiet(sql: Sql, { stack, book, prefix, receivers }: Audited): Promise<string[]> {
  const like = `${prefix}/%`;
  const unfinished: string[] = [];
  const end = performance.now() + SETTLE_MS;
  const quiet = async (what: string, condition: () => Promise<boolean> | boolean) => {
    await eventually(what, condition, Math.max(5_000, end - performance.now())).catch((error: Error) => unfinished.push(`${what} ${error.cause ? String(error.cause) : ''}`));
  };
  const none = async (rows: Promise<readonly unknown[]>) => (await rows).length === 0;
  const acked = book.acked.length;
  await quiet('all stored and settled', async () => (await sql<{ n: number }[]>`select count(*)::int as n from store.escalations where request_id like ${like} and status <> 'pending'`)[0]!.n >= acked);
  await quiet('an empty outbox', () => none(sql`select 1 from store.outbox limit 1`));
  await quiet('no timers left', () => none(sql`select 1 from scheduler.timers where request_id like ${like} limit 1`));
  await quiet('every event fanned out', () => none(sql`
    select 1 from store.events e where e.request_id like ${like} and e.type in ('opened', 'resolved', 'expired', 'cancelled', 'reminded')
      and not exists (select 1 from notifier.messages m where m.event_id = e.id) limit 1`));
  await quiet('no delivery under way', () => none(sql`select 1 from notifier.deliveries where state = 'pending' limit 1`));
  await quiet('every dead letter', async () => poisonIn(await readStream<DeadLetter>(stack, 'HITL_REJECTED'), prefix).size >= book.poison.size);
  const rows = await sql<{ n: number }[]>`select count(*)::int as n from store.events where request_id like ${like} and type in ('opened', 'resolved', 'expired', 'cancelled', 'reminded')`;
  await quiet('every webhook received', () => distinct([...receivers.values()].flatMap((receiver) => receiver.received.map((webhook) => webhook.id))) >= rows[0]!.n);
  return unfinished;
}

type Seen = {
  rows: Map<string, { namespace: string; request_id: string; status: string; seq: number }>;
  events: Map<string, EventRow[]>;
  published: Map<string, EscalationEvent[]>;
  outcomes: Map<string, Outcome[]>;
  poison: Set<string>;
  deliveries: { endpoint_id: string; event_id: string; state: string }[];
  /** What each namespace's receiver got, by request id. */
  heard: Map<string, Map<string, Received[]>>;
};

async function look(sql: Sql, { stack, prefix, receivers }: Audited): Promise<Seen> {
  const like = `${prefix}/%`;
  const rows = await sql<{ namespace: string; request_id: string; status: string; seq: number }[]>`select namespace, request_id, status, seq from store.escalations where request_id like ${like}`;
  const events = await sql<EventRow[]>`
    select namespace, request_id, seq, id, type, (extract(epoch from occurred_at) * 1000)::float8 as at from store.events where request_id like ${like} order by namespace, request_id, seq`;
  const sent = await sql<Seen['deliveries']>`
    select d.endpoint_id, d.event_id, d.state from notifier.deliveries d join notifier.messages m using (event_id) where m.request_id like ${like}`;
  const ours = (id: string) => id.startsWith(`${prefix}/`);
  return {
    rows: new Map(rows.map((row) => [row.request_id, row])),
    events: Map.groupBy(events, (event) => event.request_id),
    published: Map.groupBy((await readable<EscalationEvent>(stack, 'HITL_EVENTS')).filter((event) => ours(event.request_id)), (event) => event.request_id),
    outcomes: Map.groupBy((await readable<Outcome>(stack, 'HITL_OUTCOMES')).filter((outcome) => ours(outcome.request_id)), (outcome) => outcome.request_id),
    poison: poisonIn(await readStream<DeadLetter>(stack, 'HITL_REJECTED'), prefix),
    deliveries: [...sent],
    heard: new Map([...receivers].map(([namespace, receiver]) => [namespace, Map.groupBy(receiver.received, (webhook) => webhook.requestId)])),
  };
}

/** What a stream holds, without what a case has put there for nobody to read. */
async function readable<T extends { request_id: string }>(stack: Stack, stream: string): Promise<T[]> {
  return (await readTexts(stack, stream)).flatMap((text) => {
    try {
      const value = JSON.parse(text) as Partial<T> | null;
      return typeof value?.request_id === 'string' ? [value as T] : [];
    } catch {
      return [];
    }
  });
}

function poisonIn(letters: DeadLetter[], prefix: string): Set<string> {
  return new Set(letters.map((letter) => Buffer.from(letter.original, 'base64').toString('utf8')).filter((text) => text.includes(`${prefix}/poison/`)));
}

/** L: what was acknowledged is there, in every place that it must reach. */
function nothingLost({ book }: Audited, seen: Seen, findings: Findings): void {
  for (const surprise of book.surprises) findings.check('L an answer that no client should get', false, () => surprise);
  for (const entry of book.acked) {
    const row = seen.rows.get(entry.id);
    findings.check('L acknowledged and not stored', row?.namespace === entry.namespace, () => `${entry.id} (${entry.kind}, ${entry.via})`);
    findings.check('L not settled', row === undefined || row.status !== 'pending', () => `${entry.id} (${entry.kind})`);
    const ids = new Set(seen.published.get(entry.id)?.map((event) => event.id));
    for (const event of seen.events.get(entry.id) ?? []) findings.check('L event not published', ids.has(event.id), () => `${entry.id} seq ${event.seq} ${event.type}`);
  }
  for (const text of book.poison) findings.check('L refused and not in the dead letters', seen.poison.has(text), () => text.slice(-40));
}

/** O: no gap in `seq`, one end, and everybody was told the same. */
function oneTransition({ book }: Audited, seen: Seen, findings: Findings): void {
  for (const entry of book.acked) {
    const events = seen.events.get(entry.id) ?? [];
    if (events.length === 0) continue;
    findings.check('O gap in seq', events.every((event, index) => event.seq === index + 1) && seen.rows.get(entry.id)?.seq === events.length, () => `${entry.id}: ${events.map((event) => event.seq)}`);
    findings.check('O not opened once', events.filter((event) => event.type === 'opened').length === 1, () => entry.id);
    const ends = events.filter((event) => SETTLING.has(event.type));
    findings.check('O not settled once', ends.length === 1, () => `${entry.id}: ${events.map((event) => event.type)}`);
    const outcomes = seen.outcomes.get(entry.id) ?? [];
    findings.check('O outcome not published', outcomes.length > 0, () => entry.id);
    findings.check('O outcomes differ', distinct(outcomes.map((outcome) => JSON.stringify(outcome))) <= 1 && outcomes.every((outcome) => outcome.id === ends[0]?.id), () => entry.id);
    if (outcomes[0]) findings.check('O not the outcome that it should have', isRight(entry, outcomes[0]), () => `${entry.id} (${entry.kind}): ${outcomes[0]!.state} ${outcomes[0]!.source} ${outcomes[0]!.verdict}, accepted ${entry.accepted?.state ?? '-'}`);
  }
}

function isRight(entry: Entry, outcome: Outcome): boolean {
  const { state, source, verdict } = outcome;
  if (entry.accepted) return state === 'completed' && source === 'human' && verdict === entry.verdict && (entry.accepted.outcome === undefined || entry.accepted.outcome.id === outcome.id);
  switch (entry.kind) {
    case 'decided': return false;
    case 'defaulted': return state === 'completed' && source === 'timeout' && verdict === 'reject';
    case 'expired': return state === 'expired' && source === 'timeout' && verdict === null;
    // Refused: the deadline had it, and the refusal told of this outcome. Not answered (the reviewer's client had no end): either.
    case 'raced': return entry.refusedWith === null ? source === 'human' || (state === 'expired' && source === 'timeout') : state === 'expired' && source === 'timeout' && entry.refusedWith?.id === outcome.id;
    case 'cancelled': return state === 'cancelled' && source === 'cancel';
  }
}

/** T: nothing before its time, and once. Lateness is told, not judged: what is broken cannot be on time. */
function timers({ book }: Audited, seen: Seen, findings: Findings): Counts {
  const lateness: number[] = [];
  let early = 0;
  let reminded = 0;
  for (const entry of book.acked) {
    const events = seen.events.get(entry.id) ?? [];
    const opened = events.find((event) => event.type === 'opened');
    if (!opened || entry.timeoutMs === null) continue;
    const deadline = opened.at + entry.timeoutMs;
    const end = events.find((event) => SETTLING.has(event.type));
    if (end && seen.outcomes.get(entry.id)?.[0]?.source === 'timeout') {
      lateness.push(end.at - deadline);
      early += Number(end.at < deadline);
      findings.check('T fired early', end.at >= deadline, () => `${entry.id} by ${deadline - end.at} ms`);
    } else if (end) findings.check('T decided after the deadline', end.at < deadline, () => `${entry.id} by ${end.at - deadline} ms`);
    const reminders = events.filter((event) => event.type === 'reminded');
    reminded += reminders.length;
    findings.check('T reminded twice', reminders.length <= 1, () => entry.id);
    for (const reminder of reminders) {
      early += Number(reminder.at < deadline - (entry.reminderMs ?? 0));
      findings.check('T reminded early', reminder.at >= deadline - (entry.reminderMs ?? 0), () => entry.id);
    }
  }
  lateness.sort((a, b) => a - b);
  return { fired: lateness.length, reminded, early, lateMsP50: Math.round(lateness[lateness.length >> 1] ?? 0), lateMsMax: Math.round(lateness.at(-1) ?? 0) };
}

/** D: every event at every endpoint ended, and where it was delivered, the receiver has it. */
function deliveries({ book, receivers, failing }: Audited, seen: Seen, findings: Findings): void {
  const byEvent = Map.groupBy(seen.deliveries, (delivery) => delivery.event_id);
  for (const entry of book.acked) {
    const receiver = receivers.get(entry.namespace)!;
    const got = new Set(seen.heard.get(entry.namespace)!.get(entry.id)?.map((webhook) => webhook.id));
    for (const event of seen.events.get(entry.id) ?? []) {
      if (!WEBHOOK_OF[event.type]) continue;
      const rows = byEvent.get(event.id) ?? [];
      const own = rows.filter((row) => row.endpoint_id === receiver.id);
      findings.check('D no delivery, or two', own.length === 1, () => `${entry.id} ${event.type}: ${own.length}`);
      findings.check('D not delivered', own.every((row) => row.state === 'delivered'), () => `${entry.id} ${event.type}: ${own.map((row) => row.state)}`);
      findings.check('D delivered, and the receiver has nothing', got.has(event.id), () => `${entry.id} ${event.type}`);
      if (entry.namespace !== 'default' || event.type !== 'opened') continue;
      const failed = rows.filter((row) => row.endpoint_id === failing.id);
      findings.check('D not visibly failed at the endpoint that always fails', failed.length === 1 && failed[0]!.state === 'failed', () => `${entry.id}: ${failed.map((row) => row.state)}`);
    }
  }
}

/** S: one id for one event wherever it is heard, and every signature valid. */
function sameIds({ book, receivers, failing }: Audited, seen: Seen, findings: Findings): void {
  for (const receiver of [...receivers.values(), failing]) for (const fault of receiver.faults) findings.check('S webhook not valid', false, () => fault);
  for (const entry of book.acked) {
    const events = seen.events.get(entry.id) ?? [];
    const bySeq = new Map(events.map((event) => [event.seq, event]));
    for (const event of seen.published.get(entry.id) ?? []) {
      findings.check('S published event under another id', bySeq.get(event.seq)?.id === event.id && bySeq.get(event.seq)?.type === event.type, () => `${entry.id} seq ${event.seq}`);
    }
    for (const webhook of seen.heard.get(entry.namespace)!.get(entry.id) ?? []) {
      const event = bySeq.get(webhook.seq);
      findings.check('S webhook under another id', event?.id === webhook.id && WEBHOOK_OF[event.type] === webhook.event, () => `${entry.id} seq ${webhook.seq} ${webhook.event}`);
    }
  }
}

function count({ book, receivers }: Audited, seen: Seen): Counts {
  const events = [...seen.events.values()].flat();
  const ends = (source: string) => [...seen.outcomes.values()].filter(([outcome]) => outcome!.source === source).length;
  const webhooks = [...receivers.values()].flatMap((receiver) => receiver.received);
  const published = [...seen.published.values()].flat();
  return {
    acked: book.acked.length, retries: book.retries, stored: seen.rows.size, opened: events.filter((event) => event.type === 'opened').length,
    resolved: events.filter((event) => SETTLING.has(event.type)).length, outcomes: seen.outcomes.size,
    byHuman: ends('human'), byTimeout: ends('timeout'), byCancel: ends('cancel'), deadLetters: seen.poison.size,
    events: events.length, publishedTwice: published.length - distinct(published.map((event) => event.id)),
    webhooks: webhooks.length, webhooksTwice: webhooks.length - distinct(webhooks.map((webhook) => webhook.id)),
    gaps: [...seen.events.values()].filter((log) => log.some((event, index) => event.seq !== index + 1)).length,
  };
}

const distinct = (values: string[]) => new Set(values).size;
