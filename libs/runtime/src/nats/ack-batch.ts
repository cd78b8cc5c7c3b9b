import type { JsMsg } from '@nats-io/jetstream';

/** In a crowd, the least time from one sending of acks to the next, ms: whatever is lost with a crash meanwhile is handed out again, which it may be anyway. */
const REST_MS = 50;

/** Acks that go together: each by itself costs a write here, and in the server three threads that wake up for it. One alone goes at once. */
export class AckBatch {
  private waiting: JsMsg[] = [];
  private resting: NodeJS.Timeout | undefined;
  private sentAt = Number.NEGATIVE_INFINITY;

  /** Acks these soon; at once those that were handed out before: whatever ends this process next must not count against them again. */
  add(messages: JsMsg[]): void {
    this.waiting.push(...messages);
    const restMs = this.sentAt + REST_MS - performance.now();
    if (restMs <= 0 || messages.some(isRedelivered)) this.send();
    else this.resting ??= setTimeout(() => this.send(), restMs);
  }

  send(): void {
    clearTimeout(this.resting);
    this.resting = undefined;
    if (this.waiting.length === 0) return;
    this.sentAt = performance.now();
    for (const message of this.waiting.splice(0)) message.ack();
  }

  /** Says nothing of them any more. */
  forget(): void {
    this.waiting = [];
    this.send();
  }
}

/** Whether it was handed out before: that delivery was never acked. */
export const isRedelivered = (message: JsMsg): boolean => message.info.deliveryCount > 1;
