import { backoffDelay } from './backoff.ts';
import { delay } from './clock.ts';
import type { Logger } from './logger.ts';

export type LoopOptions = {
  name: string;
  /** Longest idle time between two runs, ms. `wake()` cuts it short. */
  intervalMs: number;
  /** One round of work. Returns how many items it handled; a positive count runs it again at once. May return `{nextInMs}` to idle shorter. */
  runOnce: (signal: AbortSignal) => Promise<number | { handled: number; nextInMs: number }>;
  logger: Logger;
};

/**
 * A background loop with one contract: `start` and `stop` may be called twice or in any order, `stop` awaits what is in flight,
 * a failing round is logged and retried with backoff and jitter, `wake` starts the next round now.
 */
export class Loop {
  private readonly options: LoopOptions;
  private abort: AbortController | null = null;
  private idle: AbortController | null = null;
  private running: Promise<void> | null = null;
  private woken = false;

  constructor(options: LoopOptions) {
    this.options = options;
  }

  start(): void {
    if (this.running) return;
    this.abort = new AbortController();
    this.running = this.run(this.abort.signal);
  }

  async stop(): Promise<void> {
    this.abort?.abort();
    this.idle?.abort();
    await this.running;
    this.running = null;
  }

  wake(): void {
    this.woken = true;
    // A reason of our own: without one each wake would make an exception with its stack, which nobody reads.
    this.idle?.abort('woken');
  }

  private async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      this.woken = false;
      let pause = this.options.intervalMs;
      try {
        const result = await this.options.runOnce(signal);
        failures = 0;
        const handled = typeof result === 'number' ? result : result.handled;
        if (handled > 0) pause = 0;
        else if (typeof result !== 'number') pause = Math.min(pause, Math.max(0, result.nextInMs));
      } catch (error) {
        failures += 1;
        pause = backoffDelay(failures, { baseMs: 100, maxMs: 5_000 });
        this.options.logger.error({ err: error, loop: this.options.name, failures, retry_in_ms: pause }, 'loop_failed');
      }
      if (pause > 0 && !this.woken && !signal.aborted) {
        this.idle = new AbortController();
        await delay(pause, this.idle.signal);
        this.idle = null;
      } else {
        // A loop that always finds work must still let sockets be read.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}
