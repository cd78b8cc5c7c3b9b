import { validateHitlRequest } from '@umpire/contract';
import { describe, expect, test } from 'vitest';
import { confidenceBelow, metadataHas, MultiAgentEvaluator, type Agent, type AgentAnswer, type EvaluatorEvent, type EvaluatorOptions } from './index.ts';

const createdAt = '2026-01-15T10:30:00Z';

function agent(name: string, answer: Partial<AgentAnswer> | (() => Promise<AgentAnswer>), more: Partial<Agent> = {}): Agent {
  const decide = typeof answer === 'function' ? answer : async (): Promise<AgentAnswer> => ({ decision_value: true, confidence: 0.9, rationale: 'same long words', ...answer });
  return { name, decide, ...more };
}

function evaluator(agents: Agent[], more: Partial<EvaluatorOptions> = {}): { evaluator: MultiAgentEvaluator; events: EvaluatorEvent[] } {
  const events: EvaluatorEvent[] = [];
  let ticks = 0;
  const options: EvaluatorOptions = { agents, schema: { type: 'boolean' }, now: () => (ticks += 10), newId: () => 'eval-1', onEvent: (event) => events.push(event), ...more };
  return { evaluator: new MultiAgentEvaluator(options), events };
}

describe('MultiAgentEvaluator', () => {
  test('evaluates, tells of every step, and builds no request without need', async () => {
    const { evaluator: both, events } = evaluator([agent('a', {}, { roleType: 'judge' }), agent('b', {})]);
    const evaluation = await both.evaluate({ id: 't', metadata: { k: 1 } });
    expect(evaluation).toMatchObject({
      ok: true,
      failures: [],
      rules: [],
      result: { task_id: 't', request_id: 'eval-1', synthesized_decision: true, requires_human_review: false, review_reason: null, metadata: { k: 1 }, agent_decisions: [{ agent_name: 'a', role_type: 'judge', evidence: [] }, { agent_name: 'b' }] },
    });
    expect(both.createHitlRequest(evaluation, { createdAt })).toBeNull();
    expect(events.map((event) => event.type)).toEqual(['evaluation_started', 'agent_decided', 'agent_decided', 'alignment_analyzed', 'evaluation_completed']);
  });

  test('escalates a hard disagreement, unless HITL is off', async () => {
    const agents = [agent('a', {}), agent('b', { decision_value: false })];
    const { evaluator: on, events } = evaluator(agents);
    const evaluation = await on.evaluate({ id: 't' });
    const request = on.createHitlRequest(evaluation, { createdAt });
    expect(request).toMatchObject({ task_id: 't', escalation_reason: 'hard_disagreement', dissenting_agents: ['b'], created_at: createdAt });
    expect(validateHitlRequest(request)).toEqual({ ok: true });
    expect(events.map((event) => event.type)).toContain('review_required');
    expect(evaluator(agents, { enableHitl: false }).evaluator.createHitlRequest(evaluation, { createdAt })).toBeNull();
  });

  test('an agent that throws, is late or answers nonsense does not sink the rest', async () => {
    const aborted: string[] = [];
    const late: Agent = {
      name: 'late',
      deadlineMs: 20,
      decide: (_, signal) => new Promise<AgentAnswer>(() => signal.addEventListener('abort', () => aborted.push('late'))),
    };
    const { evaluator: mixed, events } = evaluator([
      agent('a', {}),
      agent('throws', () => Promise.reject(new Error('x'.repeat(600)))),
      { name: 'throws at once', decide: () => { throw new Error('no'); } },
      agent('throws oddly', () => Promise.reject(Object.create(null) as Error)),
      late,
      agent('nonsense', { confidence: 7 }),
      agent('nothing', () => Promise.resolve(null as unknown as AgentAnswer)),
      agent('b', {}),
    ]);
    const evaluation = await mixed.evaluate({ id: 't' });
    expect(evaluation.failures).toEqual([
      { agent_name: 'throws', kind: 'error', message: 'x'.repeat(500) },
      { agent_name: 'throws at once', kind: 'error', message: 'no' },
      { agent_name: 'throws oddly', kind: 'error', message: 'threw something that is no Error' },
      { agent_name: 'late', kind: 'timeout', message: 'no decision within 20 ms' },
      { agent_name: 'nonsense', kind: 'invalid', message: 'confidence must be from 0 to 1' },
      { agent_name: 'nothing', kind: 'invalid', message: 'decision_value is missing; confidence is missing; rationale is missing' },
    ]);
    expect(evaluation.ok && evaluation.result.agent_decisions.map((decision) => decision.agent_name)).toEqual(['a', 'b']);
    expect(aborted).toEqual(['late']);
    expect(events.filter((event) => event.type === 'agent_failed')).toHaveLength(6);
  });

  test.each<[EvaluatorOptions['schema'], unknown, boolean]>([
    [{ type: 'boolean' }, 'true', false],
    [{ type: 'scalar', min_value: 0, max_value: 1 }, 0.5, true],
    [{ type: 'scalar', min_value: 0, max_value: 1 }, 1.5, false],
    [{ type: 'scalar', min_value: 0, max_value: 1 }, '0.5', false],
    [{ type: 'categorical', categories: ['x', 'y'] }, 'x', true],
    [{ type: 'categorical', categories: ['x', 'y'] }, ['x'], false],
    [{ type: 'categorical', categories: ['x', 'y'], allow_multiple: true }, ['x', 'y'], true],
    [{ type: 'categorical', categories: ['x', 'y'], allow_multiple: true }, ['z'], false],
    [{ type: 'freeform' }, { any: 1 }, true],
  ])('by the schema %j, %j is a decision: %s', async (schema, value, fits) => {
    const evaluation = await evaluator(['a', 'b'].map((name) => agent(name, { decision_value: value ?? null })), { schema }).evaluator.evaluate({ id: 't' });
    expect(evaluation.failures).toHaveLength(fits ? 0 : 2);
    expect(evaluation.ok).toBe(fits);
  });

  test('decisions stand in the order of the agents, whoever answers first', async () => {
    const order: string[] = [];
    let release = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (release = resolve));
    const slow = agent('slow', async () => {
      await waiting;
      order.push('slow');
      return { decision_value: true, confidence: 0.9, rationale: 'words' };
    });
    const quick = agent('quick', async () => {
      order.push('quick');
      release();
      return { decision_value: true, confidence: 0.9, rationale: 'words' };
    });
    const evaluation = await evaluator([slow, quick]).evaluator.evaluate({ id: 't' });
    expect(order).toEqual(['quick', 'slow']);
    expect(evaluation.ok && evaluation.result.agent_decisions.map((decision) => decision.agent_name)).toEqual(['slow', 'quick']);
  });

  test('says that too few decided', async () => {
    const { evaluator: one, events } = evaluator([agent('a', {}), agent('b', () => Promise.reject(new Error('no')))]);
    const evaluation = await one.evaluate({ id: 't' });
    expect(evaluation).toMatchObject({ ok: false, code: 'too_few_decisions', decisions: [{ agent_name: 'a' }], failures: [{ agent_name: 'b' }] });
    expect(one.createHitlRequest(evaluation, { createdAt })).toBeNull();
    expect(events.at(-1)?.type).toBe('evaluation_completed');
  });

  test("the seed's rules ask for a human and name their reason", async () => {
    const rules = [confidenceBelow(0.3), metadataHas('high_risk')];
    const { evaluator: ruled } = evaluator([agent('a', {}), agent('b', {})], { rules });
    const plain = await ruled.evaluate({ id: 't' });
    expect(plain.ok && plain.rules).toEqual([]);
    const risky = await ruled.evaluate({ id: 't', metadata: { high_risk: false } });
    expect(risky).toMatchObject({ rules: [{ name: 'metadata_has_high_risk', reason: 'custom_rule', failed: false }], result: { requires_human_review: true, review_reason: 'An escalation rule asks for a human: metadata_has_high_risk.' } });
    expect(ruled.createHitlRequest(risky, { createdAt })?.escalation_reason).toBe('custom_rule');
    const weak = evaluator([agent('a', { confidence: 0.2 }), agent('b', { confidence: 0.2 })], { rules }).evaluator;
    const unsure = await weak.evaluate({ id: 't' });
    expect(weak.createHitlRequest(unsure, { createdAt })?.escalation_reason).toBe('custom_rule');
  });

  test('without a name the state decides the reason, and the engine goes before any rule', async () => {
    const weak = [agent('a', { confidence: 0.2 }), agent('b', { confidence: 0.2 })];
    const unnamed = evaluator(weak, { rules: [{ name: 'always', when: () => true }] }).evaluator;
    expect(unnamed.createHitlRequest(await unnamed.evaluate({ id: 't' }), { createdAt })?.escalation_reason).toBe('low_confidence');
    const hard = evaluator([agent('a', {}), agent('b', { decision_value: false })], { rules: [{ name: 'always', reason: 'custom_rule', when: () => true }] }).evaluator;
    expect(hard.createHitlRequest(await hard.evaluate({ id: 't' }), { createdAt })?.escalation_reason).toBe('hard_disagreement');
  });

  test('a rule that throws asks for a human', async () => {
    const { evaluator: broken } = evaluator([agent('a', {}), agent('b', {})], {
      rules: [{ name: 'broken', when: () => { throw new Error('no'); } }],
    });
    expect(await broken.evaluate({ id: 't' })).toMatchObject({ rules: [{ name: 'broken', failed: true }], result: { requires_human_review: true } });
  });

  test('an observer that throws changes nothing', async () => {
    const { evaluator: observed } = evaluator([agent('a', {}), agent('b', {})], { onEvent: () => { throw new Error('no'); } });
    expect((await observed.evaluate({ id: 't', evaluationId: 'e' })).ok).toBe(true);
  });

  test('makes ids of its own when told nothing, and equal evaluations escalate under one id', async () => {
    const agents = [agent('a', {}), agent('b', { decision_value: false })];
    const first = new MultiAgentEvaluator({ agents, schema: { type: 'boolean' }, now: () => 0 });
    const evaluation = await first.evaluate({ id: 't' });
    expect(evaluation.ok && evaluation.result.request_id).toMatch(/^[0-9a-f-]{36}$/);
    const ids = [];
    for (const at of [createdAt, '2027-01-01T00:00:00Z']) {
      ids.push(first.createHitlRequest(await first.evaluate({ id: 't', evaluationId: 'e' }), { createdAt: at })?.request_id);
    }
    expect(new Set(ids).size).toBe(1);
  });

  test('refuses two agents of one name', () => {
    expect(() => evaluator([agent('a', {}), agent('a', {})])).toThrow(expect.objectContaining({ code: 'duplicate_agent' }));
  });
});
