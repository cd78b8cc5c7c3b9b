import { isUtf8 } from 'node:buffer';
import { UmpireError, type SubmitItem, type Verdict } from '@umpire/contract';
import { evolve, openEscalation, type Actor, type Electorate, type SameTask } from '@umpire/domain';
import { CHAIN_START, hexOf, saltedDigest } from '@umpire/record';
import { Batcher, counter, databaseNow, histogram, inBatch, isDataError, Loop, postgresStep, PresumedClock, withDeadline, type Logger, type Sql, type TraceContext } from '@umpire/runtime';
import { findSubmissions, insertEscalations, parseState, type Key, type NewEscalation } from './escalation.queries.ts';
import { newSalt, recordEvent } from './event-record.ts';
import type { OutboxItem } from './outbox.queries.ts';
import { SameTasks } from './same-task.service.ts';
import { deleteTombstone, findGroupMembers, findMissedTombstones, findTombstones, hasTombstones, insertTombstone, pruneTombstones } from './submit.queries.ts';
import { keyOf, outboxItem, type Transitions } from './transition.service.ts';

export type Submission = { item: SubmitItem; body: Uint8Array };
/** `trace` is what everything that becomes of it goes on from. */
type Opening = { item: Extract<SubmitItem, { type: 'escalation' | 'interaction' }>; body: Uint8Array; trace?: TraceContext };

const STATEMENT_MS = 12_000;
/** With a payload and rules of 256 KiB each, the `opened` event still fits NATS's 1 MiB. */
const ELECTORATE_BYTES = 192 * 1024;
/** As long as a statement waits for its turn on a busy server: what was presumed is then as old as what was read before it. */
const PRESUMED_MS = 1_000;

const PRODUCER: Actor = { kind: 'producer', id: 'stream', user_id: null, roles: ['producer'], auth: 'nats' };

const verdicts = counter('umpire_store_submissions_total', 'Submissions by verdict and reason', ['status', 'reason']);
const batchSize = histogram('umpire_store_submit_batch_items', 'Submissions stored by one statement', [], [1, 2, 5, 10, 25, 50, 100, 150, 300]);
const storedBefore = counter('umpire_store_submissions_stored_before_total', 'Submissions that an earlier try had stored; if it came to its end then, the sweeper publishes their events');
const presumedWrongly = counter('umpire_store_clock_presumed_wrongly_total', 'Batches of openings that were made anew, since the database\'s clock showed another time than it was presumed to');

/** Opens what intake hands over, and cancels what producers take back. Answers a verdict for every submission. */
export class Submissions {
  private readonly sql: Sql;
  /** Those that no batch is using. */
  private readonly lanes: Sql[];
  private readonly clock: PresumedClock;
  private readonly transitions: Transitions;
  private readonly logger: Logger;
  private readonly sameTasks: SameTasks;
  private readonly committed: (items: OutboxItem[]) => void;
  private readonly batcher: Batcher<Opening, Verdict>;
  private readonly pruner: Loop;

  /**
   * @param lanes pools of one connection each: so many batches are stored at once
   */
  constructor({ sql, lanes, transitions, logger, clock = new PresumedClock(), committed }: {
    sql: Sql; lanes: Sql[]; transitions: Transitions; logger: Logger; clock?: PresumedClock; committed: (items: OutboxItem[]) => void;
  }) {
    this.sql = sql;
    this.lanes = [...lanes];
    this.clock = clock;
    this.logger = logger;
    this.transitions = transitions;
    this.sameTasks = new SameTasks(sql, transitions);
    this.committed = committed;
    this.batcher = new Batcher((openings) => this.openBatch(openings), { items: 300, size: 2 * 1024 * 1024, lanes: lanes.length, patienceMs: 50 });
    this.pruner = new Loop({ name: 'tombstone-pruner', intervalMs: 60_000, logger, runOnce: () => this.tidyTombstones() });
  }

  start(): void {
    this.pruner.start();
  }

  async stop(): Promise<void> {
    await this.pruner.stop();
  }

  /**
   * Handles one request's submissions. Runs of openings go together with whatever else has arrived; a cancel, or an id that
   * the run already holds, waits for what stands before it.
   * @throws when the database cannot be asked: nothing is known then, and intake asks again
   */
  async submit(submissions: Submission[]): Promise<Verdict[]> {
    const results: Verdict[] = [];
    let run: Promise<Verdict>[] = [];
    let seen = new Set<string>();
    const finishRun = async () => {
      results.push(...(await Promise.all(run)));
      run = [];
      seen = new Set();
    };
    for (const { item, body } of submissions) {
      if (item.type === 'cancel' || seen.has(keyOf(item))) await finishRun();
      if (item.type === 'cancel') results.push(await this.cancel(item, item.detail, PRODUCER, item.trace));
      else {
        seen.add(keyOf(item));
        run.push(this.batcher.add({ item, body }, body.length));
      }
    }
    await finishRun();
    submissions.forEach(({ item }, index) => verdicts.inc({ status: results[index]!.status, reason: item.reason }));
    return results;
  }

