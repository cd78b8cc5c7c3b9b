import type { Reason } from '@umpire/contract';
import type { Page } from '../http/pages.ts';
import { namePath } from '../http/path.ts';
import type { HttpTransport, Request } from '../http/transport.ts';
import type { CallOptions } from '../retry.ts';

export type WebhookEndpoint = {
  id: string;
  namespace: string;
  kind: 'endpoint' | 'callback';
  url: string | null;
  description: string | null;
  events: string[];
  reasons: Reason[];
  payload: 'full' | 'thin';
  header_names: string[];
  max_concurrency: number | null;
  rate_per_second: number | null;
  retry_schedule_seconds: number[] | null;
  state: 'enabled' | 'disabled';
  disabled_reason: string | null;
  disabled_at: string | null;
  failing_since: string | null;
  old_secrets_until: string[];
  created_at: string;
  updated_at: string;
};
/** Shown once: when an endpoint is made and when its secret is changed. */
export type WithSecret<T> = T & { secret: string };

export type WebhookSettings = {
  url: string;
  description?: string | null;
  events?: string[];
  reasons?: Reason[];
  payload?: 'full' | 'thin';
  headers?: Record<string, string>;
  max_concurrency?: number | null;
  rate_per_second?: number | null;
  retry_schedule_seconds?: number[] | null;
};
export type CursorOptions = { limit?: number; cursor?: string };

export type Delivery = {
  id: string;
  endpoint_id: string;
  event_id: string;
  event: string;
  request_id: string | null;
  state: 'pending' | 'delivered' | 'failed';
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  next_attempt_at: string | null;
  created_at: string;
  done_at: string | null;
  [more: string]: unknown;
};
export type DeliveryAttempt = { number: number; started_at: string; latency_ms: number | null; status: number | null; error: string | null; response: string; [more: string]: unknown };
export type Callbacks = { namespace: string; allowed_hosts: string[]; old_secrets_until: string[]; updated_at: string | null };

/** Endpoints that are told of every event, and what became of each delivery. For administrators. */
export class Webhooks {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  create(settings: WebhookSettings & { secret?: string }, call?: CallOptions): Promise<WithSecret<WebhookEndpoint>> {
    return this.endpoint({ method: 'POST', body: settings, repeat: 'refused' }, '', call);
  }

  list(options: CursorOptions = {}, call?: CallOptions): Promise<Page<WebhookEndpoint>> {
    return this.endpoint({ method: 'GET', query: options, repeat: 'always' }, '', call);
  }

  get(id: string, call?: CallOptions): Promise<WebhookEndpoint> {
    return this.endpoint({ method: 'GET', repeat: 'always' }, `/${namePath(id)}`, call);
  }

  update(id: string, change: Partial<WebhookSettings>, call?: CallOptions): Promise<WebhookEndpoint> {
    return this.endpoint({ method: 'PATCH', body: change, repeat: 'always' }, `/${namePath(id)}`, call);
  }

  async remove(id: string, call?: CallOptions): Promise<void> {
    await this.endpoint({ method: 'DELETE', repeat: 'refused' }, `/${namePath(id)}`, call);
  }

  enable(id: string, call?: CallOptions): Promise<WebhookEndpoint> {
    return this.endpoint({ method: 'POST', repeat: 'always' }, `/${namePath(id)}/enable`, call);
  }

  disable(id: string, call?: CallOptions): Promise<WebhookEndpoint> {
    return this.endpoint({ method: 'POST', repeat: 'always' }, `/${namePath(id)}/disable`, call);
  }

  /** A new secret; the old one signs along for a while, so that receivers can change over. */
  rotate(id: string, call?: CallOptions): Promise<WithSecret<WebhookEndpoint>> {
    return this.endpoint({ method: 'POST', repeat: 'refused' }, `/${namePath(id)}/rotate`, call);
  }

  test(id: string, call?: CallOptions): Promise<{ event_id: string; delivery_id: string }> {
    return this.endpoint({ method: 'POST', repeat: 'refused' }, `/${namePath(id)}/test`, call);
  }

  /** Sends again what failed in a range of time, and what the endpoint never had. Times are RFC 3339. */
  recover(id: string, range: { since: string; until?: string }, call?: CallOptions): Promise<{ retried: number; added: number; complete: boolean }> {
    return this.endpoint({ method: 'POST', query: range, repeat: 'always', waitMs: 20_000 }, `/${namePath(id)}/recover`, call);
  }

  deliveries(id: string, options: CursorOptions & { state?: Delivery['state'] } = {}, call?: CallOptions): Promise<Page<Delivery>> {
    return this.endpoint({ method: 'GET', query: options, repeat: 'always' }, `/${namePath(id)}/deliveries`, call);
  }

  /** What was sent of one escalation, to every endpoint and to its own callback. */
  deliveriesOf(requestId: string, options: CursorOptions & { state?: Delivery['state'] } = {}, call?: CallOptions): Promise<Page<Delivery>> {
    return this.transport.json({ method: 'GET', path: '/webhooks/deliveries', query: { ...options, request_id: requestId }, repeat: 'always' }, call);
  }

  attempts(deliveryId: string, call?: CallOptions): Promise<Page<DeliveryAttempt> & { delivery: Delivery }> {
    return this.transport.json({ method: 'GET', path: `/webhooks/deliveries/${namePath(deliveryId)}/attempts`, repeat: 'always' }, call);
  }

  retry(deliveryId: string, call?: CallOptions): Promise<Delivery> {
    return this.transport.json({ method: 'POST', path: `/webhooks/deliveries/${namePath(deliveryId)}/retry`, repeat: 'always' }, call);
  }

  /** Which hosts an escalation's own `callback_url` may name. */
  callbacks(call?: CallOptions): Promise<Callbacks> {
    return this.transport.json({ method: 'GET', path: '/webhooks/callbacks', repeat: 'always' }, call);
  }

  /** @returns with `secret` the first time only */
  putCallbacks(settings: { allowed_hosts: string[] }, call?: CallOptions): Promise<Callbacks & { secret?: string }> {
    return this.transport.json({ method: 'PUT', path: '/webhooks/callbacks', body: settings, repeat: 'refused' }, call);
  }

  rotateCallbacks(call?: CallOptions): Promise<WithSecret<Callbacks>> {
    return this.transport.json({ method: 'POST', path: '/webhooks/callbacks/rotate', repeat: 'refused' }, call);
  }

  callbackOrigins(options: CursorOptions = {}, call?: CallOptions): Promise<Page<WebhookEndpoint>> {
    return this.transport.json({ method: 'GET', path: '/webhooks/callbacks/origins', query: options, repeat: 'always' }, call);
  }

  private endpoint<T>(request: Omit<Request, 'path'>, tail: string, call?: CallOptions): Promise<T> {
    return this.transport.json({ ...request, path: `/webhooks/endpoints${tail}` }, call);
  }
}
