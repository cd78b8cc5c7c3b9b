import { objectBefore } from '@umpire/runtime';

/** What sockets need of an event: small, since many are kept for those who come back. */
export type FeedEvent = {
  id: string;
  namespace: string;
  requestId: string;
  type: string;
  seq: number;
  /** Whom this event brought in, as audience keys (`u:<user>`, `r:<role>`). */
  joined: string[];
  /** Of a reassignment: whose place was given away; null for everybody's. */
  from?: string | null;
};

type Wire = { id?: unknown; namespace?: unknown; request_id?: unknown; type?: unknown; seq?: unknown; data?: { added?: People; to?: People | string; from?: unknown } };
type People = { users?: unknown; roles?: unknown };

/** @returns the event, or null for what is none */
export function readFeedEvent(bytes: Uint8Array): FeedEvent | null {
  let wire: Wire;
  try {
    wire = parse(bytes);
  } catch {
    return null;
  }
  if (typeof wire !== 'object' || wire === null) return null;
  const { id, namespace, request_id: requestId, type, seq, data } = wire;
  if (typeof id !== 'string' || typeof namespace !== 'string' || typeof requestId !== 'string' || typeof type !== 'string' || typeof seq !== 'number') return null;
  const event: FeedEvent = { id, namespace, requestId, type, seq, joined: joinedBy(type, data) };
  if (type === 'reassigned') event.from = typeof data?.from === 'string' ? data.from : null;
  return event;
}

const MOVING: ReadonlySet<unknown> = new Set(['raised', 'reassigned', 'delegated']);

/** What sockets need stands before `data`, which may hold a producer's whole payload: it is read only where people move. A message written otherwise is read whole. */
function parse(bytes: Uint8Array): Wire {
  const head: Wire | null = objectBefore(bytes, 'data');
  if (head !== null && !MOVING.has(head.type)) return head;
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Wire;
}

function joinedBy(type: string, data: Wire['data']): string[] {
  if (type === 'raised') return keysOf(data?.added);
  if (type === 'reassigned') return typeof data?.to === 'string' ? [] : keysOf(data?.to);
  return type === 'delegated' && typeof data?.to === 'string' ? [`u:${data.to}`] : [];
}

function keysOf(people: People | undefined): string[] {
  const texts = (value: unknown) => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);
  return [...texts(people?.users).map((user) => `u:${user}`), ...texts(people?.roles).map((role) => `r:${role}`)];
}
