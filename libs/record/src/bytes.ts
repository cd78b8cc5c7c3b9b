import { hash } from 'node:crypto';

/** @returns SHA-256 over the parts, one after the other; text as UTF-8. */
export function sha256(...parts: (Uint8Array | string)[]): Uint8Array {
  // In one go: a hash object for each costs more than the hashing itself.
  return hash('sha256', parts.length === 1 ? parts[0]! : Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))), 'buffer');
}

/** @returns lower-case hex. */
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

/** @returns the bytes, or null for what is not lower-case hex of `length` bytes. */
export function bytesOfHex(text: unknown, length: number): Uint8Array | null {
  return typeof text === 'string' && text.length === 2 * length && /^[0-9a-f]*$/.test(text) ? Buffer.from(text, 'hex') : null;
}
