import { CLOCK_KINDS, UmpireError, type ApplyReply } from '@umpire/contract';
import type { Bus } from '@umpire/runtime';
import { z } from 'zod';
import { requestOf } from './on-submit.responder.ts';
import type { Transitions } from './transition.service.ts';

const applySchema = z.object({
  items: z.array(z.object({
    namespace: z.string(), request_id: z.string(), kind: z.enum(CLOCK_KINDS), ordinal: z.int().min(0), generation: z.int().min(1), trace: z.string().optional(),
  })).max(500),
});

/** `umpire.store.apply`: what timers ask for. The store's clock decides: `applied`, `stale`, or `retry_at`. */
export function onApply(bus: Bus, transitions: Transitions): () => Promise<void> {
  return bus.respond(requestOf('umpire.store.apply'), async (data) => {
    const parsed = applySchema.safeParse(JSON.parse(new TextDecoder().decode(data)));
    if (!parsed.success) throw new UmpireError('bad_request', `not an apply request: ${parsed.error.message}`);
    const results = await Promise.all(parsed.data.items.map(async ({ namespace, request_id, trace, ...clock }): Promise<ApplyReply['results'][number]> => {
      const executed = await transitions.execute({ namespace, request_id, trace, command: { type: 'clock', ...clock } });
      if (!executed || executed.decision.stale) return { status: 'stale' };
      const { retry_at, state } = executed.decision;
      return retry_at === undefined ? { status: 'applied', reason: state.reason } : { status: 'retry_at', retry_at: new Date(retry_at).toISOString() };
    }));
    return JSON.stringify({ results } satisfies ApplyReply);
  });
}
