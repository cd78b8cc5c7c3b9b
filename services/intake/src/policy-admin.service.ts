import { UmpireError, type Principal } from '@umpire/contract';
import { transaction, withDeadline, type Logger, type Sql, type Tx } from '@umpire/runtime';
import { checkPolicy, type PolicyDocument } from './policy-document.ts';
import type { PolicyService } from './policy.service.ts';
import {
  countPolicies, findHead, findPolicy, findPolicyPage, findVersionPage, insertPolicy, insertVersion, raiseRevision, setActive,
  type PolicyHead, type PolicyRow, type VersionRow,
} from './policy.queries.ts';

const WRITE_MS = 10_000;
const READ_MS = 5_000;
/** Each message is shown to all of them until one takes it. */
const MOST_POLICIES = 200;

/** A policy as the API shows it. Times RFC 3339. */
export type PolicyView = {
  id: string; version: number; enabled: boolean; priority: number; description: string | null; created_at: string; created_by: string; document: PolicyDocument;
};
export type VersionView = Omit<PolicyView, 'enabled'> & { active: boolean };
export type Page<T> = { items: T[]; next: string | null };

type Named = { namespace: string; id: string };

/**
 * Changes policies. Versions are only ever added; one of them, or none, is in force. Every change raises the revision that replicas
 * look at, first thing in its transaction: that row's lock keeps changes apart.
 */
export class PolicyAdmin {
  private readonly sql: Sql;
  private readonly policies: PolicyService;
  private readonly logger: Logger;

  constructor(deps: { sql: Sql; policies: PolicyService; logger: Logger }) {
    this.sql = deps.sql;
    this.policies = deps.policies;
    this.logger = deps.logger;
  }

  /**
   * Puts a document in force as its policy's next version. The document that is in force already makes no new one. A disabled policy
   * stays disabled; a deleted one is there again.
   * @throws UmpireError `invalid` naming every field at fault; `conflict` above the number of policies that a namespace may have
   */
  async apply(caller: Principal, value: unknown): Promise<{ policy: PolicyView; created: boolean }> {
    const document = checked(value, caller.namespace);
    const named = { namespace: caller.namespace, id: document.id };
    const text = JSON.stringify(document);
    const created = await this.change(named, async (tx, head) => {
      if (head?.active_version != null && head.document === text) return null;
      if (head?.active_version == null && (await countPolicies(tx, named.namespace)) >= MOST_POLICIES) throw new UmpireError('conflict', `a namespace may have ${MOST_POLICIES} policies`);
      if (!head) await insertPolicy(tx, named.namespace, named.id);
      const version = (head?.latest ?? 0) + 1;
      const enabled = head?.active_version == null || head.enabled;
      const created_by = caller.user_id ?? caller.key_id;
      const created_at = await insertVersion(tx, { ...named, version, document: text, created_by });
      await setActive(tx, named.namespace, named.id, { version, enabled });
      return viewOf({ ...named, version, enabled, document: text, created_by, created_at });
    });
    if (created) this.logger.info({ namespace: caller.namespace, policy: created.id, version: created.version, key_id: caller.key_id }, 'policy_applied');
    return { policy: created ?? (await this.get(caller.namespace, document.id)), created: created !== null };
  }

  /** What `apply` would put in force. @throws UmpireError as `apply`, of the document */
  async check(caller: Principal, value: unknown): Promise<Omit<PolicyView, 'created_at' | 'created_by'>> {
    const document = checked(value, caller.namespace);
    const [page, now] = await Promise.all([
      withDeadline(findVersionPage(this.sql, caller.namespace, document.id, MAX_VERSION, 1), READ_MS, 'versions of a policy'),
      withDeadline(findPolicy(this.sql, caller.namespace, document.id), READ_MS, 'policy'),
    ]);
    const same = now?.document === JSON.stringify(document);
    return { id: document.id, version: same ? now.version : (page[0]?.version ?? 0) + 1, enabled: now?.enabled ?? true, ...shown(document), document };
  }

  async list(namespace: string, after: string, limit: number): Promise<Page<PolicyView>> {
    const rows = await withDeadline(findPolicyPage(this.sql, namespace, after, limit + 1), READ_MS, 'policies');
    const items = rows.slice(0, limit).map(viewOf);
    return { items, next: rows.length > limit ? items.at(-1)!.id : null };
  }

