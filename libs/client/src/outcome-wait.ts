import { UmpireError } from '@umpire/contract';
import { steadyClock } from './clock.ts';
import { backoffDelay, Deadline, isPassing, type CallOptions } from './retry.ts';
import type { SettledOutcome, StatusReply } from './types.ts';

export type WaitOptions = CallOptions & {
  /**
   * How long an id that nobody knows yet is waited for: what was just published is on its way to the store, and may wait in the queue.
   * Milliseconds; one minute.
   */
  unknownMs?: number | undefined;
};

/** How a client looks, and how it waits until it is worth looking again. */
export type Watch<Data> = {
  /** The status now, or null for an id that is not known (yet). */
  ask: (deadline: Deadline) => Promise<StatusReply<Data> | null>;
  rest: (deadline: Deadline) => Promise<void>;
};

const UNKNOWN_MS = 60_000;
const FAILING = { baseMs: 200, maxMs: 5_000 };
/** A fault of the server's own may pass as well; one that stays is told. */
const MOST_FAULTS = 20;

const mayMend = (error: unknown, failures: number): boolean => isPassing(error) || (error instanceof UmpireError && error.code === 'internal' && failures < MOST_FAULTS);

/**
 * Asks until there is an outcome. The outcome is stored, so it does not matter when it came; what fails in passing is asked again for
 * as long as the caller waits.
 * @throws UmpireError `timeout` when the time is over, `not_found`, or what asking again cannot mend; the signal's reason
 */
export async function waitUntilSettled<Data>(requestId: string, watch: Watch<Data>, options: WaitOptions): Promise<SettledOutcome<Data>> {
  const deadline = new Deadline(options);
  const unknownUntil = steadyClock() + (options.unknownMs ?? UNKNOWN_MS);
  let last: unknown;
  for (let failures = 0; ; ) {
    deadline.check(last);
    try {
      const status = await watch.ask(deadline);
      failures = 0;
      last = undefined;
      if (status?.outcome) return status.outcome;
      if (status === null && steadyClock() >= unknownUntil) throw new UmpireError('not_found', `no escalation has the id ${JSON.stringify(requestId)}`);
    } catch (error) {
      // A look that this wait's own end cut short says so in the signal's words, not in ours.
      if (!(error instanceof UmpireError)) deadline.check(last);
      if (!mayMend(error, failures)) throw error;
      failures += 1;
      last = error;
    }
    if (failures > 0) await deadline.wait(backoffDelay(failures, FAILING));
    else await watch.rest(deadline);
  }
}
