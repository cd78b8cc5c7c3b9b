import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { UmpireError, type Principal } from '@umpire/contract';
import { signCompact, thumbprint, type KeySet } from '@umpire/record';
import { transaction, withDeadline, type Sealer, type Sql, type Tx } from '@umpire/runtime';
import { appendLog, askerOf } from './audit-log.queries.ts';
import { insertSigningKey, lockSigningKeys, signingKeys, type SigningKeyRow } from './signing-keys.queries.ts';

const READ_MS = 5_000;
/** Keys change rarely; a new one is published before it signs by far longer than this. */
const KEPT_MS = 5_000;

export type Signer = { kid: string; sign(typ: string, payload: string): string };

/**
 * Keys that sign checkpoints, receipts and exports. Private halves lie in the database, sealed under a key that only this service's
 * configuration holds: who has the database alone can sign nothing.
 */
export class SigningKeys {
  private readonly sql: Sql;
  private readonly sealer: Sealer | null;
  private readonly now: () => number;
  private readonly namespace: string;
  private known: { until: number; rows: SigningKeyRow[] } | null = null;
  private readonly opened = new Map<string, KeyObject>();

  /**
   * @param sealer null where no sealing key is configured: nothing can be signed then
   * @param namespace whose administrators may make the next key: the keys are one for all namespaces
   */
  constructor(sql: Sql, sealer: Sealer | null, namespace: string, now: () => number) {
    this.sql = sql;
    this.namespace = namespace;
    this.sealer = sealer;
    this.now = now;
  }

  get configured(): boolean {
    return this.sealer !== null;
  }

  /**
   * Every key there ever was, if its private half opens here: what an old one signed is checked with it for good. What somebody else wrote
   * into the database is none of ours, and nobody who trusts this list shall trust it.
   */
  async published(): Promise<KeySet> {
    const ours = (await this.rows()).flatMap((row) => this.opens(row) ?? []);
    return { keys: ours.map((key) => publicX(key)).map((x) => ({ kty: 'OKP', crv: 'Ed25519', x, kid: thumbprint(x), alg: 'EdDSA', use: 'sig' })) };
  }

  /**
   * The key that signs now; the first is made when it is asked for.
   * @throws UmpireError `unavailable` where no sealing key is configured, or it is not the one the keys were sealed under
   */
  async signer(): Promise<Signer> {
    this.need();
    let row = (await this.rows()).find(({ state }) => state === 'signing');
    row ??= await this.first();
    const key = this.opens(row);
    if (key === null) throw new UmpireError('unavailable', `signing key ${row.kid} was sealed under another UMPIRE_AUDIT_SECRET_KEY than the store has`);
    const { kid } = row;
    return { kid, sign: (typ, payload) => signCompact(typ, payload, kid, key) };
  }

  /**
   * Makes the next key: published at once, signing after `overlapSeconds`.
   * @throws UmpireError `forbidden` for an administrator of another namespace: a tenant may not change what the others' receipts are signed with
   */
  async rotate(caller: Principal, overlapSeconds: number) {
    if (caller.namespace !== this.namespace) throw new UmpireError('forbidden', `signing keys are for the whole installation: an administrator of namespace ${this.namespace} makes the next (UMPIRE_AUDIT_KEY_NAMESPACE)`);
    await transaction(this.sql, READ_MS, async (tx) => {
      await lockSigningKeys(tx);
      const kid = await this.make(tx, askerOf(caller), overlapSeconds);
      await appendLog(tx, caller.namespace, { kind: 'key', by: askerOf(caller), made: kid, signs_after_seconds: overlapSeconds });
    });
    this.known = null;
    return this.list();
  }

  /** Without the private halves. */
  async list() {
    const items = (await this.rows()).map(({ kid, state, created_at, created_by, signs_from }) => ({ kid, state, created_at, created_by, signs_from }));
    return { items, next: null };
  }

  private async first(): Promise<SigningKeyRow> {
    await transaction(this.sql, READ_MS, async (tx) => {
      await lockSigningKeys(tx);
      if ((await signingKeys(tx)).every(({ state }) => state === 'next')) await this.make(tx, 'umpire', 0);
    });
    this.known = null;
    return (await this.rows()).find(({ state }) => state === 'signing')!;
  }

  private async make(tx: Tx, by: string, afterSeconds: number): Promise<string> {
    const sealer = this.need();
    const { privateKey } = generateKeyPairSync('ed25519');
    const { x } = privateKey.export({ format: 'jwk' }) as { x: string };
    const kid = thumbprint(x);
    await insertSigningKey(tx, { kid, public_x: x, sealed: sealer.seal(kid, privateKey.export({ format: 'der', type: 'pkcs8' })), created_by: by, afterSeconds });
    return kid;
  }

  /** @returns the private half; null where no sealing key of ours opens it */
  private opens({ kid, sealed }: SigningKeyRow): KeyObject | null {
    const known = this.opened.get(kid);
    if (known) return known;
    try {
      const key = this.sealer && createPrivateKey({ key: this.sealer.open(kid, sealed), format: 'der', type: 'pkcs8' });
      if (key) this.opened.set(kid, key);
      return key;
    } catch {
      return null;
    }
  }

  private async rows(): Promise<SigningKeyRow[]> {
    const now = this.now();
    if (this.known && this.known.until > now) return this.known.rows;
    const rows = await withDeadline(signingKeys(this.sql), READ_MS, 'signing keys');
    this.known = { until: now + KEPT_MS, rows };
    return rows;
  }

  private need(): Sealer {
    if (!this.sealer) throw new UmpireError('unavailable', 'nothing is signed here: the state store has no UMPIRE_AUDIT_SECRET_KEY');
    return this.sealer;
  }
}

const publicX = (key: KeyObject): string => (createPublicKey(key).export({ format: 'jwk' }) as { x: string }).x;
