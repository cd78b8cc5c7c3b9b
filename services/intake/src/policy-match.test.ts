import { readJson, type Reason } from '@umpire/contract';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkPolicy } from './policy-document.ts';
import { matchesGlob } from './policy-glob.ts';
import { inOrder, Question, type ActivePolicy } from './policy-match.ts';
import { readPolicyText } from './policy-text.ts';

function active(value: Record<string, unknown>, enabled = true): ActivePolicy {
  const read = checkPolicy(value, 'default');
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return { ...read.policy, id: read.policy.document.id, version: 1, enabled };
}

const question = (payload: unknown, reason: Reason = 'low_confidence', kind: 'escalation' | 'interaction' = 'escalation') =>
  new Question({ namespace: 'default', kind, reason, payload: readJson(typeof payload === 'string' ? payload : JSON.stringify(payload)) });
const failureOf = (match: Record<string, unknown>, payload: unknown) => question(payload).ask(active({ id: 'p', match }))?.path ?? null;

describe('the match of a policy', () => {
  const payload = { task_id: 'loan/2031/7', metadata: { team: 'risk', level: 30.0, vip: true, none: null, areas: ['x', 'y'], nested: {} } };

  it.each([
    [{}, null], [{ kind: 'escalation' }, null], [{ kind: 'interaction' }, 'match.kind'], [{ reasons: ['low_confidence', 'custom_rule'] }, null], [{ reasons: ['custom_rule'] }, 'match.reasons'],
    [{ task_id: 'loan/*' }, null], [{ task_id: ['a', 'loan/????/7'] }, null], [{ task_id: 'loan' }, 'match.task_id'], [{ task_id: 'Loan/*' }, 'match.task_id'],
    [{ metadata: { team: 'risk' } }, null], [{ metadata: { team: ['ops', 'risk'], vip: true, none: null, level: 30 } }, null], [{ metadata: { areas: 'y' } }, null], [{ metadata: { areas: 'z' } }, 'match.metadata.areas'],
    [{ metadata: { team: 'risk', level: '30' } }, 'match.metadata.level'], [{ metadata: { absent: null } }, 'match.metadata.absent'], [{ metadata: { nested: 'x' } }, 'match.metadata.nested'], [{ metadata: { vip: 'true' } }, 'match.metadata.vip'],
    [{ when: 'metadata.level > 29' }, null], [{ when: 'metadata.level > 30' }, 'match.when'], [{ task_id: 'no', when: 'metadata.level > 30' }, 'match.task_id'],
  ])('%j fails at %s', (match, path) => {
    expect(failureOf(match, payload)).toBe(path);
  });

  it('takes what a payload does not have for what does not fit', () => {
    expect(failureOf({ task_id: '*' }, {})).toBe('match.task_id');
    expect(failureOf({ task_id: '*' }, { task_id: 7 })).toBe('match.task_id');
    expect(failureOf({ metadata: { a: 1 } }, { metadata: 'text' })).toBe('match.metadata.a');
    expect(failureOf({ when: 'metadata.a == 1' }, { metadata: null })).toBe('match.when');
  });

  it('does not take anything while the policy is disabled', () => {
    expect(question({}).ask(active({ id: 'p' }, false))).toMatchObject({ path: 'enabled' });
  });

  it('asks the highest priority first, then by id', () => {
    const order = [['b', 0], ['c', 5], ['a', 0], ['d', -1]].map(([id, priority]) => active({ id, priority }));
    expect(inOrder(order).map((policy) => policy.id)).toEqual(['c', 'a', 'b', 'd']);
  });
});

describe('a pattern of task ids', () => {
  const asRegExp = (pattern: string) => new RegExp(`^${[...pattern].map((c) => (c === '*' ? '[^]*' : c === '?' ? '[^]' : `\\u{${c.codePointAt(0)!.toString(16)}}`)).join('')}$`, 'u');
  it('means what the same regular expression means', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '/'), maxLength: 8 });
    fc.assert(fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 }), (pattern, text) => {
      expect(matchesGlob(pattern, text)).toBe(asRegExp(pattern).test(text));
    }), { numRuns: 3_000 });
  });

  it('is quick on what makes others slow', () => {
    const before = performance.now();
    expect(matchesGlob('a*'.repeat(100) + 'b', 'a'.repeat(4_000))).toBe(false);
    expect(performance.now() - before).toBeLessThan(500);
  });
});

/** What the upstream framework really writes; not part of the repository. */
const upstream = new URL('../../../../shared/data/hitl-requests.jsonl', import.meta.url);

describe('the contract’s two routing examples, as samples', () => {
  const sample = (file: string) => active(readPolicyText(readFileSync(new URL(`../samples/${file}`, import.meta.url)), 'application/yaml') as Record<string, unknown>);
  const policies = inOrder([sample('confidence-specialists.yaml'), sample('senior-reviewers.yaml')]);
  const takenBy = (payload: unknown) => {
    const asked = question(payload);
    return policies.find((policy) => asked.ask(policy) === null)?.id ?? null;
  };

  it.each([
    [{ disagreement_areas: ['primary_decision'], confidence_spread: 0.9 }, 'senior-reviewers'], [{ disagreement_areas: ['evidence_quality'], confidence_spread: 0.31 }, 'confidence-specialists'], [{ disagreement_areas: [], confidence_spread: 0.3 }, null],
    [{ confidence_spread: 1 }, 'confidence-specialists'], [{ disagreement_areas: null }, null], [{}, null],
  ])('send %j to %s', (metadata, id) => {
    expect(takenBy({ metadata })).toBe(id);
  });

  it.skipIf(!existsSync(upstream))('route what the upstream framework writes as the contract’s code would', () => {
    const counts: Record<string, number> = {};
    for (const line of readFileSync(upstream, 'utf8').trimEnd().split('\n')) {
      const { metadata } = JSON.parse(line) as { metadata: { disagreement_areas: string[]; confidence_spread: number } };
      const wanted = metadata.disagreement_areas.includes('primary_decision') ? 'senior-reviewers' : metadata.confidence_spread > 0.3 ? 'confidence-specialists' : null;
      expect(takenBy(line)).toBe(wanted);
      counts[String(wanted)] = (counts[String(wanted)] ?? 0) + 1;
    }
    expect(Object.keys(counts).sort()).toEqual(['confidence-specialists', 'null', 'senior-reviewers']);
  });
});
