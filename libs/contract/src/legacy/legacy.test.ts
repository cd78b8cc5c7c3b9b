import { describe, expect, test } from 'vitest';
import { parseHitlRequest } from '../hitl/index.ts';
import { interactionSchema } from '../interaction.ts';
import { readJson } from '../json/index.ts';
import {
  deprecationHeaders,
  humanReviewDecisionSchema,
  humanReviewRequestId,
  humanReviewRequestSchema,
  humanReviewStatus,
  isHumanReviewDecision,
  isHumanReviewRequest,
  legacyJsonSchemas,
  mapHumanReviewDecision,
  mapHumanReviewRequest,
  type MappedReviewRequest,
} from './index.ts';

const createdAt = '2026-01-15T10:30:00Z';

function review(): string {
  return `{"task_id": "ticket #42", "evaluation_result": {"task_id": "ticket #42", "agent_decisions": [
    {"agent_name": "judge", "role_type": "judge", "decision_value": 1.0, "confidence": 0.9, "rationale": "r", "evidence": [], "processing_time_ms": null, "metadata": {}, "big": 9007199254740993}],
    "alignment_summary": {"state": "soft_disagreement", "alignment_score": 0.7, "confidence_spread": 0.0, "avg_confidence": 0.90, "dissenting_agents": [], "disagreement_areas": ["evidence_quality"], "consensus_strength": 0.63, "resolution_rationale": "w"},
    "requires_human_review": true, "review_reason": null, "request_id": "eval-3", "processing_time_ms": 4600, "metadata": {}},
    "disagreement_summary": "They differ.", "review_priority": "medium", "deadline": "2026-12-01T12:00:00", "reviewer_instructions": "Decide.", "metadata": {"team": "a", "agent_count": 7}}`;
}

function map(text: string): MappedReviewRequest {
  const mapping = mapHumanReviewRequest(readJson(text), createdAt);
  if (!mapping.ok) {
    throw new Error(JSON.stringify(mapping.errors));
  }
  return mapping.mapped;
}

const errors = (text: string): string[] => {
  const mapping = mapHumanReviewRequest(readJson(text), createdAt);
  return mapping.ok ? [] : mapping.errors.map((error) => `${error.path} ${error.code}`);
};

describe('mapHumanReviewRequest', () => {
  test('makes a valid HITLRequest that keeps number text and unknown members', () => {
    const mapped = map(review());
    const parsed = parseHitlRequest(mapped.payload);
    expect(parsed.ok && parsed.document.request).toMatchObject({
      request_id: mapped.requestId,
      task_id: 'ticket #42',
      alignment_state: 'soft_disagreement',
      escalation_reason: 'inconsistent_evidence',
      summary: 'They differ.',
      created_at: createdAt,
      metadata: { team: 'a', agent_count: 1, avg_confidence: 0.9, processing_time_ms: 4600, evaluation_request_id: 'eval-3', deadline: '2026-12-01T12:00:00' },
    });
    expect(mapped.payload).toContain('"decision_value":1.0');
    expect(mapped.payload).toContain('"big":9007199254740993');
    expect(mapped.reason).toBe('inconsistent_evidence');
    expect(humanReviewRequestSchema.safeParse(JSON.parse(review())).success).toBe(true);
  });

  test('reads a plain value as well', () => {
    const mapping = mapHumanReviewRequest(JSON.parse(review()), createdAt);
    expect(mapping.ok && JSON.parse(mapping.mapped.payload)).toEqual(JSON.parse(map(review()).payload));
  });

  test('takes the deadline without an offset as UTC, outside of the interaction', () => {
    const mapped = map(review());
    expect(mapped.deadline).toBe(Date.parse('2026-12-01T12:00:00Z'));
    expect(mapped.interaction).toEqual({ pattern: 'input', prompt: 'Decide.', priority: 'normal' });
    expect(interactionSchema.safeParse(mapped.interaction).success).toBe(true);
  });

  test('leaves a deadline that is no time in the metadata', () => {
    const mapped = map(review().replace('2026-12-01T12:00:00', 'tomorrow noon'));
    expect(mapped.deadline).toBeNull();
    expect(mapped.payload).toContain('"deadline":"tomorrow noon"');
    expect(map(review().replace('"2026-12-01T12:00:00"', 'null')).payload).not.toContain('deadline');
  });

  test.each([
    ['low', 'low'],
    ['medium', 'normal'],
    ['high', 'high'],
    ['urgent', 'critical'],
    ['sometime', 'normal'],
  ])('priority %s is %s', (old, priority) => {
    const mapped = map(review().replace('"medium"', `"${old}"`));
    expect(mapped.interaction.priority).toBe(priority);
    expect(mapped.payload.includes('review_priority')).toBe(old === 'sometime');
  });

  test('makes the id of task and evaluation', () => {
    expect(map(review()).requestId).toBe(humanReviewRequestId('ticket #42', 'eval-3'));
    expect(map(review().replace('"alignment_score": 0.7', '"alignment_score": 0.8')).requestId).toBe(map(review()).requestId);
    expect(map(review().replaceAll('eval-3', 'eval-4')).requestId).not.toBe(map(review()).requestId);
    expect(humanReviewRequestId('a', 'b')).not.toBe(humanReviewRequestId('ab', ''));
    expect(humanReviewRequestId('a', null)).toBe(humanReviewRequestId('a', undefined));
  });

  test('names errors by the paths of the old form', () => {
    expect(errors(review().replace('"confidence": 0.9', '"confidence": 9'))).toEqual(['evaluation_result.agent_decisions[0].confidence out_of_range']);
    expect(errors(review().replace('"dissenting_agents": []', '"dissenting_agents": ["x"]'))).toEqual([
      'evaluation_result.alignment_summary.dissenting_agents[0] unknown_agent',
    ]);
    expect(errors('{"task_id":" ","evaluation_result":{}}')).toEqual([
      'task_id blank',
      'evaluation_result.alignment_summary.state required',
      'evaluation_result.alignment_summary.alignment_score required',
      'disagreement_summary required',
      'evaluation_result.agent_decisions required',
      'evaluation_result.alignment_summary.dissenting_agents required',
    ]);
  });
});

