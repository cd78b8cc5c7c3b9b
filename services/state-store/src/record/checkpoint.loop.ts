import { setImmediate as otherWork } from 'node:timers/promises';
import { CHECKPOINT_TYP, checkpointDigest, hexOf, inOrderOfIds, leafOf, MerkleRoot, type Checkpoint } from '@umpire/record';
import { counter, databaseNow, delay, gauge, Loop, transaction, type Logger, type Sql, type Tx } from '@umpire/runtime';
import { logHead, namespacesWithNewEntries } from './audit-log.queries.ts';
import { countChanged, grownChains, insertCheckpoint, isOver, lastCheckpoint, moveCheckpointCursor, nextXid, sealingAge, takeCheckpointCursor, type GrownChain } from './checkpoint.queries.ts';
import type { Signer, SigningKeys } from './signing-keys.service.ts';

const LOOK_EVERY_MS = 5_000;
const ROUND_MS = 30_000;
const SETTLE_MS = 5_000;
const SETTLE_STEP_MS = 20;
/** Chains that are hashed in one go: while five thousand were, nothing else was decided. */
const AT_ONCE = 250;

const sealedEvents = counter('umpire_store_sealed_events_total', 'Events sealed by a checkpoint', ['namespace']);
const checkpoints = counter('umpire_store_checkpoints_total', 'Checkpoints made', ['namespace']);
const age = gauge('umpire_store_checkpoint_age_seconds', 'How long ago the record was last sealed, or found to be: it rises where sealing fails');

export type CheckpointRules = { everySeconds: number; chains: number };

/**
 * Makes checkpoints: every so often, and at once where many chains have grown. Any number of replicas run it; whoever holds the
 * cursor's row works. A checkpoint seals what lies below the oldest running transaction: what commits later is in the next.
 */
export class Checkpoints {
  private readonly sql: Sql;
  private readonly keys: SigningKeys;
  private readonly rules: CheckpointRules;
  private readonly logger: Logger;
  private readonly loop: Loop;

  constructor(sql: Sql, keys: SigningKeys, rules: CheckpointRules, logger: Logger) {
    this.sql = sql;
    this.keys = keys;
    this.rules = rules;
    this.logger = logger;
    this.loop = new Loop({ name: 'checkpoints', intervalMs: LOOK_EVERY_MS, runOnce: () => this.runOnce(), logger });
  }

  start(): void {
    if (this.keys.configured) this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** @returns how many chains were sealed if there may be more; 0 to rest */
  async runOnce(): Promise<number> {
    // Before anything that may fail: that nothing is sealed is what the age is there to tell.
    age.set(await sealingAge(this.sql));
    return this.round(false);
  }

  /**
   * Seals everything there is to seal, whatever the time: what has been committed by now lies below every transaction that begins later, once
   * those that run now are over. One that goes on for longer than a few seconds is not waited for.
   * @throws UmpireError `unavailable` where nothing can be signed
   */
  async sealAll(): Promise<void> {
    const end = await nextXid(this.sql);
    for (let waited = 0; waited < SETTLE_MS && !(await isOver(this.sql, end)); waited += SETTLE_STEP_MS) await delay(SETTLE_STEP_MS);
    while ((await this.round(true)) > 0) continue;
  }

  private async round(now: boolean): Promise<number> {
    const signer = await this.keys.signer();
    const { made, more } = await transaction(this.sql, ROUND_MS, async (tx) => {
      const cursor = await takeCheckpointCursor(tx, now);
      if (cursor === null) return NOTHING;
      const due = now || cursor.idle_seconds >= this.rules.everySeconds || (await countChanged(tx, cursor, this.rules.chains)) === this.rules.chains;
      if (!due) return NOTHING;
      const rows = await grownChains(tx, cursor, this.rules.chains);
      const grown = Map.groupBy(rows.filter((row) => row.seq > row.after_seq), (row) => row.namespace);
      for (const { namespace } of await namespacesWithNewEntries(tx)) if (!grown.has(namespace)) grown.set(namespace, []);
      const at = new Date(await databaseNow(tx)).toISOString();
      const sealed: Made[] = [];
      for (const [namespace, chains] of grown) sealed.push(await seal(tx, signer, { namespace, chains, at }));
      const last = rows.at(-1);
      await moveCheckpointCursor(tx, last ?? null);
      return { made: sealed, more: rows.length < this.rules.chains ? 0 : rows.length };
    });
    for (const one of made) this.tell(one);
    return more;
  }

  /** The log is a witness that whoever changes the database does not reach: a record made anew has other digests than it. */
  private tell({ namespace, events, ...checkpoint }: Made): void {
    checkpoints.inc({ namespace });
    sealedEvents.inc({ namespace }, events);
    this.logger.info({ namespace, events, ...checkpoint }, 'checkpoint');
  }
}

type Sealing = { namespace: string; chains: GrownChain[]; at: string };
type Made = { namespace: string; number: number; digest: string; chains: number; events: number };
const NOTHING: { made: Made[]; more: number } = { made: [], more: 0 };

async function seal(tx: Tx, signer: Signer, { namespace, chains, ...sealing }: Sealing): Promise<Made> {
  const [before, log] = await Promise.all([lastCheckpoint(tx, namespace), logHead(tx, namespace)]);
  const tree = new MerkleRoot();
  let events = 0;
  for (const { request_id, seq, head, after_seq } of inOrderOfIds(chains)) {
    if (tree.size % AT_ONCE === 0) await otherWork();
    tree.add(leafOf({ request_id, after_seq, seq, hash: head }));
    events += seq - after_seq;
  }
  const number = (before?.number ?? 0) + 1;
  // A clock that was set back: whoever asks by time must still find checkpoints in their order.
  const at = before !== null && before.at > sealing.at ? before.at : sealing.at;
  const checkpoint: Checkpoint = {
    v: 1, namespace, number, previous: before === null ? null : hexOf(before.digest), at, chains: chains.length, events, root: hexOf(tree.root()),
    log: { number: log.number, hash: hexOf(log.hash) },
  };
  const jws = signer.sign(CHECKPOINT_TYP, JSON.stringify(checkpoint));
  const digest = checkpointDigest(jws);
  await insertCheckpoint(tx, {
    namespace, number, at, kid: signer.kid, jws, digest, chains: chains.length, events, log_number: log.number, log_hash: hexOf(log.hash),
  }, chains);
  return { namespace, number, digest, chains: chains.length, events };
}