  /**
   * Cancels for the producer. An id that is not there yet is marked, so that its later submit opens and cancels; looking again
   * after the mark is committed closes the race with a submit that looks for marks after its own commit.
   */
  async cancel(key: Key, detail: string | null, actor: Actor = PRODUCER, trace?: TraceContext): Promise<Verdict> {
    const first = await this.tryCancel(key, detail, actor, trace);
    if (first) return first;
    await withDeadline(insertTombstone(this.sql, key, detail), STATEMENT_MS, 'tombstone insert');
    const second = await this.tryCancel(key, detail, actor, trace);
    if (!second) return { request_id: key.request_id, status: 'tombstoned' };
    await withDeadline(deleteTombstone(this.sql, key), STATEMENT_MS, 'tombstone delete');
    return second;
  }

  private async tryCancel(key: Key, detail: string | null, actor: Actor, trace?: TraceContext): Promise<Verdict | null> {
    const executed = await this.transitions.execute({ namespace: key.namespace, request_id: key.request_id, trace, command: { type: 'cancel', actor, ...(detail === null ? {} : { detail }) } });
    if (!executed) return null;
    const { decision, outcome } = executed;
    const cancelled = !decision.refusal || outcome?.state === 'cancelled';
    return { request_id: key.request_id, status: cancelled ? 'cancelled' : 'late', ...(outcome ? { outcome } : {}) };
  }

  private async openBatch(openings: Opening[]): Promise<Verdict[]> {
    // Requests of several intakes may carry one id twice; the second waits for the first's row.
    const firsts = new Map<string, number>();
    openings.forEach(({ item }, index) => firsts.has(keyOf(item)) || firsts.set(keyOf(item), index));
    const leading = openings.filter(({ item }, index) => firsts.get(keyOf(item)) === index);
    const rest = openings.filter(({ item }, index) => firsts.get(keyOf(item)) !== index);
    const leadingVerdicts = await inBatch('store open', leading.map(({ item }) => item.trace), { kind: 'server' }, (traces) =>
      this.openBisecting(leading.map((opening, index) => ({ ...opening, trace: traces[index] }))));
    const restVerdicts = rest.length > 0 ? await this.openBatch(rest) : [];
    return openings.map((opening) => {
      const position = leading.indexOf(opening);
      return position >= 0 ? leadingVerdicts[position]! : restVerdicts[rest.indexOf(opening)]!;
    });
  }

  /** One bad row never sinks its batch: on a data error the batch is halved until the row stands alone and is rejected. */
  private async openBisecting(openings: Opening[]): Promise<Verdict[]> {
    try {
      return await this.open(openings);
    } catch (error) {
      const local = error instanceof UmpireError && error.code === 'invalid';
      if (!isDataError(error) && !local) throw error;
      if (openings.length > 1) {
        const middle = openings.length >> 1;
        return [...(await this.openBisecting(openings.slice(0, middle))), ...(await this.openBisecting(openings.slice(middle)))];
      }
      const message = local ? (error as Error).message : `the store cannot keep it: ${(error as Error).message}`;
      return [{ request_id: openings[0]!.item.request_id, status: 'rejected', errors: local ? (error as UmpireError).errors : [{ path: '', code: 'unstorable', message }] }];
    }
  }

