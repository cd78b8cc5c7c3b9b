import { CLOCK_KINDS, isNamespace, LIMITS, type Clock } from '@umpire/contract';
import { textBefore } from '@umpire/runtime';
import type { ClockSet } from './clock-set.queries.ts';

const KINDS: ReadonlySet<unknown> = new Set(CLOCK_KINDS);
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/;
const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Reads what the scheduler needs of an event on `HITL_EVENTS`.
 * @returns the escalation's clocks as of the event, or what is wrong with it
 */
export function clockSetOfEvent(bytes: Uint8Array): ClockSet | { fault: string } {
  let event: unknown;
  try {
    event = withoutPayload(bytes) ?? JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { fault: `not JSON: ${(error as Error).message}` };
  }
  const { namespace, request_id, seq, data } = (event ?? {}) as Record<string, unknown>;
  return readClockSet({ namespace, request_id, seq, clocks: (data as { clocks?: unknown } | null | undefined)?.clocks });
}

/**
 * An opened event is mostly the producer's payload, which stands last in `data`. Cut off before it, the text is JSON again only if the
 * member stood directly in `data`: brackets have to match. What the payload holds is the notifier's to judge: its clocks run all the same.
 * @returns the event without it, or null where it has to be read whole
 */
function withoutPayload(bytes: Uint8Array): { data: { clocks: unknown } } | null {
  try {
    const text = textBefore(bytes, 'escalation');
    if (text === null) return null;
    const event = JSON.parse(`${text}}}`) as { data?: { clocks?: unknown } | null } | null;
    return event?.data?.clocks === undefined ? null : (event as { data: { clocks: unknown } });
  } catch {
    return null;
  }
}

/** Checks all that Postgres would refuse, so that one bad item cannot fail the batch that it came in. */
export function readClockSet({ namespace, request_id, seq, clocks }: { [field in keyof ClockSet]: unknown }): ClockSet | { fault: string } {
  if (!isNamespace(namespace)) return { fault: 'namespace' };
  if (typeof request_id !== 'string' || request_id === '' || request_id.includes('\0') || !request_id.isWellFormed()
    || Buffer.byteLength(request_id) > LIMITS.requestId) return { fault: 'request_id' };
  if (!isCount(seq, 1)) return { fault: 'seq' };
  if (!Array.isArray(clocks)) return { fault: 'data.clocks' };
  const bad = clocks.findIndex((clock) => !isClock(clock));
  if (bad >= 0) return { fault: `data.clocks[${bad}]` };
  if (new Set(clocks.map((clock: Clock) => `${clock.kind}:${clock.ordinal}`)).size < clocks.length) return { fault: 'data.clocks names a clock twice' };
  return { namespace, request_id, seq, clocks: clocks.map(({ kind, ordinal, due_at, generation }: Clock) => ({ kind, ordinal, due_at, generation })) };
}

function isClock(value: unknown): value is Clock {
  const { kind, ordinal, due_at, generation } = (value ?? {}) as Record<string, unknown>;
  return KINDS.has(kind) && isCount(ordinal, 0) && isCount(generation, 1) && typeof due_at === 'string' && INSTANT.test(due_at) && Number.isFinite(Date.parse(due_at));
}

function isCount(value: unknown, least: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= MAX_INTEGER;
}
