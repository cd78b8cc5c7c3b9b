import { LIMITS, type Reason, type Verdict } from '@umpire/contract';
import { Batcher, currentTrace, delay, inBatch, isUnheard, withDeadline, type TraceContext } from '@umpire/runtime';
import type { StoreClient } from './store.client.ts';
import { withTrace, type Submission } from './submission.ts';

/** What became of a submission: the store's verdict; `unsent`, so it is certainly not there; `unknown`, so it may be. */
export type Told = Verdict | 'unsent' | 'unknown';

/** A refusal that came at once (a connection was cut) is often over by then. */
const AGAIN_MS = 100;
/** A store that gave no answer has enough to do: for so long everything goes into the stream, which sends it once. */
const REST_MS = 5_000;

type Waiting = Submission & { until: number; cause: TraceContext };

/**
 * The short way of what is posted: to the store at once, without a place in the stream first. Nothing is promised to the caller until
 * the store has committed it or the stream holds it, so what the store does not answer is put into the stream after all.
 *
 * What was posted together goes in one frame; namespaces and reasons do not wait for each other.
 */
export class DirectSubmissions {
  private readonly batchers = new Map<string, Batcher<Waiting, Told>>();
  /** By namespace and reason: when the store may be asked again. */
  private readonly restUntil = new Map<string, number>();
  private readonly store: StoreClient;
  private readonly patienceMs: number;

  /** @param patienceMs how long the store's verdict is waited for, from the call on */
  constructor(store: StoreClient, patienceMs: number) {
    this.store = store;
    this.patienceMs = patienceMs;
  }

  /** @returns what became of it, `patienceMs` later at the latest; it never rejects */
  async submit(submission: Submission): Promise<Told> {
    const { namespace, reason } = submission;
    const name = `${namespace}/${reason}`;
    const now = performance.now();
    if ((this.restUntil.get(name) ?? 0) > now) return 'unsent';
    const waiting = { ...submission, until: now + this.patienceMs, cause: currentTrace() };
    const told = await withDeadline(this.batcher(name, reason).add(waiting, submission.payload.length), this.patienceMs, 'verdict').catch(() => 'unknown' as const);
    if (told === 'unknown') this.restUntil.set(name, performance.now() + REST_MS);
    return told;
  }

  private batcher(name: string, reason: Reason): Batcher<Waiting, Told> {
    let batcher = this.batchers.get(name);
    if (batcher === undefined) {
      batcher = new Batcher((batch) => this.send(reason, batch), { items: LIMITS.batchItems, size: LIMITS.batch, lanes: 2, patienceMs: 50 });
      this.batchers.set(name, batcher);
    }
    return batcher;
  }

  private send(reason: Reason, batch: Waiting[]): Promise<Told[]> {
    return inBatch('intake take', batch.map(({ cause }) => cause), { kind: 'internal' }, (traces) =>
      this.sendTraced(reason, batch.map((one, index) => withTrace(one, traces[index]))));
  }

  /** Frame by frame. What nobody waits for any longer is in the stream by then, and is not sent. */
  private async sendTraced(reason: Reason, batch: Waiting[]): Promise<Told[]> {
    const told = new Map<Waiting, Told>();
    const open = () => batch.filter((one) => !told.has(one) && one.until > performance.now());
    for (let rest = open(); rest.length > 0; rest = open()) {
      const verdicts = await this.ask(reason, rest);
      verdicts.forEach((verdict, index) => told.set(rest[index]!, verdict));
    }
    return batch.map((one) => told.get(one) ?? 'unsent');
  }

  /** What the store could not say is asked once more: the submission is the same, so what it has by then is `stored`, not a duplicate. */
  private async ask(reason: Reason, batch: Waiting[]): Promise<Told[]> {
    try {
      return await this.store.submit(reason, batch);
    } catch (error) {
      if (isUnheard(error)) return batch.map(() => 'unsent');
    }
    await delay(AGAIN_MS);
    const unknown = () => batch.map(() => 'unknown' as const);
    return batch.every((one) => one.until > performance.now()) ? this.store.submit(reason, batch).catch(unknown) : unknown();
  }
}
