import type { EvaluationResult, HITLEscalationReason } from '@umpire/contract';

/** A rule of the caller's own that asks for a human where the engine would not. */
export interface EscalationRule {
  readonly name: string;
  /** The escalation's reason when this rule asks; without one the alignment state decides. */
  readonly reason?: HITLEscalationReason;
  /** Pure. If it throws, the rule asks for a human: what cannot be checked is not waved through. */
  readonly when: (result: EvaluationResult) => boolean;
}

export interface MatchedRule {
  readonly name: string;
  readonly reason: HITLEscalationReason | null;
  /** True when the rule asks because it threw. */
  readonly failed: boolean;
}

/** The rules that ask for a human, in the order given. */
export function matchRules(rules: readonly EscalationRule[], result: EvaluationResult): MatchedRule[] {
  return rules.flatMap((rule) => {
    const asked = ask(rule, result);
    return asked === 'no' ? [] : [{ name: rule.name, reason: rule.reason ?? null, failed: asked === 'failed' }];
  });
}

function ask(rule: EscalationRule, result: EvaluationResult): 'yes' | 'no' | 'failed' {
  try {
    return rule.when(result) ? 'yes' : 'no';
  } catch {
    return 'failed';
  }
}

/** Asks when the synthesised decision's confidence is below `limit` (the seed's example: 0.3). */
export function confidenceBelow(limit: number): EscalationRule {
  return { name: `confidence_below_${limit}`, reason: 'custom_rule', when: (result) => result.confidence < limit };
}

/** Asks when the result's metadata has a member of this name, whatever its value (the seed's example: `high_risk`). */
export function metadataHas(name: string): EscalationRule {
  return { name: `metadata_has_${name}`, reason: 'custom_rule', when: (result) => Object.hasOwn(result.metadata ?? {}, name) };
}
