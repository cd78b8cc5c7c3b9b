import fc from 'fast-check';
import { encodeUtf8, readJson, type JsonNode } from '@umpire/contract';
import { describe, expect, it } from 'vitest';
import { COST_LIMIT } from './policy-cost.ts';
import { compileExpression } from './policy-expression.ts';
import { factsOf } from './policy-facts.ts';

function evaluate(text: string, payload: unknown, kind: 'escalation' | 'interaction' = 'escalation') {
  const compiled = compileExpression(text);
  if (!compiled.ok) throw new Error(compiled.message);
  const node: JsonNode = readJson(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return compiled.expression.evaluate(factsOf({ namespace: 'default', kind, reason: 'low_confidence', payload: node }));
}

const payload = {
  task_id: 'loan/2031/7',
  agent_decisions: [{ agent_name: 'a', confidence: 0.1, decision_value: null }, { agent_name: 'b', confidence: 0.9 }],
  metadata: { spread: 0.5, areas: ['primary_decision', 'evidence_quality'], attempts: 3, nothing: null, deep: { er: true }, constructor: 'own' },
  data: { amount: 120 },
};

describe('an expression', () => {
  it.each([
    'metadata.spread > 0.3', "'primary_decision' in metadata.areas", 'metadata.attempts == 3', 'metadata.attempts + 1 == 4', '2 * metadata.spread == 1.0', 'metadata.attempts >= 3 ? true : false',
    "metadata['areas'][1] == 'evidence_quality'", 'size(metadata.areas) == 2', 'metadata.areas.size() == 2', 'metadata.deep.er', "reason == 'low_confidence' && kind == 'escalation'",
    'request.agent_decisions.exists(d, d.confidence < 0.2)', 'request.agent_decisions.exists_one(d, d.confidence < 0.2)', '!request.agent_decisions.all(d, d.confidence < 0.2)',
    'request.agent_decisions.filter(d, d.confidence > 0.5).map(d, d.agent_name) == ["b"]', "request.task_id.startsWith('loan/')", "request.task_id.matches('^loan/[0-9]{4}/')", "request.task_id.contains('2031')",
    'has(metadata.spread) && !has(metadata.sprad)', "'nothing' in metadata && metadata.nothing == null", "metadata.constructor == 'own'", 'type(metadata.spread) == double',
    "timestamp('2031-05-01T10:00:00Z').getFullYear() == 2031", 'metadata.spread in [0.25, 0.5]', 'metadata.missing > 1 || metadata.spread > 0.3', 'true',
  ])('%s holds', (text) => {
    expect(evaluate(text, payload)).toMatchObject({ holds: true });
  });

  it.each([
    ['metadata.sprad > 0.3', /field not found: sprad/], ['metadata.deep.er.still == 1', /cannot be told/], ['!(metadata.sprad == 1)', /sprad/], ['metadata.spread > "much"', /overload/], ['metadata.areas[7] == ""', /out of bounds/],
    ['metadata.spread > 0.9', /^it is false$/], ['metadata.areas', /neither true nor false/], ['metadata.toString == 1', /toString/], ['data.amount > 1', /amount/], ['1 / (metadata.attempts == 3 ? 0 : 1) == 1', /divide/],
  ])('%s does not hold, and is told why', (text, why) => {
    const evaluated = evaluate(text, payload);
    expect(evaluated).toMatchObject({ holds: false, exceeded: false });
    expect('why' in evaluated && evaluated.why).toMatch(why);
  });

  it('sees the data of an interaction', () => {
    expect(evaluate('data.amount > 100 && request.data.amount > 100', payload, 'interaction').holds).toBe(true);
  });

  it('tells integers apart that a double would not', () => {
    const account = '{"metadata":{"account":9007199254740993,"huge":123456789012345678901234567890,"far":1e400}}';
    expect(evaluate('metadata.account == 9007199254740993', account).holds).toBe(true);
    expect(evaluate('metadata.account == 9007199254740992', account).holds).toBe(false);
    expect(evaluate('metadata.huge > 1 && metadata.far > 1', account).holds).toBe(true);
  });

  it.each([
    ['', /line 1/], ['a ==', /line 1, column/], ['metadata.x = 1', /line 1/], ['requst.task_id == ""', /knows no requst/], ['risky(metadata)', /knows no function risky/], ['constructor == 1', /knows no constructor/],
    ['metadata.areas.exists(a)', /exists is called on/], ['has(metadata)', /has\(\) takes a member/], ["contains(reason, 'l')", /contains is called on a value/], ["reason.contains('l', 'o')", /contains is given 3 values in place of 2/],
    ['"yes"', /must be true or false/], ['metadata.spread + 1', /must be true or false/], ['[true]', /must be true or false/], ['reason.matches(kind)', /written as text/], ['reason.matches("(")', /missing closing/], ['reason.matches("(?=a)")', /matches/],
    ['reason.matches(".{1,900}")', /too large/], ['true || google.rpc.Code{}.x', /knows no/], [`${'('.repeat(40)}true${')'.repeat(40)}`, /nested deeper/], [`true${' || true'.repeat(300)}`, /longer than/], [`true${'||true'.repeat(250)}`, /more than 400 parts/],
    ['[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))', /loops are nested deeper/],
  ])('%s is refused', (text, why) => {
    const compiled = compileExpression(text);
    expect(compiled.ok).toBe(false);
    expect('message' in compiled && compiled.message).toMatch(why);
  });
});

describe('the cost of an expression', () => {
  const many = Array.from({ length: 30_000 }, (_, index) => index);
  const large = { metadata: { many, text: 'ab'.repeat(60_000), map: Object.fromEntries(many.slice(0, 9_000).map((index) => [`k${index}`, index])) }, rows: many.slice(0, 2_000).map((n) => ({ n })) };

  it.each([
    'metadata.many.all(a, metadata.many.all(b, a + b >= 0))', 'metadata.many.exists(a, metadata.many.exists(b, metadata.many.exists(c, a.x > 1)))', 'metadata.many.map(a, a).size() == 30000', 'metadata.many.filter(a, a > 3).size() == 2',
    '[metadata.many.map(a, 1)].all(r, r.all(a, r.all(b, true)))', 'metadata.many.all(a, request == request)', 'metadata.many.all(a, metadata.text.contains("bb"))', 'metadata.text.matches("(a|b|bb){1,20}c")',
    '[metadata.text + metadata.text].all(t, [t + t].all(u, [u + u].all(v, v + v + v + v + v + v == "")))', 'metadata.many.exists(a, metadata.map[a] == 1)', 'metadata.many.exists(a, size(metadata.text) == 1)', 'metadata.many.exists(a, a in metadata.many)',
    'metadata.many.exists(a, timestamp("2031-01-01T00:00:00Z").getHours("Europe/Berlin") == 99)', 'metadata.many.exists(a, a.x > 1) || metadata.many.exists(a, a.x > 1) || true',
  ])('%s is given up', (text) => {
    const before = performance.now();
    const evaluated = evaluate(text, large);
    expect(evaluated).toMatchObject({ holds: false, exceeded: true });
    // Milliseconds in truth; without the meter seconds to centuries.
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it('is the same each time, and small where little is asked', () => {
    const costs = [1, 2, 3].map(() => evaluate("'primary_decision' in metadata.areas && request.agent_decisions.exists(d, d.confidence > 0.5)", payload).cost);
    expect(new Set(costs).size).toBe(1);
    expect(costs[0]).toBeLessThan(COST_LIMIT / 500);
    expect(evaluate('metadata.text.size() > 10 && metadata.many.size() > 10 && "k1" in metadata.map', large).holds).toBe(true);
  });

  it('does not depend on what was asked before', () => {
    expect(evaluate('metadata.many.all(a, request == request)', large).holds).toBe(false);
    expect(evaluate('metadata.spread > 0.3', payload).holds).toBe(true);
  });
});

describe('whatever is written', () => {
  const words = fc.constantFrom('metadata', 'request', 'data', 'reason', '.a', '.b', '[0]', '["x"]', '.all(x, ', '.exists(y, ', '.map(z, ', '.filter(x, ', ')', '(', '==', '>', '+', 'in', '&&', '||', '!', '?', ':', 'x', 'y', '1', '2.5', '"s"', '[1, 2]', '{"k": 1}', '.size()', 'has(metadata.a)', 'null', 'true', '.matches("a+")', ' ');

  it('is refused or evaluated, and never throws', () => {
    const value = fc.jsonValue();
    fc.assert(fc.property(fc.array(words, { maxLength: 12 }), value, value, (parts, a, b) => {
      const compiled = compileExpression(parts.join(' '));
      if (!compiled.ok) return void expect(compiled.message).not.toBe('');
      const facts = factsOf({ namespace: 'default', kind: 'interaction', reason: 'custom_rule', payload: readJson(encodeUtf8(JSON.stringify({ metadata: { a, b }, data: a }))) });
      expect(typeof compiled.expression.evaluate(facts).holds).toBe('boolean');
    }), { numRuns: 2_000 });
  });

  it('is refused or compiled, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      expect(typeof compileExpression(text).ok).toBe('boolean');
    }), { numRuns: 1_000 });
  });
});
