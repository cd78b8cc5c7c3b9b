import { createHash, randomBytes } from 'node:crypto';
import { v7 } from 'uuid';

/** A UUIDv7 (RFC 9562): random, and ordered by time so that index pages stay hot. */
export const newId = (): string => v7();

/** A short name for this process among the replicas of its service. */
export const newReplicaName = (): string => randomBytes(6).toString('hex');

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * An API key: `umk_`, 32 base-62 characters (190 random bits), 6 characters of checksum. The checksum lets a typo be told
 * from a revoked key without asking the database, and lets secret scanners avoid false alarms.
 */
export function generateApiKey(): string {
  const body: string[] = [];
  while (body.length < 32) {
    // Rejection sampling: 248 is the largest multiple of 62 in a byte.
    for (const byte of randomBytes(48)) if (byte < 248 && body.length < 32) body.push(ALPHABET[byte % 62]!);
  }
  const text = body.join('');
  return `umk_${text}${keyChecksum(text)}`;
}

/** @returns whether the text has the form and checksum of an API key. Says nothing about its being known. */
export function isApiKey(text: string): boolean {
  const match = /^umk_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/.exec(text);
  return match !== null && keyChecksum(match[1]!) === match[2];
}

/** @returns hex SHA-256 of the key: what is stored and looked up. */
export const keyDigest = (key: string): string => createHash('sha256').update(key).digest('hex');

function keyChecksum(body: string): string {
  let value = createHash('sha256').update(`umpire-key:${body}`).digest().readUIntBE(0, 5);
  let text = '';
  for (let i = 0; i < 6; i++) {
    text += ALPHABET[value % 62];
    value = Math.floor(value / 62);
  }
  return text;
}
