import { UmpireError, type FieldError } from '@umpire/contract';
import { Loop, withDeadline, type Logger, type Sql } from '@umpire/runtime';
import { policiesActive, policyExceededTotal } from './intake.metrics.ts';
import { checkPolicy, type CheckedPolicy } from './policy-document.ts';
import type { PolicySubject } from './policy-facts.ts';
import { inOrder, matchOf, Question, type ActivePolicy, type Failure, type PolicyMatch } from './policy-match.ts';
import { findPolicies, findRevision, type PolicyRow } from './policy.queries.ts';

const READ_MS = 5_000;

type PolicySet = { revision: bigint; byNamespace: ReadonlyMap<string, readonly ActivePolicy[]>; checked: ReadonlyMap<string, CheckedPolicy> };

/**
 * Finds the policy that takes a message. Synchronous: documents are held in memory, so that reading a batch waits for nothing.
 *
 * Each replica looks every second whether something has changed (one row) and reads the policies again if so; after a change of its
 * own at once. While Postgres is away the policies read last go on; until they were read for the first time there is no answer.
 */
export class PolicyService {
  /** Resolves once policies were read for the first time. */
  readonly loaded: Promise<void>;
  private set: PolicySet | null = null;
  private reading: Promise<void> = Promise.resolve();
  private readonly firstLoaded: () => void;
  private readonly reported = new Set<string>();
  private readonly sql: Sql;
  private readonly logger: Logger;
  private readonly loop: Loop;

  constructor(deps: { sql: Sql; logger: Logger; intervalMs: number }) {
    this.sql = deps.sql;
    this.logger = deps.logger;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.loaded = promise;
    this.firstLoaded = resolve;
    this.loop = new Loop({ name: 'policy-refresh', intervalMs: deps.intervalMs, logger: deps.logger, runOnce: () => this.runOnce().then(() => 0) });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** @returns whether something had changed */
  async runOnce(): Promise<boolean> {
    const revision = await withDeadline(findRevision(this.sql), READ_MS, 'revision of policies');
    if (revision === this.set?.revision) return false;
    await this.refresh();
    return true;
  }

  /** Reads the policies as they are now, whatever is being read already. */
  refresh(): Promise<void> {
    this.reading = this.reading.catch(() => undefined).then(() => this.read());
    return this.reading;
  }

  /**
   * @returns the policy, or null where none takes it: then the built-in rules hold, which are any reviewer of the namespace, the
   * form of the reason, one hour, then expiry (`resolveRules`).
   * @throws UmpireError `unavailable` before policies were read for the first time
   */
  policyFor(subject: PolicySubject): PolicyMatch | null {
    const policies = this.of(subject.namespace);
    if (policies.length === 0) return null;
    const question = new Question(subject);
    const taking = policies.find((policy) => {
      const failure = question.ask(policy);
      if (failure?.exceeded) this.reportExceeded(subject.namespace, policy);
      return failure === null;
    });
    return taking ? matchOf(taking) : null;
  }

  /** Asks every policy, in order: the first without a failure takes the message. @throws as `policyFor` */
  examine(subject: PolicySubject): { policy: ActivePolicy; failure: Failure | null }[] {
    const question = new Question(subject);
    return this.of(subject.namespace).map((policy) => ({ policy, failure: question.ask(policy) }));
  }

  /** The namespace's policies in the order in which they are asked. @throws as `policyFor` */
  inForce(namespace: string): readonly ActivePolicy[] {
    return this.of(namespace);
  }

  /** Whether a policy of the namespace says what a newer evaluation of a task does to earlier ones. @throws as `policyFor` */
  followsTasks(namespace: string): boolean {
    return this.of(namespace).some(({ enabled, document }) => enabled && document.same_task !== undefined);
  }

  private of(namespace: string): readonly ActivePolicy[] {
    if (!this.set) throw new UmpireError('unavailable', 'the policies have not been read yet; try again', { extra: { retry_after: 1 } });
    return this.set.byNamespace.get(namespace) ?? [];
  }

  private async read(): Promise<void> {
    const { revision, policies } = await withDeadline(findPolicies(this.sql), READ_MS, 'policies');
    if (this.set && revision < this.set.revision) return;
    const first = this.set === null;
    this.set = this.compile(revision, policies);
    policiesActive().set(policies.filter((policy) => policy.enabled).length);
    this.logger.info({ revision: String(revision), policies: policies.length }, 'policies_read');
    if (first) this.firstLoaded();
  }

  private compile(revision: bigint, rows: readonly PolicyRow[]): PolicySet {
    const checked = new Map<string, CheckedPolicy>();
    const byNamespace = new Map<string, ActivePolicy[]>();
    for (const row of rows) {
      const key = `${row.namespace}/${row.id}@${row.version}`;
      const policy = this.set?.checked.get(key) ?? this.check(row);
      if (!policy) continue;
      checked.set(key, policy);
      const { id, version, enabled } = row;
      byNamespace.set(row.namespace, [...(byNamespace.get(row.namespace) ?? []), { ...policy, id, version, enabled }]);
    }
    return { revision, checked, byNamespace: new Map([...byNamespace].map(([namespace, policies]) => [namespace, inOrder(policies)])) };
  }

  /** What was taken once may be refused by a newer build: one such policy must not keep the others from working. */
  private check({ namespace, id, version, document }: PolicyRow): CheckedPolicy | null {
    const read = checkPolicy(JSON.parse(document) as unknown, namespace);
    if (read.ok) return read.policy;
    const errors: FieldError[] = read.errors;
    this.logger.error({ namespace, policy: id, version, errors }, 'policy_not_usable');
    return null;
  }

  /** Counted each time, told once for each version. */
  private reportExceeded(namespace: string, { id, version }: ActivePolicy): void {
    policyExceededTotal().inc({ namespace, policy: id });
    const key = `${namespace}/${id}@${version}`;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    this.logger.warn({ namespace, policy: id, version }, 'policy_expression_costs_too_much');
  }
}
