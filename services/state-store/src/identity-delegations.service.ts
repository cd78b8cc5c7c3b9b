import { UmpireError, type FieldError, type Principal } from '@umpire/contract';
import { databaseNow, newId, withDeadline, type Sql } from '@umpire/runtime';
import { z } from 'zod';
import { DELEGATION_DAYS, findDelegation, findDelegations, insertDelegation, revokeDelegation, type DelegationView } from './identity-delegations.queries.ts';
import { nameOf } from './identity-keys.service.ts';
import { flag, identityName, idIn, invalidField, moment, note, pageOf, pageQuery, readMark, seconds } from './identity-schemas.ts';

const SQL_MS = 5_000;
const DAY_MS = 24 * 3_600_000;
/** How far ahead a delegation may be arranged. */
const AHEAD_DAYS = 366;

export const newDelegationSchema = z.strictObject({
  to: identityName,
  /** Whose place: the caller's own unless an admin says whose. */
  from: identityName.optional(),
  /** Now, if it is left out. */
  starts_at: moment.nullish(),
  /** One of the two; the period is counted from the start. */
  until: moment.nullish(),
  seconds: seconds.nullish(),
  detail: note.nullish(),
});
export const delegationListQuery = pageQuery.extend({ user_id: z.string().max(256).optional(), in_force: flag });
type Asked = z.infer<typeof newDelegationSchema>;

/**
 * Standing delegations: for a period someone sees and decides what another may, in that person's seat and with both names on
 * record. It goes one step only: what came by delegation is not delegated further.
 */
export class IdentityDelegations {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  /** @throws UmpireError `forbidden` for another's place, `invalid` */
  async create(caller: Principal, asked: Asked): Promise<DelegationView> {
    const from = delegatorOf(caller, asked.from);
    if (asked.to === from) throw invalidField('to', 'self', 'must be somebody else');
    const now = await withDeadline(databaseNow(this.sql), SQL_MS, 'database clock');
    const { starts_at, until } = periodOf(asked, now);
    // A token's roles are known only now; a key's are looked up when they are needed.
    const token_roles = from === caller.user_id && caller.key_id.startsWith('jwt:') ? caller.roles : [];
    const delegation = { id: newId(), namespace: caller.namespace, from, to: asked.to, token_roles, starts_at, until, detail: asked.detail ?? null, created_by: nameOf(caller) };
    return withDeadline(insertDelegation(this.sql, delegation), SQL_MS, 'delegation');
  }

  /** A person's own, given and received; an admin sees everybody's. @throws UmpireError `forbidden` */
  async list(caller: Principal, query: z.infer<typeof delegationListQuery>): Promise<{ items: DelegationView[]; next: string | null }> {
    const admin = caller.roles.includes('admin');
    const user_id = query.user_id ?? (admin ? null : caller.user_id);
    if (!admin && user_id !== caller.user_id) throw new UmpireError('forbidden', 'only your own delegations, or an admin\'s look at anybody\'s');
    const rows = await withDeadline(findDelegations(this.sql, caller.namespace, { user_id, in_force: query.in_force }, readMark(query.after), query.limit + 1), SQL_MS, 'delegations');
    return pageOf(rows, query.limit, (delegation) => [delegation.created_at, delegation.id]);
  }

  /** @throws UmpireError `not_found`, also for one between others */
  async get(caller: Principal, id: string): Promise<DelegationView> {
    const delegation = await withDeadline(findDelegation(this.sql, caller.namespace, idIn(id, 'delegation')), SQL_MS, 'delegation');
    const own = delegation && caller.user_id !== null && [delegation.from, delegation.to].includes(caller.user_id);
    if (!delegation || (!own && !caller.roles.includes('admin'))) throw new UmpireError('not_found', 'no delegation has this id');
    return delegation;
  }

  /** Takes it back, gives it back, or (an admin) ends it; again without effect. @throws UmpireError `not_found` */
  async revoke(caller: Principal, id: string): Promise<DelegationView> {
    await this.get(caller, id);
    await withDeadline(revokeDelegation(this.sql, caller.namespace, id, nameOf(caller)), SQL_MS, 'delegation');
    return this.get(caller, id);
  }
}

function delegatorOf(caller: Principal, from: string | undefined): string {
  const own = caller.roles.includes('reviewer') ? caller.user_id : null;
  if (from === undefined && own === null) throw invalidField('from', 'required', 'must name whose place it is');
  if (from !== undefined && from !== own && !caller.roles.includes('admin')) throw new UmpireError('forbidden', 'only your own place is yours to delegate');
  return from ?? own!;
}

/** @returns ms */
function periodOf(asked: Asked, now: number): { starts_at: number; until: number } {
  const errors: FieldError[] = [];
  const fault = (path: string, code: string, message: string) => void errors.push({ path, code, message });
  const starts_at = asked.starts_at ? Date.parse(asked.starts_at) : now;
  const given = [asked.until, asked.seconds].filter((end) => end !== undefined && end !== null);
  if (given.length !== 1) throw invalidField('until', 'required', 'or seconds must say when it ends, not both');
  const until = asked.until ? Date.parse(asked.until) : starts_at + Math.ceil(asked.seconds! * 1_000);
  if (starts_at > now + AHEAD_DAYS * DAY_MS) fault('starts_at', 'too_far', `must be at most ${AHEAD_DAYS} days ahead`);
  if (until <= now) fault('until', 'past', 'must lie in the future');
  else if (until <= starts_at) fault('until', 'order', 'must come after the start');
  if (until > starts_at + DELEGATION_DAYS * DAY_MS) fault('until', 'too_long', `must be at most ${DELEGATION_DAYS} days after the start`);
  if (errors.length > 0) throw new UmpireError('invalid', 'the period is not valid', { errors });
  return { starts_at, until };
}
