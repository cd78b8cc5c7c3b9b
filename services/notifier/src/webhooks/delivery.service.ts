import { UmpireError } from '@umpire/contract';
import type { Sql } from '@umpire/runtime';
import type { ClaimLoop } from './claim.loop.ts';
import { listAttempts, listDeliveries, listRequestDeliveries, retryDelivery, selectDelivery, type AttemptView, type DeliveryView } from './delivery-log.queries.ts';
import { selectEndpoint } from './endpoint.queries.ts';
import type { ListDeliveries, ListRequestDeliveries } from './endpoint.schemas.ts';

/** What administrators see of deliveries, and how they send one again. */
export class DeliveryService {
  private readonly sql: Sql;
  private readonly claims: ClaimLoop;

  constructor(parts: { sql: Sql; claims: ClaimLoop }) {
    this.sql = parts.sql;
    this.claims = parts.claims;
  }

  async list(namespace: string, endpointId: string, { state, cursor, limit }: ListDeliveries) {
    if (!(await selectEndpoint(this.sql, namespace, endpointId))) throw new UmpireError('not_found', 'no such webhook endpoint');
    const rows = await listDeliveries(this.sql, endpointId, { state: state ?? null, before: cursor ?? null, limit: limit + 1 });
    return pageOf(rows, limit);
  }

  /** Everything that was sent of one escalation, to its callback too. */
  async listOf(namespace: string, { request_id: requestId, state, cursor, limit }: ListRequestDeliveries) {
    return pageOf(await listRequestDeliveries(this.sql, namespace, requestId, { state: state ?? null, before: cursor ?? null, limit: limit + 1 }), limit);
  }

  async attempts(namespace: string, id: string) {
    const delivery = await this.find(namespace, id);
    return { delivery: showDelivery(delivery), items: (await listAttempts(this.sql, delivery.id)).map(showAttempt), next: null };
  }

  /** Makes the delivery due now. @throws UmpireError `conflict` while its endpoint is disabled */
  async retry(namespace: string, id: string) {
    const enabled = await retryDelivery(this.sql, namespace, id);
    if (enabled === null) throw notFound();
    if (!enabled) throw new UmpireError('conflict', 'its endpoint is disabled: enable it first');
    this.claims.changed();
    return showDelivery(await this.find(namespace, id));
  }

  private async find(namespace: string, id: string): Promise<DeliveryView> {
    const row = await selectDelivery(this.sql, namespace, id);
    if (!row) throw notFound();
    return row;
  }
}

const notFound = () => new UmpireError('not_found', 'no such delivery');

/** @param rows one more than the page has, where there is more */
const pageOf = (rows: DeliveryView[], limit: number) => ({ items: rows.slice(0, limit).map(showDelivery), next: rows.length > limit ? rows[limit - 1]!.id : null });

function showDelivery(row: DeliveryView) {
  const waiting = row.state === 'pending' && !row.in_flight;
  return {
    id: row.id, endpoint_id: row.endpoint_id, event_id: row.event_id, event: row.event, request_id: row.request_id, reason: row.reason, seq: row.seq, url: row.url,
    state: row.state, failure: row.failure, attempts: row.attempts, in_flight: row.state === 'pending' && row.in_flight, last_status: row.last_status, last_error: row.last_error,
    next_attempt_at: waiting ? row.due_at.toISOString() : null, created_at: row.created_at.toISOString(), done_at: row.done_at?.toISOString() ?? null,
  };
}

function showAttempt(row: AttemptView) {
  return {
    number: row.number, started_at: row.started_at.toISOString(), latency_ms: row.latency_ms, status: row.status, error: row.error, detail: row.detail,
    // Not fatal: an answer may be in any encoding, or cut inside a character.
    response: row.response === null ? '' : new TextDecoder().decode(row.response),
  };
}
