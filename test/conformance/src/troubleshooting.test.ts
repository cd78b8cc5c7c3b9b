import { AlignmentEngine, confidenceBelow, evaluateDecisions, matchRules, type DecisionSchema } from '@umpire/alignment';
import { buildHitlRequest, explainReview, JsonSyntaxError, readJson, validateHitlRequest, type AgentDecision } from '@umpire/contract';
import { describe, expect, it } from 'vitest';

const words = 'income covers the loan and the customer has paid on time for years';
const categories: DecisionSchema = { type: 'categorical', categories: ['approve', 'reject'] };
const agent = (agent_name: string, decision_value: unknown, confidence: number, more: Partial<AgentDecision> = {}): AgentDecision =>
  ({ agent_name, agent_role: 'judge', role_type: 'judge', decision_value, confidence, rationale: words, evidence: ['payslip'], ...more }) as AgentDecision;

function judged(decisions: AgentDecision[], schema: DecisionSchema = categories, thresholds = {}) {
  const result = evaluateDecisions(new AlignmentEngine(thresholds), { taskId: 't', decisions, schema, evaluationId: 'e-1', processingTimeMs: 5 });
  const request = buildHitlRequest(result, result.alignment_summary, { createdAt: '2026-01-15T10:30:00' });
  return { result, request, state: result.alignment_summary.state, areas: result.alignment_summary.disagreement_areas, explained: explainReview(result) };
}
const ruleOf = ({ explained }: ReturnType<typeof judged>, name: string) => explained.rules.find((rule) => rule.rule === name)?.holds;

/** The three questions of the HITL contract, as docs/troubleshooting.md answers them. */
describe('no escalation when expected', () => {
  it('asks for a human on hard disagreement alone, and says which rules held', () => {
    const soft = judged([agent('a', 'approve', 0.9), agent('b', 'approve', 0.6)]);
    expect([soft.state, soft.result.requires_human_review, soft.request]).toEqual(['soft_disagreement', false, null]);
    expect(ruleOf(soft, 'soft_confidence_spread')).toBe(true);
    expect(ruleOf(soft, 'hard_confidence_spread')).toBe(false);
    expect(soft.explained.escalation_reason).toBeNull();
    expect(soft.explained.rules.every((rule) => rule.sentence.length > 0)).toBe(true);
    expect(judged([agent('a', 'approve', 0.9), agent('b', 'reject', 0.9)]).request).toMatchObject({ escalation_reason: 'hard_disagreement' });
  });

  it('takes too little signal first, even where agents contradict each other', () => {
    const unsure = judged([agent('a', 'approve', 0.4), agent('b', 'reject', 0.4)]);
    expect([unsure.state, unsure.request]).toEqual(['insufficient_signal', null]);
    expect(ruleOf(unsure, 'insufficient_signal')).toBe(true);
    expect(matchRules([confidenceBelow(0.9)], unsure.result)).toMatchObject([{ reason: 'custom_rule', failed: false }]);
  });

  it('finds agreement where the values only look different', () => {
    const scalar: DecisionSchema = { type: 'scalar', min_value: 0, max_value: 100 };
    expect(judged([agent('a', 40, 0.9), agent('b', 55, 0.9)], scalar).result.alignment_summary.decision_agreement).toBe(true);
    expect(judged([agent('a', 40, 0.9), agent('b', 70, 0.9)], scalar).result.alignment_summary.decision_agreement).toBe(false);
    expect(judged([agent('a', true, 0.9), agent('b', 'True', 0.9)], { type: 'boolean' } as DecisionSchema).result.alignment_summary.decision_agreement).toBe(true);
    expect(judged([agent('a', ' Yes', 0.9), agent('b', 'yes', 0.9)], { type: 'freeform' } as DecisionSchema).result.alignment_summary.decision_agreement).toBe(true);
  });
});

describe('an escalation that was not expected', () => {
  it('counts confidence as well as the decision', () => {
    const spread = judged([agent('a', 'approve', 0.95), agent('b', 'approve', 0.5)]);
    expect([spread.state, spread.result.alignment_summary.decision_agreement, spread.request?.escalation_reason]).toEqual(['hard_disagreement', true, 'hard_disagreement']);
    expect(ruleOf(spread, 'hard_confidence_spread')).toBe(true);
  });

  it('takes three areas for hard, whatever was decided', () => {
    const areas = judged([agent('a', 'approve', 0.9, { rationale: 'solid', evidence: ['1', '2', '3', '4'] }), agent('b', 'approve', 0.65, { rationale: 'cheap', evidence: [] })]);
    expect([...areas.areas].sort()).toEqual(['confidence_levels', 'evidence_quality', 'reasoning_approach']);
    expect([areas.state, ruleOf(areas, 'many_disagreement_areas')]).toEqual(['hard_disagreement', true]);
  });

  it('asks where a rule of the caller\'s own matches, or cannot be checked', () => {
    const calm = judged([agent('a', 'approve', 0.9), agent('b', 'approve', 0.9)]);
    expect(calm.state).toBe('full_alignment');
    const broken = { name: 'broken', when: (): boolean => { throw new Error('no such field'); } };
    expect(matchRules([broken, confidenceBelow(0.1)], calm.result)).toEqual([{ name: 'broken', reason: null, failed: true }]);
  });

  it('follows thresholds that were raised, and notes them', () => {
    const decisions = [agent('a', 'approve', 0.95), agent('b', 'approve', 0.5)];
    const raised = judged(decisions, categories, { hard_disagreement_confidence_spread: 0.6 });
    expect(raised.request).toBeNull();
    expect(raised.result.alignment_summary.metadata).toMatchObject({ thresholds: { hard_disagreement_confidence_spread: 0.6 } });
  });
});

describe('serialization errors', () => {
  const request = () => judged([agent('a', 'approve', 0.9), agent('b', 'reject', 0.9)]).request!;

  it('takes a time without an offset, and refuses what is no time', () => {
    expect(validateHitlRequest(request())).toMatchObject({ ok: true });
    const bad = validateHitlRequest({ ...request(), created_at: 'datetime.datetime(2026, 1, 15)' });
    expect(bad.ok ? [] : bad.errors.map((error) => error.path)).toEqual(['created_at']);
  });

  it('refuses what Python prints for numbers that are none, and says where', () => {
    const text = JSON.stringify({ ...request(), metadata: { ratio: 0 } }).replace('"ratio":0', '"ratio":NaN');
    expect(() => readJson(text)).toThrow(JsonSyntaxError);
    expect(() => readJson(text)).toThrow(/\d/);
  });

  it.each([true, 30.5, 'approve', ['a', 1], { grade: 'b' }])('takes %j for a decision', (value) => {
    const one = request();
    expect(validateHitlRequest({ ...one, agent_decisions: one.agent_decisions.map((decision) => ({ ...decision, decision_value: value })) })).toMatchObject({ ok: true });
  });
});
