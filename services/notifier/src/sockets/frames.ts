import { member, rawText, readJson, stringMember } from '@umpire/contract';
import type { FeedEvent } from './feed-event.ts';
import type { PendingPage } from './pending-page.ts';

export type FrameType = 'new_interaction' | 'interaction_updated' | 'interaction_closed';

const SETTLING: ReadonlySet<string> = new Set(['resolved', 'expired', 'cancelled']);
export const isSettling = (type: string): boolean => SETTLING.has(type);

/**
 * One frame about one event, as the bytes that every socket concerned is sent. `id` is the event's, the same as on JetStream and in
 * webhooks; `data` is JSON text.
 */
export function eventFrame(type: FrameType, event: FeedEvent, data: string): Buffer {
  return Buffer.from(`{"type":"${type}","id":${JSON.stringify(event.id)},"seq":${event.seq},"event":${JSON.stringify(event.type)},"data":${data}}`);
}

/** What remains to be said of an interaction that has ended: its status and outcome. @param item its JSON text */
export function closedData(requestId: string, item: string): string {
  const root = readJson(item, { maxDepth: 512 });
  const outcome = member(root, 'outcome');
  return `{"interaction_id":${JSON.stringify(requestId)},"status":${JSON.stringify(stringMember(root, 'status') ?? null)},"outcome":${outcome ? rawText(outcome, item) : 'null'}}`;
}

/** For those from whom it was taken: it goes on, without them. */
export const leftData = (requestId: string): string => JSON.stringify({ interaction_id: requestId, status: 'pending', outcome: null, reason: 'reassigned' });

/** The list frame: the first page, how many there are in all, and the event after which frames follow. */
export function listFrame(page: PendingPage, position: string | null, resync: boolean): Buffer {
  const tail = JSON.stringify({ total: page.total, id: position, ...(resync ? { resync: true } : {}) });
  return Buffer.concat([Buffer.from('{"type":"pending_interactions","data":'), page.items, Buffer.from(`,${tail.slice(1)}`)]);
}
