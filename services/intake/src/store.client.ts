import { decodeUtf8, encodeItemsFrame, LIMITS, subjects, UmpireError, type Reason, type SubmitReply, type Verdict } from '@umpire/contract';
import type { Bus } from '@umpire/runtime';
import { storeSeconds } from './intake.metrics.ts';
import type { Submission } from './submission.ts';

/** Hands validated messages to the state store, in frames that fit a NATS message. */
export class StoreClient {
  private readonly bus: Bus;
  private readonly timeoutMs: number;
  private readonly via: 'stream' | 'post';

  /** @param via where what it hands over comes from: those that were posted are not waited for as long */
  constructor(bus: Bus, timeoutMs: number, via: 'stream' | 'post' = 'stream') {
    this.bus = bus;
    this.timeoutMs = timeoutMs;
    this.via = via;
  }

  /**
   * Submits the first of `entries`, as many as fit one frame.
   * @returns a verdict for each of them, in order: at least one. The store may answer fewer than it was sent, since replies are
   *   cut as well; the rest is to be submitted again.
   *   What the store cannot keep by itself is `rejected`.
   * @throws UmpireError `unavailable` when the store does not answer in time
   */
  async submit(reason: Reason, entries: readonly Submission[]): Promise<Verdict[]> {
    const batch = fitting(entries);
    try {
      return await this.ask(reason, batch);
    } catch (error) {
      // The store refuses the batch as a whole: the one that it cannot keep must not hold up the others for ever.
      if (!(error instanceof UmpireError) || !REFUSALS.has(error.code)) throw error;
      if (batch.length > 1) return this.submit(reason, batch.slice(0, Math.ceil(batch.length / 2)));
      return [{ request_id: batch[0]!.request_id, status: 'rejected', errors: [{ path: '', code: error.code, message: error.message }] }];
    }
  }

  private async ask(reason: Reason, batch: readonly Submission[]): Promise<Verdict[]> {
    const frame = encodeItemsFrame(batch.map((entry) => entry.item), batch.map((entry) => entry.payload));
    const stop = storeSeconds().startTimer({ via: this.via });
    const reply = await this.bus.request(subjects.submit(reason), frame, this.timeoutMs).finally(() => stop());
    const { verdicts } = JSON.parse(decodeUtf8(reply)) as SubmitReply;
    if (verdicts.length === 0 || verdicts.length > batch.length || verdicts.some((verdict, index) => verdict.request_id !== batch[index]!.request_id)) {
      throw new UmpireError('unavailable', 'the store answered for other messages than it was sent');
    }
    return verdicts;
  }
}

/** What the store says of content, not of its own state. */
const REFUSALS: ReadonlySet<string> = new Set(['bad_request', 'invalid']);

/** @returns the first entries, as many as go into one frame: always one, then as long as items and bytes stay within the limits. */
function fitting(entries: readonly Submission[]): readonly Submission[] {
  let bytes = 0;
  for (const [index, { item, payload }] of entries.entries()) {
    bytes += item.length + payload.length + FRAMING;
    if (index > 0 && (index >= LIMITS.batchItems || bytes > LIMITS.batch)) return entries.slice(0, index);
  }
  return entries;
}

/** What an item costs beside itself: a comma and its length in the header. */
const FRAMING = 10;
