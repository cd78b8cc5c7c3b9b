import { decodeUtf8 } from '@umpire/contract';
import { counter, transaction, type Logger, type Sql } from '@umpire/runtime';
import { deleteChannelsOf, forgetAttempts, keptBodies, replaceBodies } from './erased-content.queries.ts';
import type { Heard } from './people/notice-fan-out.service.ts';
import type { ContentService } from './webhooks/content.service.ts';
import { thinBody } from './webhooks/webhook-body.ts';

const TRANSACTION_MS = 12_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const replaced = counter('umpire_notifier_erased_bodies_total', 'Kept webhook bodies that were thinned because their content was erased');

/**
 * Forgets what is kept here of content that the store has erased. A kept body is thinned: that something happened, to what and when, stays,
 * so that what is retried or recovered is still an answer.
 */
export class ErasedContent {
  private readonly sql: Sql;
  private readonly contents: ContentService;
  private readonly logger: Logger;

  constructor(sql: Sql, contents: ContentService, logger: Logger) {
    this.sql = sql;
    this.contents = contents;
    this.logger = logger;
  }

  /** Safe to call again with the same events. @throws when the database is away */
  async forget(heard: Heard[]): Promise<void> {
    for (const { event, bytes } of heard) {
      if (event.type !== 'erased') continue;
      this.contents.forget(event);
      const ids = eventIdsIn(bytes);
      const bodies = ids.length === 0 ? 0 : await transaction(this.sql, TRANSACTION_MS, async (tx) => {
        const kept = await keptBodies(tx, event.namespace, ids);
        await replaceBodies(tx, kept.map(({ event_id, body }) => ({ event_id, body: thinBody(body) })));
        await forgetAttempts(tx, event.namespace, ids);
        return kept.length;
      });
      replaced.inc(bodies);
      this.logger.info({ event_id: event.id, namespace: event.namespace, bodies }, 'content_forgotten');
    }
  }

  /** @returns how many of their channels there were */
  forgetPerson(namespace: string, userId: string): Promise<number> {
    return transaction(this.sql, TRANSACTION_MS, (tx) => deleteChannelsOf(tx, namespace, userId));
  }
}

/** @returns ids of the events whose webhooks may be kept, as the `erased` event names them */
function eventIdsIn(bytes: Uint8Array): string[] {
  const { data } = JSON.parse(decodeUtf8(bytes)) as { data?: { event_ids?: unknown } };
  return Array.isArray(data?.event_ids) ? data.event_ids.filter((id): id is string => typeof id === 'string' && UUID.test(id)) : [];
}
