import { LIMITS, UmpireError, type FieldError, type Principal, type Reason, type Rules } from '@umpire/contract';
import { newId } from '@umpire/runtime';
import { codeOf } from './message/errors.ts';
import { readMessage } from './message/read-message.ts';
import type { SameTask } from './policy-document.ts';
import { matchOf, type Failure } from './policy-match.ts';
import type { PolicyService } from './policy.service.ts';

/** What would become of a message. `failed` is the first condition of a policy that did not hold. */
export type Simulation = {
  kind: 'escalation' | 'interaction';
  reason: Reason;
  /** Who would take it; null: nobody, the built-in rules hold. */
  policy: { id: string; version: number } | null;
  /** What it would be decided by; null if the message and the policy do not go together. */
  rules: Rules | null;
  same_task: SameTask | null;
  /** Why the message would be refused, although it is well formed. */
  errors: FieldError[];
  /** Every policy in the order in which they are asked. */
  policies: { id: string; version: number; priority: number; matched: boolean; taken: boolean; failed: Pick<Failure, 'path' | 'message'> | null }[];
};

type Asked = Pick<Simulation, 'kind' | 'reason'> & { examined: ReturnType<PolicyService['examine']> };

/** Shows a message to the policies and stores nothing. */
export class PolicySimulation {
  private readonly policies: PolicyService;
  private readonly now: () => number;

  constructor(policies: PolicyService, now: () => number) {
    this.policies = policies;
    this.now = now;
  }

  /**
   * @param body a message in any of the forms that producers send
   * @throws UmpireError with the code and every field at fault if it would be refused before any policy is asked
   */
  simulate({ namespace }: Principal, body: Uint8Array): Simulation {
    if (body.length > LIMITS.request) throw new UmpireError('too_large', `a message may have ${LIMITS.request} bytes`);
    const asked: Asked[] = [];
    const read = readMessage(body, { namespace, subject: null, submission: '', interactionId: newId, now: this.now }, (subject) => {
      const examined = this.policies.examine(subject);
      asked.push({ kind: subject.kind, reason: subject.reason, examined });
      const taking = examined.find(({ failure }) => failure === null);
      return taking ? matchOf(taking.policy) : null;
    });
    const [first] = asked;
    if (!first) {
      if (read.ok) throw new UmpireError('invalid', 'a cancel is for no policy', { errors: [{ path: 'type', code: 'not_allowed', message: 'must not be hitl_cancel' }] });
      throw new UmpireError(codeOf(read.errors), 'the message would be refused before any policy is asked; see errors', { errors: read.errors });
    }
    return told(first, read.ok && read.item.type !== 'cancel' ? { rules: read.item.rules, errors: [] } : { rules: null, errors: read.ok ? [] : read.errors });
  }
}

function told({ kind, reason, examined }: Asked, { rules, errors }: Pick<Simulation, 'rules' | 'errors'>): Simulation {
  const taking = examined.find(({ failure }) => failure === null)?.policy;
  return {
    kind,
    reason,
    policy: taking ? { id: taking.id, version: taking.version } : null,
    rules,
    same_task: taking?.document.same_task ?? null,
    errors,
    policies: examined.map(({ policy, failure }) => ({
      id: policy.id,
      version: policy.version,
      priority: policy.document.priority,
      matched: failure === null,
      taken: policy === taking,
      failed: failure && { path: failure.path, message: failure.message },
    })),
  };
}
