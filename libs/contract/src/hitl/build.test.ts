import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJson, uuidV5, writeJson } from '../json/index.ts';
import {
  alignmentStates,
  buildHitlRequest,
  escalationReason,
  explainReview,
  getEscalationSemantics,
  hitlJsonSchemas,
  hitlRequestId,
  parseHitlRequest,
  serializeHitlRequest,
  splitWords,
  trimText,
  twoDecimals,
  UMPIRE_UUID_NAMESPACE,
  validateHitlRequest,
  type AlignmentSummary,
  type EvaluationResult,
} from './index.ts';
import { REASONS } from '../reasons.ts';

const createdAt = '2026-01-15T10:30:00.123456';

function evaluation(change: Partial<AlignmentSummary> = {}, more: Partial<EvaluationResult> = {}): EvaluationResult {
  return {
    task_id: 'Übung 7',
    synthesized_decision: true,
    confidence: 0.4,
    reasoning: 'r',
    evidence: [],
    agent_decisions: [
      { agent_name: 'a', decision_value: true, confidence: 0.9, rationale: 'x', processing_time_ms: 12 },
      { agent_name: 'b', decision_value: false, confidence: 0.775, rationale: 'y', processing_time_ms: null },
    ],
    alignment_summary: {
      state: 'hard_disagreement',
      alignment_score: 0.5,
      decision_agreement: false,
      confidence_spread: 0.125,
      confidence_distribution: { a: 0.9, b: 0.775 },
      avg_confidence: 0.8375,
      dissenting_agents: ['b'],
      disagreement_areas: ['primary_decision'],
      consensus_strength: 0.4,
      resolution_rationale: 'why',
      metadata: { thresholds: { hard_disagreement_confidence_spread: 0.1 } },
      ...change,
    },
    requires_human_review: true,
    review_reason: null,
    request_id: 'eval-1',
    processing_time_ms: 34,
    metadata: {},
    ...more,
  };
}

describe('buildHitlRequest', () => {
  test('builds a valid request that holds what the contract lists', () => {
    const result = evaluation();
    const request = buildHitlRequest(result, result.alignment_summary, { createdAt });
    expect(validateHitlRequest(request)).toEqual({ ok: true });
    expect(request).toMatchObject({
      task_id: 'Übung 7',
      alignment_state: 'hard_disagreement',
      escalation_reason: 'hard_disagreement',
      summary: 'The agents cannot settle this among themselves: 1 of 2 agents dissent, and their confidences lie 0.12 apart.',
      agent_decisions: result.agent_decisions,
      dissenting_agents: ['b'],
      created_at: createdAt,
    });
    expect(Object.keys(request?.metadata ?? {})).toEqual([
      'confidence_spread', 'avg_confidence', 'disagreement_areas', 'consensus_strength', 'resolution_rationale', 'agent_count', 'processing_time_ms', 'evaluation_request_id',
    ]);
  });

  test('is null when no review is required, whatever the state', () => {
    const result = evaluation({}, { requires_human_review: false });
    expect(buildHitlRequest(result, result.alignment_summary, { createdAt })).toBeNull();
  });

  test('refuses a creation time that is none', () => {
    const result = evaluation();
    expect(() => buildHitlRequest(result, result.alignment_summary, { createdAt: 'now' })).toThrow(TypeError);
  });

  test.each([
    ['hard_disagreement', [], 'hard_disagreement'],
    ['insufficient_signal', ['evidence_quality'], 'low_confidence'],
    ['soft_disagreement', ['confidence_levels', 'evidence_quality'], 'inconsistent_evidence'],
    ['soft_disagreement', ['confidence_levels'], 'low_confidence'],
    ['full_alignment', [], 'custom_rule'],
  ] as const)('%s with %j is for %s', (state, areas, reason) => {
    expect(escalationReason({ state, disagreement_areas: areas })).toBe(reason);
    const result = evaluation({ state, disagreement_areas: [...areas] });
    const request = buildHitlRequest(result, result.alignment_summary, { createdAt });
    expect(request?.escalation_reason).toBe(reason);
    expect(validateHitlRequest(request)).toEqual({ ok: true });
  });

  test('a state of another engine is for custom_rule', () => {
    expect(escalationReason({ state: 'split', disagreement_areas: ['evidence_quality'] })).toBe('custom_rule');
  });

  test('takes the reason that a rule named', () => {
    const result = evaluation();
    expect(buildHitlRequest(result, result.alignment_summary, { createdAt, reason: 'custom_rule' })?.escalation_reason).toBe('custom_rule');
  });
});