describe('mapHumanReviewDecision', () => {
  const decision = { task_id: 'ticket #42', reviewer_id: ' alice', decision_value: [1, true], confidence: 0.9, rationale: 'Checked.', review_time_ms: 4200, feedback: null, metadata: {} };

  test('makes an answer under the verdict field', () => {
    expect(mapHumanReviewDecision(decision)).toEqual({
      ok: true,
      mapped: {
        taskId: 'ticket #42',
        userId: 'alice',
        userInput: { decision: [1, true], confidence: 0.9, rationale: 'Checked.', review_time_ms: 4200, metadata: {} },
      },
    });
    expect(mapHumanReviewDecision(readJson(JSON.stringify(decision)))).toEqual(mapHumanReviewDecision(decision));
    expect(mapHumanReviewDecision({ task_id: 't', reviewer_id: 'r', decision_value: null }, 'verdict')).toMatchObject({ mapped: { userInput: { verdict: null } } });
    expect(humanReviewDecisionSchema.safeParse(decision).success).toBe(true);
  });

  test('names every failing field', () => {
    const mapping = mapHumanReviewDecision({ task_id: '', confidence: 2, rationale: 1, review_time_ms: 'x' });
    expect(mapping.ok ? [] : mapping.errors.map((error) => error.path)).toEqual(['task_id', 'reviewer_id', 'decision_value', 'confidence', 'review_time_ms', 'rationale']);
    expect(mapHumanReviewDecision(null)).toMatchObject({ ok: false });
  });
});

describe('old forms', () => {
  test('are told from those of today', () => {
    expect(isHumanReviewRequest(readJson(review()))).toBe(true);
    expect(isHumanReviewRequest({ task_id: 'x', agent_decisions: [] })).toBe(false);
    expect(isHumanReviewDecision({ task_id: 'x', reviewer_id: 'y' })).toBe(true);
    expect(isHumanReviewDecision({ interaction_id: 'x', task_id: 'x', reviewer_id: 'y' })).toBe(false);
  });

  test('have published schemas', () => {
    expect(legacyJsonSchemas().HumanReviewDecision).toMatchObject({ title: 'HumanReviewDecision', deprecated: true, required: expect.arrayContaining(['reviewer_id']) });
    expect(legacyJsonSchemas().HumanReviewRequest).toMatchObject({ title: 'HumanReviewRequest', deprecated: true });
  });

  test('have a status and deprecation headers of their own', () => {
    expect(humanReviewStatus('pending', true)).toBe('in_progress');
    expect(humanReviewStatus('pending', false)).toBe('pending');
    expect(humanReviewStatus('completed', true)).toBe('completed');
    expect(deprecationHeaders('/docs/legacy')).toEqual({ deprecation: '@1767225600', link: '</docs/legacy>; rel="deprecation"; type="text/html"' });
  });
});
