import { hash, randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import { systemClock } from './clock.ts';

const RANDOM_BYTES = 16;
let random = Buffer.alloc(0);
let last = { msecs: Number.NEGATIVE_INFINITY, seq: 0 };

/** A UUIDv7 (RFC 9562): random, and ordered by time so that index pages stay hot; those of one process in the order in which they are made. */
export function newId(): string {
  // The generator is asked once for 256 of them: asked for each, it took most of the time.
  if (random.length === 0) random = randomBytes(256 * RANDOM_BYTES);
  const bytes = random.subarray(0, RANDOM_BYTES);
  random = random.subarray(RANDOM_BYTES);
  const now = systemClock.now();
  // 31 random bits to begin with, so that a millisecond has room for as many again before it ends.
  if (now > last.msecs) last = { msecs: now, seq: bytes.readUInt32BE(6) >>> 1 };
  else last = last.seq === 0xffff_ffff ? { msecs: last.msecs + 1, seq: 0 } : { msecs: last.msecs, seq: last.seq + 1 };
  return v7({ random: bytes, ...last });
}

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
export const keyDigest = (key: string): string => hash('sha256', key);

function keyChecksum(body: string): string {
  let value = hash('sha256', `umpire-key:${body}`, 'buffer').readUIntBE(0, 5);
  let text = '';
  for (let i = 0; i < 6; i++) {
    text += ALPHABET[value % 62];
    value = Math.floor(value / 62);
  }
  return text;
}