describe('hitlRequestId', () => {
  const id = (result: EvaluationResult, at = createdAt): string | undefined =>
    buildHitlRequest(result, result.alignment_summary, { createdAt: at })?.request_id;

  test('is a UUIDv5 over the canonical form', () => {
    const request = { z: [1.5], agent_decisions: [{ processing_time_ms: 1, confidence: 1 }], metadata: { processing_time_ms: 1 }, request_id: 'x', created_at: 'y' };
    const canonical = '{"agent_decisions":[{"confidence":1e0}],"metadata":{},"z":[15e-1]}';
    expect(hitlRequestId(request)).toBe(uuidV5(UMPIRE_UUID_NAMESPACE, canonical));
    const sha1 = createHash('sha1').update(Buffer.from(UMPIRE_UUID_NAMESPACE.replaceAll('-', ''), 'hex')).update(canonical).digest('hex');
    expect(hitlRequestId(request).replaceAll('-', '').slice(0, 12)).toBe(sha1.slice(0, 12));
  });

  test('ignores time of creation and of processing, and nothing else', () => {
    const first = id(evaluation());
    expect(id(evaluation(), '2030-01-01T00:00:00Z')).toBe(first);
    expect(id(evaluation({}, { processing_time_ms: 99 }))).toBe(first);
    expect(id(evaluation({}, { request_id: 'eval-2' }))).not.toBe(first);
    expect(id(evaluation({ avg_confidence: 0.8 }))).not.toBe(first);
  });

  test('does not depend on member order or on how a number is spelled', () => {
    const result = evaluation();
    const request = buildHitlRequest(result, result.alignment_summary, { createdAt });
    const text = JSON.stringify(request);
    fc.assert(
      fc.property(fc.constantFrom('0.9', '9e-1', '0.90', '90E-2', '0.0009e+3'), fc.boolean(), (spelling, reversed) => {
        const spelled = text.replace('"confidence":0.9,', `"confidence":${spelling},`);
        const node = readJson(reversed ? reverseMembers(spelled, spelling) : spelled);
        expect(hitlRequestId(node)).toBe(request?.request_id);
      }),
    );
  });

  test('keeps apart integers that doubles confuse, and joins 1 and 1.0', () => {
    const withValue = (text: string): string => hitlRequestId({ agent_decisions: [{ decision_value: readJson(text) }] });
    expect(withValue('9007199254740993')).not.toBe(withValue('9007199254740992'));
    expect(withValue('1')).toBe(withValue('1.0'));
  });
});

/** The same document with every object's members written in reverse. */
function reverseMembers(text: string, spelling: string): string {
  const reversed = JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).toReversed()) : value,
  );
  return reversed.replace('"confidence":0.9,', `"confidence":${spelling},`);
}

describe('parse and serialize', () => {
  const result = evaluation();
  const text = serializeHitlRequest(buildHitlRequest(result, result.alignment_summary, { createdAt }) ?? raise());

  test('give back the very text', () => {
    const odd = text
      .replace('"confidence":0.9,', '"confidence": 9.0e-1 ,"confidence":0.90,')
      .replace('"metadata":{', '"extra":{"n":12345678901234567890.10,"s":"\\u00fc\\/"},"metadata":{ "x":1E2,');
    const parsed = parseHitlRequest(`\n${odd} `);
    expect(parsed.ok && serializeHitlRequest(parsed.document)).toBe(odd);
    expect(parsed.ok && parsed.document.request.created_at).toBe(createdAt);
    expect(parsed.ok && parsed.document.request['extra']).toEqual({ n: Number('12345678901234567890.10'), s: 'ü/' });
    const fromBytes = parseHitlRequest(new TextEncoder().encode(odd));
    expect(fromBytes.ok && serializeHitlRequest(fromBytes.document)).toBe(odd);
  });

  test('keep number text that stands inside of a built request', () => {
    const built = evaluation({}, { agent_decisions: [{ agent_name: 'a', decision_value: readJson('[1.0,9007199254740993,{"b":1,"a":2,"b":3}]'), confidence: 1, rationale: 'x' }] });
    const request = buildHitlRequest(built, { ...built.alignment_summary, dissenting_agents: [] }, { createdAt }) ?? raise();
    expect(validateHitlRequest(request)).toEqual({ ok: true });
    expect(serializeHitlRequest(request)).toContain('"decision_value":[1.0,9007199254740993,{"b":1,"a":2,"b":3}]');
    const parsed = parseHitlRequest(serializeHitlRequest(request));
    expect(parsed.ok && hitlRequestId(parsed.document.node)).toBe(request.request_id);
  });

  test.each([
    ['{', 'invalid_json'],
    [new Uint8Array([0x22, 0xff]), 'invalid_utf8'],
    ['['.repeat(100), 'too_deep'],
    ['[]', 'invalid_type'],
  ])('name what is wrong with %j', (input, code) => {
    const parsed = parseHitlRequest(input);
    expect(parsed.ok ? [] : parsed.errors.map((error) => [error.path, error.code])).toEqual([['', code]]);
  });
});

