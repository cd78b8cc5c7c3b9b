import { LIMITS, UmpireError, type Reason, type Verdict } from '@umpire/contract';
import { Batcher, isUnheard, withDeadline } from '@umpire/runtime';
import type { StoreClient, Submission } from './store.client.ts';

/** What became of a submission: the store's verdict; `unsent`, so it is certainly not there; `unknown`, so it may be. */
export type Told = Verdict | 'unsent' | 'unknown';

type Waiting = Submission & { until: number };

/**
 * The short way of what is posted: to the store at once, without a place in the stream first. Nothing is promised to the caller until
 * the store has committed it or the stream holds it, so what the store does not answer is put into the stream after all.
 *
 * What was posted together goes in one frame; namespaces and reasons do not wait for each other.
 */
export class DirectSubmissions {
  private readonly batchers = new Map<string, Batcher<Waiting, Told>>();
  private readonly store: StoreClient;
  private readonly patienceMs: number;

  /** @param patienceMs how long the store's verdict is waited for, from the call on */
  constructor(store: StoreClient, patienceMs: number) {
    this.store = store;
    this.patienceMs = patienceMs;
  }

  async submit(submission: Submission): Promise<Told> {
    const waiting = { ...submission, until: performance.now() + this.patienceMs };
    return withDeadline(this.batcherOf(submission).add(waiting, submission.payload.length), this.patienceMs, 'verdict').catch(() => 'unknown' as const);
  }

  private batcherOf({ item: { namespace, reason } }: Submission): Batcher<Waiting, Told> {
    const name = `${namespace}/${reason}`;
    let batcher = this.batchers.get(name);
    if (batcher === undefined) {
      batcher = new Batcher((batch) => this.send(reason, batch), { items: LIMITS.batchItems, size: LIMITS.batch, lanes: 2, patienceMs: 50 });
      this.batchers.set(name, batcher);
    }
    return batcher;
  }

  /** What nobody waits for any longer is in the stream by now, and is not sent. */
  private async send(reason: Reason, batch: Waiting[]): Promise<Told[]> {
    const open = batch.filter(({ until }) => until > performance.now());
    const told = new Map<Waiting, Told>();
    for (let done = 0; done < open.length; ) {
      const rest = open.slice(done);
      const verdicts = await this.store.submit(reason, rest).catch((error: unknown): Told[] => rest.map(() => (isUnheard(error) ? 'unsent' : 'unknown')));
      verdicts.forEach((verdict, index) => told.set(rest[index]!, verdict));
      done += verdicts.length;
    }
    return batch.map((one) => told.get(one) ?? 'unsent');
  }
}
