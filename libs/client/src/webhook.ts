import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { decodeUtf8, encodeUtf8, UmpireError, type Outcome, type Reason } from '@umpire/contract';
import { wallClock } from './clock.ts';

/** A webhook's body, as in the contract, and what we add. `escalation` is the producer's own: compare its text, not its numbers. */
export type WebhookEvent = {
  event: 'hitl_escalation_required' | 'hitl_escalation_resolved' | 'hitl_escalation_expired' | 'hitl_escalation_cancelled' | 'hitl_escalation_raised'
    | 'hitl_escalation_reminder' | 'hitl_escalation_iterated' | 'endpoint_disabled' | 'test';
  /** The same for every delivery of one event, on JetStream and on the WebSocket: what to deduplicate by. */
  id: string;
  schema_version: string;
  timestamp: string;
  namespace: string;
  /** Orders the events of one escalation; deliveries may overtake each other. */
  seq: number;
  request_id?: string;
  reason?: Reason;
  escalation: Record<string, unknown> | null;
  interaction: Record<string, unknown> | null;
  outcome?: Outcome;
};

/** Headers as `fetch`, Node and most frameworks have them. */
export type WebhookHeaders = Headers | Record<string, string | readonly string[] | undefined>;

export type VerifyOptions = {
  /** How far the sender's clock may be off, seconds; 5 minutes. */
  toleranceSeconds?: number | undefined;
  /** Milliseconds since the epoch; the process's clock. */
  now?: number | undefined;
};

const TOLERANCE_SECONDS = 300;
const SECRET_BYTES = { least: 24, most: 64 };

/**
 * Verifies a webhook and reads it.
 * @param body the bytes as they came: a body that was parsed and printed again has another signature
 * @param secrets one `whsec_` text, or several while one takes over from another
 * @throws UmpireError `unauthenticated` for what is not signed by these secrets or is too old; `bad_request` for a body that is no event
 */
export function verifyWebhook(body: string | Uint8Array, headers: WebhookHeaders, secrets: string | readonly string[], options?: VerifyOptions): WebhookEvent {
  verifySignature(body, headers, secrets, options);
  return read(typeof body === 'string' ? body : decodeUtf8(body));
}

/**
 * The signature alone (Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`): any one that fits any secret is enough.
 * @throws UmpireError `unauthenticated`
 */
export function verifySignature(body: string | Uint8Array, headers: WebhookHeaders, secrets: string | readonly string[], options: VerifyOptions = {}): void {
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  checkTime(timestamp, options);
  const signed = concat(encodeUtf8(`${id}.${timestamp}.`), typeof body === 'string' ? encodeUtf8(body) : body);
  const expected = [secrets].flat().map((secret) => hmac(sha256, secretBytes(secret), signed));
  const offered = signatures.split(' ').filter((one) => one.startsWith('v1,')).map((one) => fromBase64(one.slice(3)));
  // Every pair is compared to its end, so that the time taken tells nothing.
  let fits = false;
  for (const one of offered) for (const other of expected) if (one !== null && sameBytes(one, other)) fits = true;
  if (!fits) throw new UmpireError('unauthenticated', 'no signature of the webhook fits the secret');
}

function read(text: string): WebhookEvent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UmpireError('bad_request', 'the webhook is signed, but no JSON', { cause: error });
  }
  if (typeof value !== 'object' || value === null || typeof (value as WebhookEvent).event !== 'string') throw new UmpireError('bad_request', 'the webhook is signed, but no event');
  return value as WebhookEvent;
}

function checkTime(timestamp: string, { toleranceSeconds = TOLERANCE_SECONDS, now = wallClock() }: VerifyOptions): void {
  if (!/^\d{1,12}$/.test(timestamp)) throw new UmpireError('unauthenticated', 'webhook-timestamp is no number of seconds');
  if (Math.abs(now / 1_000 - Number(timestamp)) > toleranceSeconds) throw new UmpireError('unauthenticated', 'the webhook was signed too long ago, or too far ahead');
}

function headerOf(headers: WebhookHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const text = typeof value === 'object' && value !== null ? value[0] : value;
  if (text === undefined || text === null || text === '') throw new UmpireError('unauthenticated', `the webhook has no ${name}`);
  return text;
}

/** @throws UmpireError `bad_request`: a mistake of the receiver's own, not the sender's */
function secretBytes(secret: string): Uint8Array {
  const bytes = fromBase64(secret.replace(/^whsec_/, ''));
  if (bytes === null || bytes.length < SECRET_BYTES.least || bytes.length > SECRET_BYTES.most) {
    throw new UmpireError('bad_request', `a webhook secret is whsec_ and base64 of ${SECRET_BYTES.least} to ${SECRET_BYTES.most} bytes`);
  }
  return bytes;
}

function fromBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let i = 0; i < other.length; i += 1) difference |= (one[i] ?? 0) ^ other[i]!;
  return difference === 0;
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
