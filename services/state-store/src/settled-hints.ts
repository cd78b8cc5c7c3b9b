import { parseIdToken } from '@umpire/contract';
import type { Bus } from '@umpire/runtime';
import { keyOf } from './transition.service.ts';
import type { Key } from './escalation.queries.ts';

/** Who waits for an outcome, and the hints that wake them: from this process at commit, from the other replicas over NATS. */
export class SettledHints {
  private readonly waiting = new Map<string, Set<() => void>>();
  private readonly now: () => number;
  private stopListening: () => void = () => undefined;
  private closed = false;

  constructor(now: () => number) {
    this.now = now;
  }

  listen(bus: Bus): void {
    this.stopListening = bus.listen('hitl.*.settled.*', (_, subject) => {
      const [, namespace, , token] = subject.split('.');
      const requestId = parseIdToken(token ?? '');
      if (namespace && requestId !== null) this.notify({ namespace, request_id: requestId });
    });
  }

  /** Wakes everybody, for shutdown: their requests answer with what is known. */
  close(): void {
    this.stopListening();
    this.closed = true;
    for (const waiters of this.waiting.values()) waiters.forEach((wake) => wake());
  }

  notify(key: Key): void {
    this.waiting.get(keyOf(key))?.forEach((wake) => wake());
  }

  /** @returns after a hint for the key, or `ms`, or the signal, whichever is first. */
  wait(key: Key, ms: number, signal: AbortSignal): Promise<void> {
    const name = keyOf(key);
    return new Promise((resolve) => {
      const waiters = this.waiting.get(name) ?? new Set<() => void>();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        waiters.delete(done);
        if (waiters.size === 0) this.waiting.delete(name);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.waiting.set(name, waiters.add(done));
    });
  }

  /** A time limit by the process's clock. */
  deadline(ms: number): { over(): boolean; leftMs(): number } {
    const end = this.now() + ms;
    return { over: () => this.closed || this.now() >= end, leftMs: () => Math.max(0, end - this.now()) };
  }
}
