import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const VERSION = 1;
const KEY_ID = 4;
const NONCE = 12;
const TAG = 16;

/** Reads the value of `UMPIRE_SECRET_KEY`: base64 of 32 bytes; further ones, after commas, are older keys that only open. */
export function parseSecretKeys(text: string): { ok: true; value: Buffer[] } | { ok: false; error: string } {
  const keys = text.split(',').map((part) => part.trim()).filter((part) => part !== '').map((part) => Buffer.from(part, 'base64'));
  if (keys.length === 0 || keys.some((key) => key.length !== 32)) return { ok: false, error: 'must be base64 of 32 bytes' };
  return { ok: true, value: keys };
}

/**
 * Seals small secrets for the database with AES-256-GCM: `version | key id (4) | nonce (12) | ciphertext | tag (16)`. The owner
 * (an endpoint's id) is authenticated with it, so that a sealed value moved to another row does not open.
 */
export class Sealer {
  private readonly newest: { id: Buffer; key: Buffer };
  private readonly byId: Map<string, Buffer>;

  /** @param keys 32 bytes each; the first seals, all open */
  constructor(keys: Buffer[]) {
    const named = keys.map((key) => ({ id: createHash('sha256').update(key).digest().subarray(0, KEY_ID), key }));
    this.newest = named[0]!;
    this.byId = new Map(named.map(({ id, key }) => [id.toString('hex'), key]));
  }

  seal(owner: string, plain: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.newest.key, nonce, { authTagLength: TAG });
    cipher.setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), this.newest.id, nonce, sealed, cipher.getAuthTag()]);
  }

  /** @throws Error when the key is not known, the owner is another one, or a bit was changed. */
  open(owner: string, sealed: Uint8Array): Buffer {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const key = this.byId.get(bytes.subarray(1, 1 + KEY_ID).toString('hex'));
    if (bytes[0] !== VERSION || bytes.length < 1 + KEY_ID + NONCE + TAG || !key) throw new Error('sealed under a key that this process does not have');
    const body = bytes.subarray(1 + KEY_ID + NONCE, bytes.length - TAG);
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1 + KEY_ID, 1 + KEY_ID + NONCE), { authTagLength: TAG });
    decipher.setAAD(Buffer.from(owner));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG));
    return Buffer.concat([decipher.update(body), decipher.final()]);
  }
}
