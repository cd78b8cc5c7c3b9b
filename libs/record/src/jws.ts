import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { sha256 } from './bytes.ts';

/** A public signing key as JWK (RFC 8037). */
export type PublicJwk = { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string; alg?: string; use?: string };
export type KeySet = { keys: PublicJwk[] };

/** What was signed and by which key; `typ` tells checkpoints, receipts and exports apart, so that none passes for another. */
export type Signed = { kid: string; typ: string; payload: string };

/** One spelling for the same bytes: unused bits are zero, so that no character can be changed unnoticed. */
const isBase64url = (text: string): boolean => text !== '' && Buffer.from(text, 'base64url').toString('base64url') === text;

/** @returns the RFC 7638 thumbprint of an Ed25519 key: its `kid`. */
export const thumbprint = (x: string): string => Buffer.from(sha256(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))).toString('base64url');

/** A compact JWS (RFC 7515) with EdDSA over Ed25519. */
export function signCompact(typ: string, payload: string, kid: string, key: KeyObject): string {
  const input = `${encode(JSON.stringify({ alg: 'EdDSA', kid, typ }))}.${encode(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}

/** Public keys by `kid`, as a file of JWKS or an export brought them. */
export class Keys {
  private readonly byId = new Map<string, KeyObject>();

  /** @throws Error where it is no set of Ed25519 keys, or a `kid` is not the key's own thumbprint */
  constructor(set: unknown) {
    const keys = (set as { keys?: unknown } | null)?.keys;
    if (!Array.isArray(keys)) throw new Error('this is no JSON Web Key Set: it has no "keys"');
    for (const jwk of keys as Partial<PublicJwk>[]) {
      if (jwk?.kty !== 'OKP' || jwk.crv !== 'Ed25519' || typeof jwk.x !== 'string') continue;
      const kid = thumbprint(jwk.x);
      if (jwk.kid !== undefined && jwk.kid !== kid) throw new Error(`key ${jwk.kid} does not have the thumbprint that it is named by`);
      this.byId.set(kid, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: jwk.x }, format: 'jwk' }));
    }
  }

  get ids(): string[] {
    return [...this.byId.keys()];
  }

  /** @returns what was signed, or why it cannot be believed. */
  open(jws: unknown, typ: string): { ok: true; signed: Signed } | { ok: false; why: string } {
    const parts = typeof jws === 'string' ? jws.split('.') : [];
    if (parts.length !== 3 || !parts.every(isBase64url)) return { ok: false, why: 'it is no compact JWS' };
    const [header, payload, signature] = parts as [string, string, string];
    const { alg, kid, typ: found } = parsed(header);
    if (alg !== 'EdDSA' || found !== typ || typeof kid !== 'string') return { ok: false, why: `its header is not that of ${typ}` };
    const key = this.byId.get(kid);
    if (!key) return { ok: false, why: `it is signed by key ${kid}, which is not among the keys given` };
    if (!verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))) return { ok: false, why: 'its signature does not fit' };
    return { ok: true, signed: { kid, typ: found, payload: Buffer.from(payload, 'base64url').toString('utf8') } };
  }
}

function parsed(part: string): Record<string, unknown> {
  try {
    const value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const encode = (text: string): string => Buffer.from(text).toString('base64url');
