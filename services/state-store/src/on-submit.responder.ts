import { decodeFrame, LIMITS, REQUESTS, UmpireError, type SubmitHeader, type Verdict } from '@umpire/contract';
import type { Bus } from '@umpire/runtime';
import type { OpeningRoom } from './opening-room.ts';
import type { Reader, ReadLog } from './read-log.ts';
import type { Submissions } from './submit.service.ts';

/** `umpire.store.submit.<reason>`: a batch of validated escalations and cancels → a verdict for each. */
export function onSubmit(bus: Bus, submissions: Submissions, room: OpeningRoom, log: ReadLog): () => Promise<void> {
  return bus.respond(requestOf('umpire.store.submit.*'), async (data) => {
    await room.enter();
    const { header, bodies } = readFrame(data);
    const verdicts = await room.hold(header.items.length, () => submissions.submit(header.items.map((item, index) => ({ item, body: bodies[index]! }))));
    return replyOf(await Promise.all(verdicts.map((verdict, index) => noted(verdict, header.items[index]!.namespace, log))));
  });
}

/** NATS tells the namespace's account, not who of it asks. */
export const PRODUCER: Reader = { user_id: null, key_id: null, auth: 'nats', address: null, forwarded_for: null, trace_id: null };

/** A cancel that comes late is told the outcome, and that it was is written down; where it cannot be, the outcome stays untold. */
async function noted(verdict: Verdict, namespace: string, log: ReadLog): Promise<Verdict> {
  if (verdict.status !== 'late' || verdict.outcome === undefined) return verdict;
  try {
    await log.note(namespace, PRODUCER, 'nats', { what: 'outcome', request_id: verdict.request_id });
    return verdict;
  } catch {
    const { outcome: _, ...rest } = verdict;
    return rest;
  }
}

/**
 * The verdicts as one message. Outcomes of late cancels could make it too large to publish: what does not fit is left out, and
 * intake submits the rest again, which by then is answered as it was.
 */
function replyOf(verdicts: Verdict[]): string {
  const texts: string[] = [];
  let bytes = 0;
  for (const verdict of verdicts) {
    const text = JSON.stringify(verdict);
    bytes += Buffer.byteLength(text) + 1;
    if (texts.length > 0 && bytes > LIMITS.batch) break;
    texts.push(text);
  }
  return `{"verdicts":[${texts.join(',')}]}`;
}

function readFrame(data: Uint8Array) {
  try {
    const frame = decodeFrame<SubmitHeader>(data);
    if (frame.header.items.length !== frame.bodies.length) throw new Error('a body for each item is needed');
    return frame;
  } catch (error) {
    throw new UmpireError('bad_request', `not a submit frame: ${(error as Error).message}`, { cause: error });
  }
}

/** The topology's entry for a subject of ours. */
export function requestOf(subject: string) {
  const spec = REQUESTS.find((request) => request.subject === subject);
  if (!spec) throw new Error(`${subject} is not in the topology`);
  return spec;
}
