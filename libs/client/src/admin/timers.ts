import type { ClockKind } from '@umpire/contract';
import type { Page, PageOptions } from '../http/pages.ts';
import type { HttpTransport } from '../http/transport.ts';
import type { CallOptions } from '../retry.ts';

/** `asks_at`: when the store is asked; `asking`: a scheduler has taken it up. */
export type Timer = { request_id: string; kind: ClockKind; ordinal: number; generation: number; due_at: string; asks_at: string; asking: boolean; attempts: number };
export type TimersPage = Page<Timer> & {
  pending: number;
  counts: Record<ClockKind, number>;
  next_due_at: string | null;
  overdue: number;
  oldest_overdue_at: string | null;
};

/** The clocks of the namespace, for administrators to look at. */
export class Timers {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  page(options: PageOptions & { kind?: ClockKind } = {}, call?: CallOptions): Promise<TimersPage> {
    return this.transport.json({ method: 'GET', path: '/timers', query: options, repeat: 'always' }, call);
  }
}
