import { decodeUtf8, encodeUtf8 } from './utf8.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const SEXTETS: ReadonlyMap<string, number> = new Map(Array.from(ALPHABET, (letter, index) => [letter, index] as const));

/** base64url without padding (RFC 4648, 5). */
export function toBase64Url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const letters = Math.min(4, bytes.length - i + 1);
    for (let k = 0; k < letters; k++) {
      text += ALPHABET.charAt((group >> (18 - 6 * k)) & 63);
    }
  }
  return text;
}

/** Bytes of an unpadded base64url text; null unless it is exactly what `toBase64Url` writes. */
export function fromBase64Url(text: string): Uint8Array | null {
  if (text.length % 4 === 1) {
    return null;
  }
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const letter of text) {
    const sextet = SEXTETS.get(letter);
    if (sextet === undefined) {
      return null;
    }
    bits = ((bits << 6) | sextet) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[length++] = (bits >> held) & 0xff;
    }
  }
  // Bits left over must be zero, or two tokens would name one id.
  return (bits & ((1 << held) - 1)) === 0 ? bytes : null;
}

/** A request id as one token for subjects, URLs (after `~`) and headers. */
export function idToken(id: string): string {
  return toBase64Url(encodeUtf8(id));
}

/** The id that a token names; null when it is not a token of ours. */
export function parseIdToken(token: string): string | null {
  const bytes = fromBase64Url(token);
  if (bytes === null || bytes.length === 0) {
    return null;
  }
  try {
    return decodeUtf8(bytes);
  } catch {
    return null;
  }
}
