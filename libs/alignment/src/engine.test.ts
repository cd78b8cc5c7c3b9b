import { parseHitlRequest, readJson, serializeHitlRequest, buildHitlRequest, type AgentDecision } from '@umpire/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AlignmentEngine,
  AlignmentError,
  decisionsFromJson,
  evaluateDecisions,
  requiresReview,
  schemaFromJson,
  synthesize,
  type DecisionSchema,
} from './index.ts';

const engine = new AlignmentEngine();

function decision(value: unknown, confidence: number, more: Partial<AgentDecision> = {}): AgentDecision {
  return { agent_name: 'a', decision_value: value ?? null, confidence, rationale: 'same long words', evidence: ['e'], ...more };
}

function named(...decisions: AgentDecision[]): AgentDecision[] {
  return decisions.map((each, index) => ({ ...each, agent_name: `agent${index}` }));
}

const boolean: DecisionSchema = { type: 'boolean' };
const scalar: DecisionSchema = { type: 'scalar', min_value: 0, max_value: 10 };
const categorical: DecisionSchema = { type: 'categorical', categories: ['x', 'y'] };

describe('AlignmentEngine', () => {
  test('finds full alignment', () => {
    const summary = engine.analyze(named(decision(true, 0.9), decision(true, 0.8)), boolean);
    expect(summary).toMatchObject({ state: 'full_alignment', decision_agreement: true, dissenting_agents: [], disagreement_areas: [], resolution_rationale: 'The agents agree, with an average confidence of 0.85.' });
    expect(summary.alignment_score).toBeCloseTo(0.97, 12);
    expect(summary.consensus_strength).toBeCloseTo(0.8245, 12);
    expect(summary.confidence_distribution).toEqual({ agent0: 0.9, agent1: 0.8 });
  });

  test('a mean that equals the threshold exactly is no weak signal', () => {
    const summary = engine.analyze(named(decision(true, 0.4), decision(true, 0.5), decision(true, 0.6)), boolean);
    expect(summary.avg_confidence).toBe(0.5);
    expect(summary.state).not.toBe('insufficient_signal');
    expect(engine.analyze(named(decision(true, 0.4), decision(true, 0.5), decision(true, 0.59)), boolean).state).toBe('insufficient_signal');
  });

  test.each<[string, AgentDecision[], DecisionSchema, boolean]>([
    ['1 and 1.0 differ as texts', [decision(readJson('1'), 0.9), decision(readJson('1.0'), 0.9)], categorical, false],
    ['lists by their order', [decision(['x', 'y'], 0.9), decision(['y', 'x'], 0.9)], categorical, false],
    ['True is the text of true', [decision(true, 0.9), decision('True', 0.9)], boolean, true],
    ['scalars at the edge of the tolerance', [decision(1, 0.9), decision(3, 0.9)], scalar, true],
    ['scalars past it', [decision(1, 0.9), decision(3.1, 0.9)], scalar, false],
    ['free texts but for case and white space', [decision(' APPROVE\u001f', 0.9), decision('approve', 0.9)], { type: 'freeform' }, true],
    ['other kinds as texts', [decision({ a: 1 }, 0.9), decision({ a: 1 }, 0.9)], { type: 'other', name: 'X' }, true],
  ])('agreement: %s', (_, decisions, schema, expected) => {
    expect(engine.analyze(named(...decisions), schema).decision_agreement).toBe(expected);
  });

  test('of equal groups the first is the majority; dissenters stand in the order given', () => {
    const summary = engine.analyze(named(decision('x', 0.9), decision('y', 0.9), decision('y', 0.9), decision('x', 0.9), decision('x ', 0.9)), { type: 'freeform' });
    expect(summary.dissenting_agents).toEqual(['agent1', 'agent2', 'agent4']);
  });

  test('areas come in their order, and three of them make it hard', () => {
    const decisions = named(
      decision(' x', 0.9, { rationale: 'wholly different reasons', evidence: [] }),
      decision('x', 0.65, { rationale: 'short of the', evidence: ['1', '2', '3', '4'] }),
    );
    const summary = engine.analyze(decisions, { type: 'freeform' });
    expect(summary.disagreement_areas).toEqual(['primary_decision', 'confidence_levels', 'reasoning_approach', 'evidence_quality']);
    expect(summary).toMatchObject({ decision_agreement: true, state: 'hard_disagreement' });
    expect(requiresReview(summary.state)).toBe(true);
  });

  test('nobody having evidence is consistent', () => {
    const summary = engine.analyze(named(decision(true, 0.9, { evidence: [] }), decision(true, 0.9, { evidence: undefined })), boolean);
    expect(summary.disagreement_areas).toEqual([]);
  });

  test('thresholds are merged over the defaults and noted', () => {
    const strict = new AlignmentEngine({ soft_disagreement_confidence_spread: 0.05 });
    const summary = strict.analyze(named(decision(true, 0.9), decision(true, 0.8)), boolean);
    expect(summary).toMatchObject({ state: 'soft_disagreement', metadata: { thresholds: { soft_disagreement_confidence_spread: 0.05, hard_disagreement_confidence_spread: 0.4 } } });
    expect(() => new AlignmentEngine({ reasoning_overlap_threshold: Number.NaN })).toThrow(AlignmentError);
  });

  test.each<[string, AgentDecision[], DecisionSchema, string]>([
    ['one decision', [decision(true, 0.9)], boolean, 'too_few_decisions'],
    ['a confidence past 1', [decision(true, 1.1), decision(true, 1)], boolean, 'invalid_decision'],
    ['a text as a scalar', [decision('1', 1), decision(1, 1)], scalar, 'not_a_number'],
  ])('refuses %s', (_, decisions, schema, code) => {
    expect(() => engine.analyze(named(...decisions), schema)).toThrow(expect.objectContaining({ name: 'AlignmentError', code }));
  });
});

