import { describe, expect, test } from 'vitest';
import {
  escalationReason,
  explainReview,
  evaluationResultSchema,
  hitlRequestId,
  hitlRequestSchema,
  humanReviewDecisionSchema,
  humanReviewRequestSchema,
  mapHumanReviewDecision,
  mapHumanReviewRequest,
  member,
  parseCreatedAt,
  parseHitlRequest,
  readJson,
  serializeHitlRequest,
  stringMember,
  toValue,
  validateHitlRequest,
} from '@umpire/contract';
import { sharedDataIsThere, sharedLines } from './shared-data.ts';

describe.skipIf(!sharedDataIsThere)("upstream's HITLRequests", () => {
  const lines = sharedLines('hitl-requests.jsonl');

  test('are all valid, by the validator and by the schema', () => {
    expect(lines).toHaveLength(363);
    for (const line of lines) {
      const node = readJson(line);
      expect(validateHitlRequest(node)).toEqual({ ok: true });
      expect(validateHitlRequest(toValue(node))).toEqual({ ok: true });
      expect(hitlRequestSchema.safeParse(toValue(node)).success).toBe(true);
    }
  });

  test('are read as JSON.parse reads them and written as they came', () => {
    for (const line of lines) {
      const parsed = parseHitlRequest(new TextEncoder().encode(line));
      expect(parsed.ok && serializeHitlRequest(parsed.document)).toBe(line);
      expect(parsed.ok && parsed.document.request).toEqual(JSON.parse(line));
    }
  });

  test('have a creation time in UTC and an id that is the same in both of the spellings', () => {
    for (const line of lines) {
      const node = readJson(line);
      const text = stringMember(node, 'created_at') ?? '';
      expect(parseCreatedAt(text)).toBe(Date.parse(`${text.slice(0, 23)}Z`));
      expect(hitlRequestId(readJson(JSON.stringify(JSON.parse(line))))).toBe(hitlRequestId(node));
    }
  });

  test('carry the reason that their state stands for', () => {
    for (const line of lines) {
      const node = readJson(line);
      const areas = toValue(member(member(node, 'metadata'), 'disagreement_areas') ?? node) as string[];
      expect(escalationReason({ state: stringMember(node, 'alignment_state') ?? '', disagreement_areas: areas })).toBe(stringMember(node, 'escalation_reason'));
    }
  });
});

describe.skipIf(!sharedDataIsThere)("upstream's deprecated forms", () => {
  test('the requests map to valid HITLRequests with ids of their own', () => {
    const ids = new Set<string>();
    for (const line of sharedLines('human-review-requests.jsonl')) {
      expect(humanReviewRequestSchema.safeParse(JSON.parse(line)).success).toBe(true);
      const mapping = mapHumanReviewRequest(readJson(line), '2026-01-15T10:30:00Z');
      if (!mapping.ok) {
        throw new Error(JSON.stringify(mapping.errors));
      }
      ids.add(mapping.mapped.requestId);
      expect(parseHitlRequest(mapping.mapped.payload).ok).toBe(true);
      const deadline = (JSON.parse(line) as { deadline: string | null }).deadline;
      expect(mapping.mapped.deadline).toBe(deadline?.startsWith('2026') ? Date.parse(`${deadline}Z`) : null);
      expect(mapping.mapped.payload.includes('tomorrow noon')).toBe(deadline === 'tomorrow noon');
    }
    expect(ids.size).toBe(12);
  });

  test('their evaluation results are readable and explained', () => {
    for (const line of sharedLines('human-review-requests.jsonl')) {
      const result = evaluationResultSchema.parse((JSON.parse(line) as { evaluation_result: unknown }).evaluation_result);
      const explained = explainReview(result);
      expect(explained.escalation_reason).toBe(escalationReason(result.alignment_summary));
      expect(explained.rules.find((rule) => rule.rule === 'hard_disagreement_requires_review')?.holds).toBe(result.alignment_summary.state === 'hard_disagreement');
    }
  });

  test('the decisions map to answers', () => {
    const lines = sharedLines('human-review-decisions.jsonl');
    expect(lines).toHaveLength(12);
    for (const line of lines) {
      const decision = humanReviewDecisionSchema.parse(JSON.parse(line));
      const mapping = mapHumanReviewDecision(readJson(line));
      expect(mapping.ok && mapping.mapped).toMatchObject({ taskId: decision.task_id, userId: 'alice', userInput: { decision: decision.decision_value, confidence: 0.9 } });
    }
  });
});
