import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

const PREFIX = 'whsec_';

/** A new signing secret: 32 random bytes. */
export const newSecret = (): Buffer => randomBytes(32);

/** The form in which receivers configure it. */
export const secretText = (secret: Uint8Array): string => `${PREFIX}${Buffer.from(secret).toString('base64')}`;

/** @returns the bytes of a `whsec_` text; null unless it is base64 of 24 to 64 bytes (Standard Webhooks, "Signature scheme"). */
export function parseSecret(text: string): Buffer | null {
  const body = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text;
  const bytes = Buffer.from(body, 'base64');
  return bytes.toString('base64') === body && bytes.length >= 24 && bytes.length <= 64 ? bytes : null;
}

/** A secret made ready to sign with: doing that anew for each signature costs more than signing. */
export const signingKey = (secret: Uint8Array): KeyObject => createSecretKey(secret);

/**
 * The three headers of Standard Webhooks. Each key gives one `v1` signature over `id.timestamp.body`; a receiver accepts any.
 * @param timestamp seconds since the epoch, of this attempt
 */
export function signatureHeaders(id: string, timestamp: number, body: Uint8Array, keys: readonly KeyObject[]): Record<string, string> {
  const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}