describe('synthesize', () => {
  const merge = (schema: DecisionSchema, ...decisions: AgentDecision[]): ReturnType<typeof synthesize> => {
    const all = named(...decisions);
    return synthesize(all, schema, engine.analyze(all, schema));
  };
  const evidence = (letter: string): Partial<AgentDecision> => ({ evidence: [1, 2, 3].map((number) => letter + number) });

  test('a boolean is true only if strictly heavier', () => {
    expect(merge(boolean, decision(true, 0.5), decision(false, 0.5)).decision).toBe(false);
    expect(merge(boolean, decision(true, 0.51), decision(false, 0.5)).decision).toBe(true);
    expect(merge(boolean, decision(true, 0), decision(true, 0)).decision).toBe(false);
    const four = merge(boolean, ...['a', 'b', 'c', 'd'].map((letter) => decision(true, 0.5, evidence(letter))));
    expect(four.evidence).toEqual(['a1', 'a2', 'b1', 'b2', 'c1']);
  });

  test('a category is the heaviest text, the first on ties', () => {
    const merged = merge(categorical, decision('x', 0.4, evidence('a')), decision(['y'], 0.5, evidence('b')), decision(['y'], 0.3), decision('x', 0.4));
    expect(merged).toMatchObject({ decision: 'x', evidence: ['a1', 'a2', 'e'] });
    expect(merge(categorical, decision(['y'], 0.5), decision('x', 0.4)).decision).toBe("['y']");
  });

  test('a scalar is the weighted mean, or the plain one without weights', () => {
    const merged = merge(scalar, decision(1, 0.25, evidence('a')), decision(2, 0.75, evidence('b')), decision(3, 0, evidence('c')), decision(4, 0, evidence('d')));
    expect(merged).toMatchObject({ decision: 1.75, evidence: ['b1', 'b2', 'a1', 'a2', 'c1'] });
    expect(merge(scalar, decision(1, 0), decision(2, 0)).decision).toBe(1.5);
  });

  test('a free text is that of the most confident, with evidence of everyone', () => {
    expect(merge({ type: 'freeform' }, decision('x', 0.5, evidence('a')), decision('y', 0.9, evidence('b')), decision('z', 0.9, evidence('c')))).toMatchObject({
      decision: 'y',
      evidence: ['a1', 'a2', 'b1', 'b2', 'c1'],
      reasoning: 'Taken from agent1, the most confident agent (0.90); the others: agent0 (0.50), agent2 (0.90).',
    });
  });

  test('another kind is the most confident value with all of its evidence', () => {
    expect(merge({ type: 'other', name: 'X' }, decision({ a: 1 }, 0.9, evidence('a')), decision(1, 0.5))).toMatchObject({ decision: { a: 1 }, evidence: ['a1', 'a2', 'a3'] });
  });

  test('has the strength of the consensus', () => {
    const all = named(decision(true, 0.9), decision(true, 0.8));
    const summary = engine.analyze(all, boolean);
    expect(synthesize(all, boolean, summary).confidence).toBe(summary.consensus_strength);
  });
});