describe('writeJson', () => {
  test('writes what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(writeJson(value)).toBe(JSON.stringify(value));
        expect(writeJson(readJson(JSON.stringify(value)))).toBe(JSON.stringify(value));
      }),
    );
    expect(writeJson({ a: undefined, b: 1n })).toBe('{"b":1}');
    expect(() => writeJson([undefined])).toThrow(TypeError);
    expect(() => writeJson(Number.NaN)).toThrow(TypeError);
    expect(() => writeJson(new Date(0))).toThrow(TypeError);
  });
});

describe('explainReview', () => {
  test('lists each rule with its values', () => {
    const explained = explainReview(evaluation());
    expect(explained).toMatchObject({ requires_human_review: true, alignment_state: 'hard_disagreement', escalation_reason: 'hard_disagreement' });
    expect(explained.rules.map(({ rule, holds }) => [rule, holds])).toEqual([
      ['insufficient_signal', false],
      ['decision_disagreement', true],
      ['hard_confidence_spread', true],
      ['many_disagreement_areas', false],
      ['soft_confidence_spread', false],
      ['any_disagreement_area', true],
      ['hard_disagreement_requires_review', true],
      ['requires_human_review', true],
      ['hitl_request_created', true],
    ]);
    expect(explained.rules[0]).toEqual({
      rule: 'insufficient_signal',
      holds: false,
      values: { value: 0.8375, threshold: 0.5 },
      sentence: 'The average confidence is 0.84, which is not below 0.50.',
    });
    expect(explained.rules[2]?.values).toEqual({ value: 0.125, threshold: 0.1 });
  });

  test('says that nothing would be built', () => {
    expect(explainReview(evaluation({ state: 'full_alignment', decision_agreement: true }, { requires_human_review: false }))).toMatchObject({ escalation_reason: null });
  });
});

describe('published descriptions', () => {
  test('the semantics name every reason, and hard_disagreement alone is automatic', () => {
    const semantics = getEscalationSemantics();
    expect(Object.keys(semantics.escalation_triggers).toSorted()).toEqual(REASONS.toSorted());
    expect(Object.entries(semantics.escalation_triggers).filter(([, trigger]) => trigger.automatic).map(([reason]) => reason)).toEqual(['hard_disagreement']);
    expect(semantics).toMatchObject({ contract_version: '1.0.0', deterministic: true, side_effects: false });
    expect(semantics.included_information).toHaveLength(5);
    expect(semantics.excluded_information).toHaveLength(5);
  });

  test('the JSON Schemas are 2020-12 and leave room for unknown members', () => {
    const schemas = hitlJsonSchemas();
    for (const schema of Object.values(schemas)) {
      expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
    }
    expect(schemas.AlignmentState['enum']).toEqual(alignmentStates);
    expect(schemas.HITLRequest).toMatchObject({ title: 'HITLRequest', additionalProperties: {}, properties: { task_id: { pattern: '\\S' } } });
  });
});

describe('text', () => {
  test('trims and splits as Python does', () => {
    expect(trimText('\u001c\u0085 a\ufeff \u3000')).toBe('a\ufeff');
    expect(splitWords(' a\u001fb\u2003c\u200bd\n')).toEqual(['a', 'b', 'c\u200bd']);
    expect(splitWords(' ')).toEqual([]);
    expect(trimText('\u001f ')).toBe('');
  });

  test('trims in linear time', () => {
    const text = `a${' '.repeat(200_000)}b`;
    expect(trimText(text)).toBe(text);
  });

  test.each([
    [0.125, '0.12'],
    [0.375, '0.38'],
    [0.625, '0.62'],
    [0.875, '0.88'],
    [0.745, '0.74'],
    [1.005, '1.00'],
    [0.5, '0.50'],
    [2.125, '2.12'],
    [0, '0.00'],
    [1, '1.00'],
  ])('%d is %s', (value, text) => {
    expect(twoDecimals(value)).toBe(text);
  });
});

function raise(): never {
  throw new Error('nothing was built');
}
