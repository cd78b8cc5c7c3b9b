import { ROLES, UmpireError, type Principal } from '@umpire/contract';
import { databaseNow, generateApiKey, keyDigest, newId, withDeadline, type Sql } from '@umpire/runtime';
import { z } from 'zod';
import { flag, identityName, idIn, invalidField, MAX_ROLES, moment, pageOf, pageQuery, readMark, seconds } from './identity-schemas.ts';
import { findKey, findKeys, insertKey, revokeKey, type KeyView } from './keys.queries.ts';

const SQL_MS = 5_000;

export const newKeySchema = z.strictObject({
  name: identityName.max(200),
  roles: z.array(identityName).min(1).max(MAX_ROLES.key),
  user_id: identityName.nullish(),
  /** Either of the two, or neither: then it ends when it is revoked. */
  expires_at: moment.nullish(),
  expires_in_seconds: seconds.nullish(),
});
export const keyListQuery = pageQuery.extend({ user_id: z.string().max(256).optional(), active: flag });

/** A namespace's API keys. Only their SHA-256 is kept: a key is shown once, when it is made. */
export class IdentityKeys {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  /** @throws UmpireError `invalid` */
  async create(caller: Principal, asked: z.infer<typeof newKeySchema>): Promise<KeyView & { key: string; namespace: string }> {
    const { namespace } = caller;
    const roles = [...new Set(asked.roles)];
    const known: readonly string[] = ROLES;
    if (!roles.some((role) => known.includes(role))) throw invalidField('roles', 'no_access', `must hold one of ${ROLES.join(', ')}: other names open nothing by themselves`);
    if (roles.includes('reviewer') && !asked.user_id) throw invalidField('user_id', 'required', 'must name the person who reviews');
    const key = generateApiKey();
    const id = newId();
    await withDeadline(insertKey(this.sql, {
      id, namespace, name: asked.name, digest: keyDigest(key), roles, user_id: asked.user_id ?? null, expires_at: await this.end(asked), created_by: nameOf(caller),
    }), SQL_MS, 'key');
    return { ...(await this.get(namespace, id)), key, namespace };
  }

  /** @throws UmpireError `not_found` */
  async get(namespace: string, id: string): Promise<KeyView> {
    const key = await withDeadline(findKey(this.sql, namespace, idIn(id, 'key')), SQL_MS, 'key');
    if (!key) throw new UmpireError('not_found', 'no key has this id');
    return key;
  }

  async list(namespace: string, query: z.infer<typeof keyListQuery>): Promise<{ items: KeyView[]; next: string | null }> {
    const filter = { user_id: query.user_id ?? null, active: query.active };
    const rows = await withDeadline(findKeys(this.sql, namespace, filter, readMark(query.after), query.limit + 1), SQL_MS, 'keys');
    return pageOf(rows, query.limit, (key) => [key.created_at, key.id]);
  }

  /**
   * Ends a key at once, and again without effect.
   * @throws UmpireError `not_found`; `conflict` for the key in use, so that an admin does not lock everybody out
   */
  async revoke(caller: Principal, id: string): Promise<KeyView> {
    if (caller.key_id === id) throw new UmpireError('conflict', 'this is the key that you are using: revoke it with another admin\'s');
    const key = await withDeadline(revokeKey(this.sql, caller.namespace, idIn(id, 'key'), nameOf(caller)), SQL_MS, 'key');
    if (!key) throw new UmpireError('not_found', 'no key has this id');
    return key;
  }

  private async end({ expires_at, expires_in_seconds }: z.infer<typeof newKeySchema>): Promise<string | null> {
    if (expires_at && expires_in_seconds) throw invalidField('expires_at', 'ambiguous', 'and expires_in_seconds cannot both be given');
    if (!expires_at && !expires_in_seconds) return null;
    const now = await withDeadline(databaseNow(this.sql), SQL_MS, 'database clock');
    const end = expires_at ? Date.parse(expires_at) : now + Math.ceil(expires_in_seconds! * 1_000);
    if (end <= now) throw invalidField('expires_at', 'past', 'must lie in the future');
    return new Date(end).toISOString();
  }
}

/** Who did something, as it is put on record. */
export const nameOf = (caller: Principal): string => caller.user_id ?? caller.key_id;
