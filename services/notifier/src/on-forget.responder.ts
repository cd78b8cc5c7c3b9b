import { decodeUtf8, forgetSchema, REQUESTS, subjects, UmpireError, type ForgetReply } from '@umpire/contract';
import type { Bus } from '@umpire/runtime';
import type { ErasedContent } from './erased-content.service.ts';

/** `umpire.notify.forget`: the store takes a person out of the record, and asks that their channels go. Safe to ask again. */
export function onForget(bus: Bus, erased: ErasedContent): () => Promise<void> {
  return bus.respond(REQUESTS.find(({ subject }) => subject === subjects.forget)!, async (data) => {
    const parsed = forgetSchema.safeParse(read(data));
    if (!parsed.success) throw new UmpireError('bad_request', 'a namespace and a user_id are needed');
    return JSON.stringify({ channels: await erased.forgetPerson(parsed.data.namespace, parsed.data.user_id) } satisfies ForgetReply);
  });
}

function read(data: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(data)) as unknown;
  } catch {
    return null;
  }
}