  private async open(openings: Opening[]): Promise<Verdict[]> {
    const groups = await this.membersOf(openings);
    const earlier = await this.earlierResponders(openings);
    const sameTasks = await this.sameTasks.earlier(openings.map(({ item }) => item));
    const preparedAt = (now: number) => openings.map((opening, index) => prepare(opening, now, groups, { responders: earlier[index]!, sameTask: sameTasks[index] }));
    const { items, opened, anyTombstones } = await this.insert(preparedAt);
    const fresh = new Set(opened.map(keyOf));
    const freshItems = items.filter((item) => fresh.has(keyOf(item.state)));
    this.committed(freshItems.map((item) => outboxItem(item.event, item.state, item.trace, item.payload)));
    const taken = openings.filter(({ item }) => !fresh.has(keyOf(item)));
    const known = new Map(taken.length === 0 ? [] : (await withDeadline(findSubmissions(this.sql, taken.map(({ item }) => item)), STATEMENT_MS, 'submissions')).map((row) => [keyOf(row), row]));
    storedBefore.inc(taken.filter(({ item }) => known.get(keyOf(item))?.submission === item.submission).length);
    if (anyTombstones) await this.honourTombstones(openings.map(({ item }) => item));
    await this.sameTasks.settle(openings.map(({ item }) => item).filter((item) => fresh.has(keyOf(item)) || known.get(keyOf(item))?.submission === item.submission));
    return openings.map(({ item }): Verdict => {
      if (fresh.has(keyOf(item))) return { request_id: item.request_id, status: 'stored' };
      const before = known.get(keyOf(item));
      if (!before) throw new UmpireError('unavailable', 'a row vanished while it was looked at');
      if (before.submission === item.submission) return { request_id: item.request_id, status: 'stored' };
      return { request_id: item.request_id, status: before.content_digest === item.content_digest ? 'duplicate' : 'conflict' };
    });
  }

  /**
   * Stores them as of the time that the database's clock must show; if it shows another, as of that.
   * @returns what was stored, and whether any id was cancelled before it came
   * @throws UmpireError `unavailable` if the clock was set, or the statement had to wait, after the time was read: nothing was stored
   */
  private async insert(preparedAt: (now: number) => NewEscalation[]): Promise<{ items: NewEscalation[]; opened: Key[]; anyTombstones: boolean }> {
    const presumed = this.clock.presume();
    const at = presumed ?? await withDeadline(databaseNow(this.sql), STATEMENT_MS, 'database clock');
    const items = preparedAt(at);
    const [{ inTime, opened }, anyTombstones] = await postgresStep('insert escalations', () => this.insertAndLook(items, { at, withinMs: presumed === null ? STATEMENT_MS : PRESUMED_MS }));
    if (inTime) {
      batchSize.observe(items.length);
      return { items, opened, anyTombstones };
    }
    this.clock.forget();
    if (presumed === null) throw new UmpireError('unavailable', 'the database came to it too late');
    presumedWrongly.inc();
    return this.insert(preparedAt);
  }

  /**
   * Tombstones are looked for behind the insert, so after its commit: what is sent on one connection is done in turn, each in a transaction of
   * its own, for one round trip. (A statement that a migration made the server plan anew is sent again by the driver, behind the look: what is
   * missed then the tombstone pruner finds.) A lane whose statements were given up is not taken again while they hang.
   */
  private async insertAndLook(items: NewEscalation[], time: { at: number; withinMs: number }) {
    const lane = this.lanes.pop();
    const insert = async (sql: Sql) => {
      const inserted = await insertEscalations(sql, items, time);
      this.clock.learn(inserted.now);
      return inserted;
    };
    if (lane === undefined) {
      const inserted = await withDeadline(insert(this.sql), STATEMENT_MS, 'insert of escalations');
      return [inserted, await withDeadline(hasTombstones(this.sql), STATEMENT_MS, 'tombstones')] as const;
    }
    const both = [insert(lane), hasTombstones(lane)] as const;
    void Promise.allSettled(both).then(() => this.lanes.push(lane));
    return withDeadline(Promise.all(both), STATEMENT_MS, 'insert of escalations');
  }

  private async honourTombstones(keys: Key[]): Promise<void> {
    await this.cancelMarked(await withDeadline(findTombstones(this.sql, keys), STATEMENT_MS, 'tombstones'));
  }

  private async cancelMarked(marked: (Key & { detail: string | null })[]): Promise<void> {
    for (const mark of marked) await this.cancelOneMarked(mark);
  }

  private async cancelOneMarked({ namespace, request_id, detail }: Key & { detail: string | null }): Promise<void> {
    await this.tryCancel({ namespace, request_id }, detail, PRODUCER);
    await withDeadline(deleteTombstone(this.sql, { namespace, request_id }), STATEMENT_MS, 'tombstone delete');
  }

  /** What nobody came for in a day goes. What a store that ended between commit and look left behind is cancelled, unless a delivery was first. */
  private async tidyTombstones(): Promise<number> {
    const pruned = await withDeadline(pruneTombstones(this.sql, 1_000), STATEMENT_MS, 'tombstone prune');
    const missed = await withDeadline(findMissedTombstones(this.sql, 100), STATEMENT_MS, 'tombstones');
    // One that cannot be cancelled keeps no other.
    for (const mark of missed) await this.cancelOneMarked(mark).catch((error: unknown) => this.logger.error({ err: error, namespace: mark.namespace, request_id: mark.request_id }, 'tombstone_not_honoured'));
    return pruned;
  }

