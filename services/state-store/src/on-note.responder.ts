import { UmpireError } from '@umpire/contract';
import type { Bus } from '@umpire/runtime';
import { z } from 'zod';
import { requestOf } from './on-submit.responder.ts';
import type { Read, ReadLog } from './read-log.ts';
import { contentReader } from './reader.ts';

const what = z.string().regex(/^[a-z_]{1,40}$/);
const read = z.union([
  z.object({ what, request_id: z.string().min(1).max(512) }),
  z.object({ what, asked: z.record(z.string(), z.unknown()), shown: z.array(z.string().max(512)).max(1_000), subject_user: z.string().max(256).optional() }),
]);
const noteSchema = z.object({ namespace: z.string().max(40), via: z.enum(['http', 'socket']), reads: z.array(z.object({ reader: contentReader, read })).max(200) });

/** `umpire.store.note`: what other services are about to show. Answered once it may be shown. */
export function onNote(bus: Bus, log: ReadLog): () => Promise<void> {
  return bus.respond(requestOf('umpire.store.note'), async (data) => {
    const parsed = noteSchema.safeParse(jsonOf(data));
    if (!parsed.success) throw new UmpireError('bad_request', z.prettifyError(parsed.error));
    const { namespace, via, reads } = parsed.data;
    await Promise.all(reads.map((one) => log.note(namespace, one.reader, via, readOf(one.read))));
    return '{}';
  });
}

function jsonOf(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data)) as unknown;
  } catch (error) {
    throw new UmpireError('malformed_json', `the request is not JSON: ${(error as Error).message}`);
  }
}

const readOf = (noted: z.infer<typeof read>): Read => {
  if ('request_id' in noted) return noted;
  const { subject_user, ...rest } = noted;
  return subject_user === undefined ? rest : { ...rest, subject_user };
};
