import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { canonicalJson, type OmitPattern } from './canonical.ts';
import type { JsonNode } from './nodes.ts';
import { encodeUtf8 } from './utf8.ts';

const PROCESSING_TIME: OmitPattern = { members: new Map([['processing_time_ms', true]]) };

/** What varies between retries of one HITLRequest and is therefore no part of its content. */
const HITL_REQUEST_MEMBERS: readonly (readonly [string, OmitPattern | true])[] = [
  ['created_at', true],
  ['agent_decisions', { items: PROCESSING_TIME }],
  ['metadata', PROCESSING_TIME],
];

const CONTENT: OmitPattern = { members: new Map(HITL_REQUEST_MEMBERS) };

/** As the content digest leaves out, and the id itself: what a HITLRequest's deterministic id is made from. */
export const HITL_REQUEST_ID_OMISSIONS: OmitPattern = {
  members: new Map([...HITL_REQUEST_MEMBERS, ['request_id', true]]),
};

/**
 * SHA-256 over the canonical form of `{interaction?, payload}`: equal digests mean "the same submission again".
 *
 * @param options.hitlRequest true leaves out `created_at`, `agent_decisions[].processing_time_ms` and
 *   `metadata.processing_time_ms`; a pipeline interaction is digested whole.
 * @param options.hash SHA-256 of a text's UTF-8, where the platform has a faster one than ours (Node's is six times as fast).
 */
export function contentDigest(
  payload: JsonNode,
  interaction: JsonNode | undefined,
  options: { readonly hitlRequest: boolean; readonly hash?: (text: string) => Uint8Array },
): Uint8Array {
  const body = canonicalJson(payload, options.hitlRequest ? { omit: CONTENT } : {});
  const prefix = interaction === undefined ? '{' : `{"interaction":${canonicalJson(interaction)},`;
  return (options.hash ?? sha256)(`${prefix}"payload":${body}}`);
}

/** SHA-256 of bytes, or of a text's UTF-8. 32 bytes. */
export function sha256(input: string | Uint8Array): Uint8Array {
  return nobleSha256(typeof input === 'string' ? encodeUtf8(input) : input);
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return bytesToHex(bytes);
}

/**
 * Bytes of a hexadecimal text of either case.
 *
 * @throws Error when it is not one.
 */
export function fromHex(text: string): Uint8Array {
  return hexToBytes(text);
}

/**
 * The name-based UUID of RFC 9562, version 5, in lower case.
 *
 * @param namespace a UUID in text form.
 * @param name bytes, or a text taken as UTF-8.
 * @throws TypeError when the namespace is no UUID.
 */
export function uuidV5(namespace: string, name: string | Uint8Array): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(namespace)) {
    throw new TypeError('the namespace is not a UUID');
  }
  const hash = sha1(concatBytes(hexToBytes(namespace.replaceAll('-', '')), typeof name === 'string' ? encodeUtf8(name) : name));
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytesToHex(hash.subarray(0, 16));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