  private async membersOf(openings: Opening[]): Promise<Map<string, string[]>> {
    const wanted = new Map<string, { namespace: string; name: string }>();
    for (const { item } of openings) {
      const names = [...item.rules.assignees.groups, ...item.rules.levels.flatMap((level) => level.assignees.groups)];
      for (const name of names) wanted.set(`${item.namespace}/${name}`, { namespace: item.namespace, name });
    }
    const members = new Map([...wanted.keys()].map((key): [string, string[]] => [key, []]));
    if (wanted.size === 0) return members;
    for (const row of await withDeadline(findGroupMembers(this.sql, [...wanted.values()]), STATEMENT_MS, 'group members')) {
      members.get(`${row.namespace}/${row.group_name}`)!.push(row.user_id);
    }
    return members;
  }

  /** Four-eyes over a resubmission: who answered what it revises may not decide it. */
  private async earlierResponders(openings: Opening[]): Promise<string[][]> {
    if (!openings.some(({ item }) => item.rules.revises !== undefined)) return openings.map(() => []);
    return Promise.all(openings.map(async ({ item }) => {
      if (item.rules.revises === undefined) return [];
      const [row] = await withDeadline(this.sql<{ state: string }[]>`
        select convert_from(state, 'UTF8') as state from store.escalations where namespace = ${item.namespace} and request_id = ${item.rules.revises}`.execute(), STATEMENT_MS, 'earlier responders');
      if (!row) return [];
      const state = parseState(row.state);
      return state.responders;
    }));
  }
}

const DIGEST = /^[0-9a-f]{64}$/;

type Earlier = { responders: string[]; sameTask: SameTask | undefined };

function prepare({ item, body, trace }: Opening, now: number, groups: Map<string, string[]>, earlier: Earlier): NewEscalation {
  const expand = (assignees: { users: string[]; groups: string[]; roles: string[] }): Electorate => ({
    users: [...new Set([...assignees.users, ...assignees.groups.flatMap((name) => groups.get(`${item.namespace}/${name}`) ?? [])])],
    roles: assignees.roles,
  });
  const electorate = expand(item.rules.assignees);
  if (electorate.users.length === 0 && electorate.roles.length === 0) {
    const message = 'nobody could decide it: the groups it is assigned to have no members';
    throw new UmpireError('invalid', message, { errors: [{ path: 'interaction.assignees', code: 'empty_electorate', message }] });
  }
  const levels = item.rules.levels.map((level) => expand(level.assignees));
  const people = Buffer.byteLength(JSON.stringify([electorate, levels]));
  if (people > ELECTORATE_BYTES) {
    const message = `its groups name too many people for one escalation (${people} bytes, ${ELECTORATE_BYTES} at most): assign a role instead`;
    throw new UmpireError('invalid', message, { errors: [{ path: 'interaction.assignees', code: 'electorate_too_large', message }] });
  }
  // Bodies travel as one text: half a character at the end of one could be made whole by the next.
  if (!isUtf8(body)) {
    const message = 'the payload is not UTF-8';
    throw new UmpireError('invalid', message, { errors: [{ path: '', code: 'malformed_json', message }] });
  }
  if (!DIGEST.test(item.content_digest)) {
    const message = 'its content digest is not 32 bytes in hex';
    throw new UmpireError('invalid', message, { errors: [{ path: '', code: 'bad_request', message }] });
  }
  const salt = newSalt();
  const digest = saltedDigest(salt, body);
  const event = openEscalation({
    namespace: item.namespace,
    request_id: item.request_id,
    reason: item.reason,
    kind: item.type,
    rules: item.rules,
    policy: item.policy,
    electorate,
    levels,
    earlier_responders: earlier.responders,
    ...(earlier.sameTask ? { same_task: earlier.sameTask } : {}),
    ...(item.pipeline_name === null ? {} : { pipeline_name: item.pipeline_name }),
    ...(item.step_name === null ? {} : { step_name: item.step_name }),
  }, now);
  // The chain covers the payload through its salted digest.
  event.data['payload_digest'] = hexOf(digest);
  const state = evolve(null, event);
  return {
    state,
    event: recordEvent(state, event, CHAIN_START),
    payload: body,
    payload_seal: hexOf(salt) + hexOf(digest) + item.content_digest,
    submission: item.submission,
    trace,
    task_id: item.task_id,
    summary: item.summary,
  };
}
