import type { Interaction, JsonNode, Reason } from '@umpire/contract';

/** What a policy may look at to find out whether a message is its own. */
export type PolicySubject = { namespace: string; kind: 'escalation' | 'interaction'; reason: Reason; payload: JsonNode };

/** What a policy makes of a message: rules that fill what the producer left open, and win on the fields in `enforce`. */
export type PolicyMatch = { id: string; version: number; interaction: Interaction; enforce: (keyof Interaction)[] };

/** Finds the policy that takes a message. Synchronous: documents are held in memory, so that reading a batch waits for nothing. */
export class PolicyService {
  /**
   * @returns the policy, or null where none takes it: then the built-in rules hold, which are any reviewer of the namespace, the
   * form of the reason, one hour, then expiry (`resolveRules`).
   */
  policyFor(_subject: PolicySubject): PolicyMatch | null {
    return null;
  }
}