  /** @throws UmpireError `not_found` */
  async get(namespace: string, id: string): Promise<PolicyView> {
    const row = await withDeadline(findPolicy(this.sql, namespace, id), READ_MS, 'policy');
    if (!row) throw unknown(id);
    return viewOf(row);
  }

  /** Newest first, those of a deleted policy too. @throws UmpireError `not_found` */
  async versions(namespace: string, id: string, before: number | undefined, limit: number): Promise<Page<VersionView>> {
    const rows = await withDeadline(findVersionPage(this.sql, namespace, id, before ?? MAX_VERSION, limit + 1), READ_MS, 'versions of a policy');
    if (rows.length === 0 && before === undefined) throw unknown(id);
    const items = rows.slice(0, limit).map((row) => versionOf(id, row));
    return { items, next: rows.length > limit ? String(items.at(-1)!.version) : null };
  }

  /** @throws UmpireError `not_found` */
  async version(namespace: string, id: string, version: number): Promise<VersionView> {
    const [row] = await withDeadline(findVersionPage(this.sql, namespace, id, version + 1, 1), READ_MS, 'version of a policy');
    if (row?.version !== version) throw new UmpireError('not_found', `the policy ${id} has no version ${version}`);
    return versionOf(id, row);
  }

  /** Puts an earlier version in force again. @throws UmpireError `not_found`; `invalid` if this build cannot use it any more */
  async activate(caller: Principal, id: string, version: number): Promise<PolicyView> {
    const { namespace } = caller;
    const { document } = await this.version(namespace, id, version);
    checked(document, namespace);
    await this.change({ namespace, id }, (tx, head) => setActive(tx, namespace, id, { version, enabled: head!.enabled }));
    this.logger.info({ namespace, policy: id, version, key_id: caller.key_id }, 'policy_activated');
    return this.get(namespace, id);
  }

  /** @throws UmpireError `not_found` */
  async enable(caller: Principal, id: string, enabled: boolean): Promise<PolicyView> {
    await this.changeActive(caller, id, (head) => ({ version: head.active_version, enabled }));
    this.logger.info({ namespace: caller.namespace, policy: id, enabled, key_id: caller.key_id }, 'policy_enabled');
    return this.get(caller.namespace, id);
  }

  /** Its versions stay on record. @throws UmpireError `not_found` */
  async remove(caller: Principal, id: string): Promise<void> {
    await this.changeActive(caller, id, (head) => ({ version: null, enabled: head.enabled }));
    this.logger.info({ namespace: caller.namespace, policy: id, key_id: caller.key_id }, 'policy_deleted');
  }

  private changeActive({ namespace }: Principal, id: string, to: (head: PolicyHead) => { version: number | null; enabled: boolean }): Promise<void> {
    return this.change({ namespace, id }, async (tx, head) => {
      if (head?.active_version == null) throw unknown(id);
      await setActive(tx, namespace, id, to(head));
    });
  }

  private async change<T>({ namespace, id }: Named, work: (tx: Tx, head: PolicyHead | undefined) => Promise<T>): Promise<T> {
    const result = await transaction(this.sql, WRITE_MS, async (tx) => {
      await raiseRevision(tx);
      return work(tx, await findHead(tx, namespace, id));
    });
    // Committed whatever comes: a replica that cannot read now reads it a second later.
    await this.policies.refresh().catch((error: unknown) => this.logger.warn({ err: error }, 'policies_not_read'));
    return result;
  }
}

const MAX_VERSION = 2_147_483_647;

function checked(value: unknown, namespace: string): PolicyDocument {
  const read = checkPolicy(value, namespace);
  if (!read.ok) throw new UmpireError('invalid', 'some fields of the policy are not valid', { errors: read.errors });
  return read.policy.document;
}

function unknown(id: string): UmpireError {
  return new UmpireError('not_found', `no policy is named ${JSON.stringify(id)}`);
}

function viewOf(row: PolicyRow): PolicyView {
  const document = JSON.parse(row.document) as PolicyDocument;
  return { id: row.id, version: row.version, enabled: row.enabled, ...shown(document), created_at: row.created_at.toISOString(), created_by: row.created_by, document };
}

function versionOf(id: string, row: VersionRow): VersionView {
  const document = JSON.parse(row.document) as PolicyDocument;
  return { id, version: row.version, active: row.active, ...shown(document), created_at: row.created_at.toISOString(), created_by: row.created_by, document };
}

function shown({ priority, description }: PolicyDocument): { priority: number; description: string | null } {
  return { priority, description: description ?? null };
}
