import { REASONS } from '@umpire/contract';
import { z } from 'zod';
import { RESERVED_HEADERS } from './endpoint.ts';
import { WEBHOOK_EVENTS } from './event-names.ts';
import { parseSecret } from './signature.ts';

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'not a header name').refine((name) => !RESERVED_HEADERS.has(name.toLowerCase()), 'this header is set by the service');
const headerValue = z.string().max(4_096).regex(/^[\t -~]*$/, 'printable ASCII only');
const waits = z.array(z.number().min(0.01).max(7 * 24 * 3600)).min(1).max(30);

const fields = {
  url: z.string().max(2_048),
  description: z.string().max(1_024).nullable(),
  events: z.array(z.enum(WEBHOOK_EVENTS)).max(WEBHOOK_EVENTS.length),
  reasons: z.array(z.enum(REASONS)).max(REASONS.length),
  payload: z.enum(['full', 'thin']),
  headers: z.record(headerName, headerValue).refine((headers) => Object.keys(headers).length <= 20, 'at most 20 headers'),
  max_concurrency: z.int().min(1).max(1_000).nullable(),
  rate_per_second: z.number().min(0.01).max(10_000).nullable(),
  retry_schedule_seconds: waits.nullable(),
};

export const createEndpointSchema = z.strictObject({
  url: fields.url,
  description: fields.description.default(null),
  events: fields.events.default([]),
  reasons: fields.reasons.default([]),
  payload: fields.payload.default('full'),
  headers: fields.headers.default({}),
  max_concurrency: fields.max_concurrency.default(null),
  rate_per_second: fields.rate_per_second.default(null),
  retry_schedule_seconds: fields.retry_schedule_seconds.default(null),
  /** To keep a secret that receivers have already. */
  secret: z.string().max(128).refine((text) => parseSecret(text) !== null, 'must be whsec_ and base64 of 24 to 64 bytes').optional(),
}).meta({ id: 'WebhookEndpointCreate' });
export type CreateEndpoint = z.infer<typeof createEndpointSchema>;

export const updateEndpointSchema = z.strictObject(fields).partial().refine((change) => Object.keys(change).length > 0, 'nothing to change').meta({ id: 'WebhookEndpointUpdate' });
export type UpdateEndpoint = z.infer<typeof updateEndpointSchema>;

const host = z.string().toLowerCase().regex(/^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'a host name, or *. and a domain');
export const callbacksSchema = z.strictObject({ allowed_hosts: z.array(host).max(200) }).meta({ id: 'WebhookCallbacks' });
export type Callbacks = z.infer<typeof callbacksSchema>;

const limit = z.coerce.number().int().min(1).max(200).default(50);
export const listSchema = z.strictObject({ limit, cursor: z.uuid().optional() });
export const listDeliveriesSchema = z.strictObject({ limit, cursor: z.uuid().optional(), state: z.enum(['pending', 'delivered', 'failed']).optional() });
/** An id as it is: what no escalation has, has no deliveries. */
export const listRequestDeliveriesSchema = listDeliveriesSchema.extend({ request_id: z.string().min(1).max(512) });
export type ListRequestDeliveries = z.infer<typeof listRequestDeliveriesSchema>;
export type ListDeliveries = z.infer<typeof listDeliveriesSchema>;

const moment = z.iso.datetime({ offset: true, error: 'an RFC 3339 time with offset' });
export const recoverSchema = z.strictObject({ since: moment, until: moment.optional() });
export type Recover = z.infer<typeof recoverSchema>;
