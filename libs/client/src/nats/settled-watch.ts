import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { delay } from '../clock.ts';
import type { Deadline } from '../retry.ts';

/** A hint is not stored, and may be lost: this often an outcome is asked for all the same. Milliseconds. */
const POLL_MS = { least: 3_000, most: 5_000 };

/** Says when it is worth asking for an outcome: on the store's hint, after a reconnect, and every few seconds. */
export class SettledWatch {
  private readonly connection: NatsConnection;
  private readonly subscription: Subscription;
  private readonly ended = new AbortController();
  private heard = false;
  private wake: () => void = () => undefined;

  constructor(connection: NatsConnection, subject: string) {
    this.connection = connection;
    this.subscription = connection.subscribe(subject, { callback: () => this.hear() });
    void this.watchConnection();
  }

  /** Forgets hints so far: what is asked from here on sees what they told. */
  clear(): void {
    this.heard = false;
  }

  /** @returns at once if there was a hint since `clear` */
  async wait(deadline: Deadline): Promise<void> {
    if (this.heard) return;
    const hint = new AbortController();
    this.wake = () => hint.abort();
    await delay(Math.min(deadline.leftMs, POLL_MS.least + Math.random() * (POLL_MS.most - POLL_MS.least)), AbortSignal.any([hint.signal, deadline.signal]));
  }

  close(): void {
    this.ended.abort();
    if (!this.subscription.isClosed()) this.subscription.unsubscribe();
  }

  private hear(): void {
    this.heard = true;
    this.wake();
  }

  private async watchConnection(): Promise<void> {
    const statuses = this.connection.status()[Symbol.asyncIterator]();
    this.ended.signal.addEventListener('abort', () => void statuses.return?.(), { once: true });
    for (;;) {
      const { value, done } = await statuses.next();
      if (done || this.ended.signal.aborted) return;
      if (value.type === 'reconnect') this.hear();
    }
  }
}
