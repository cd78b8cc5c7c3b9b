import { decodeFrame, REQUESTS, UmpireError, type SubmitHeader, type SubmitReply } from '@umpire/contract';
import type { Bus } from '@umpire/runtime';
import type { Submissions } from './submit.service.ts';

/** `umpire.store.submit.<reason>`: a batch of validated escalations and cancels → a verdict for each. */
export function onSubmit(bus: Bus, submissions: Submissions): () => Promise<void> {
  return bus.respond(requestOf('umpire.store.submit.*'), async (data) => {
    const { header, bodies } = readFrame(data);
    const verdicts = await submissions.submit(header.items.map((item, index) => ({ item, body: bodies[index]! })));
    return JSON.stringify({ verdicts } satisfies SubmitReply);
  });
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