describe('properties', () => {
  const value = (schema: DecisionSchema): fc.Arbitrary<unknown> => {
    switch (schema.type) {
      case 'boolean':
        return fc.boolean();
      case 'scalar':
        return fc.oneof(fc.integer({ min: 0, max: 10 }), fc.double({ min: 0, max: 10, noNaN: true }));
      default:
        return fc.constantFrom<unknown>('low', 'LOW ', 'high', ['low'], ['high', 'low'], 1, null);
    }
  };
  const schema = fc.constantFrom<DecisionSchema>(boolean, scalar, categorical, { type: 'freeform' }, { type: 'other', name: 'X' });
  const confidence = fc.oneof(fc.integer({ min: 0, max: 20 }).map((step) => step / 20), fc.double({ min: 0, max: 1, noNaN: true }));
  const group = schema.chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      decisions: fc
        .array(
          fc.record({
            decision_value: value(kind).map((chosen) => chosen ?? null),
            confidence,
            rationale: fc.array(fc.constantFrom('alpha', 'beta', 'Gamma', 'the', 'naïve'), { maxLength: 4 }).map((words) => words.join(' ')),
            evidence: fc.array(fc.constantFrom('one', 'two', 'three'), { maxLength: 4 }),
          }),
          { minLength: 2, maxLength: 6 },
        )
        .map((all) => named(...all.map((each) => ({ agent_name: '', ...each })))),
    }),
  );

  test('figures are in range and the state follows from them', () => {
    fc.assert(
      fc.property(group, ({ kind, decisions }) => {
        const summary = engine.analyze(decisions, kind);
        for (const figure of [summary.alignment_score, summary.confidence_spread, summary.avg_confidence, summary.consensus_strength]) {
          expect(figure).toBeGreaterThanOrEqual(0);
          expect(figure).toBeLessThanOrEqual(1);
        }
        expect(summary.dissenting_agents.length).toBeLessThan(decisions.length);
        expect(summary.disagreement_areas.includes('primary_decision')).toBe(summary.dissenting_agents.length > 0);
        if (summary.state === 'full_alignment') {
          expect(summary).toMatchObject({ decision_agreement: true, disagreement_areas: [] });
        }
        expect(engine.analyze(decisions, kind)).toEqual(summary);
      }),
    );
  });

  test('the order of the agents changes neither figures, areas nor state', () => {
    fc.assert(
      fc.property(group, fc.array(fc.nat(), { minLength: 6, maxLength: 6 }), ({ kind, decisions }, order) => {
        const shuffled = decisions.map((each, index) => [order[index] ?? 0, each] as const).toSorted((a, b) => a[0] - b[0]);
        const one = engine.analyze(decisions, kind);
        const other = engine.analyze(shuffled.map(([, each]) => each), kind);
        for (const name of ['state', 'alignment_score', 'decision_agreement', 'confidence_spread', 'avg_confidence', 'disagreement_areas', 'consensus_strength'] as const) {
          expect(other[name]).toEqual(one[name]);
        }
        expect(other.dissenting_agents).toHaveLength(one.dissenting_agents.length);
        expect(other.confidence_distribution).toEqual(one.confidence_distribution);
      }),
    );
  });

  test('an escalation of it is valid, survives its text, and has an id of its content alone', () => {
    fc.assert(
      fc.property(group, fc.boolean(), ({ kind, decisions }, forced) => {
        const sound = decisions.map((each) => ({ ...each, rationale: each.rationale || 'none' }));
        const result = evaluateDecisions(engine, { taskId: 't', decisions: sound, schema: kind, evaluationId: 'e', processingTimeMs: 1 });
        const reviewed = { ...result, requires_human_review: result.requires_human_review || forced };
        const request = buildHitlRequest(reviewed, result.alignment_summary, { createdAt: '2026-01-15T10:30:00' });
        expect(request === null).toBe(!reviewed.requires_human_review);
        if (request !== null) {
          const parsed = parseHitlRequest(serializeHitlRequest(request));
          expect(parsed.ok && parsed.document.request).toEqual(JSON.parse(JSON.stringify(request)));
          const later = buildHitlRequest({ ...reviewed, processing_time_ms: 2 }, result.alignment_summary, { createdAt: '2027-01-15T10:30:00Z' });
          expect(later?.request_id).toBe(request.request_id);
        }
      }),
    );
  });
});

describe('decisions and schemas from JSON', () => {
  test('keep values lossless and the rest plain', () => {
    const [first] = decisionsFromJson(readJson('[{"agent_name":"a","decision_value":1.0,"confidence":1,"extra":2}]'));
    expect(first).toMatchObject({ agent_name: 'a', confidence: 1, extra: 2, decision_value: { kind: 'number', text: '1.0' } });
    expect(() => decisionsFromJson(readJson('[1]'))).toThrow(AlignmentError);
    expect(() => decisionsFromJson(readJson('[{"agent_name":"a"}]'))).toThrow(AlignmentError);
    expect(() => decisionsFromJson(undefined)).toThrow(AlignmentError);
  });

  test.each([
    ['{"type":"boolean"}', { type: 'boolean' }],
    ['{"type":"categorical","categories":["a"],"allow_multiple":true}', { type: 'categorical', categories: ['a'], allow_multiple: true }],
    ['{"type":"scalar","min_value":1,"max_value":5.0}', { type: 'scalar', min_value: 1, max_value: 5 }],
    ['{"type":"freeform"}', { type: 'freeform' }],
    ['{"type":"ranking"}', { type: 'other', name: 'ranking' }],
  ])('%s', (json, expected) => {
    expect(schemaFromJson(readJson(json))).toEqual(expected);
  });
});
