import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJson } from '../json/index.ts';
import { hitlRequestSchema, validateHitlRequest, type HITLRequest } from './index.ts';

function request(): HITLRequest {
  return {
    request_id: 'hitl-loan/2024/17-af4ecf7b',
    task_id: 'loan/2024/17',
    alignment_state: 'hard_disagreement',
    alignment_score: 0.096,
    escalation_reason: 'hard_disagreement',
    summary: 'The agents disagree.',
    agent_decisions: [
      { agent_name: ' judge', role_type: 'judge', decision_value: true, confidence: 1, rationale: 'a', evidence: [''], processing_time_ms: null, metadata: {} },
      { agent_name: 'legal', decision_value: null, confidence: 0, rationale: 'b' },
    ],
    dissenting_agents: ['legal '],
    created_at: '2026-01-15T10:30:00.123456',
    metadata: { unknown: [1] },
    extra: 1,
  };
}

const paths = (value: unknown): string[] => {
  const validation = validateHitlRequest(value);
  return validation.ok ? [] : validation.errors.map((error) => error.path);
};

const errors = (...changes: [path: string, value: unknown][]): string[] => {
  const value = request();
  for (const [path, replacement] of changes) {
    overwrite(value, path.split('.'), replacement);
  }
  const validation = validateHitlRequest(value);
  return validation.ok ? [] : validation.errors.map((error) => `${error.path} ${error.code}`);
};

describe('validateHitlRequest', () => {
  test('accepts a request with unknown members, untrimmed names and optional members missing', () => {
    expect(validateHitlRequest(request())).toEqual({ ok: true });
    expect(validateHitlRequest(readJson(JSON.stringify(request())))).toEqual({ ok: true });
  });

  test.each<[string, string, unknown, string[]]>([
    ['a blank text', 'summary', ' \u0085', ['summary blank']],
    ['a reason that is none of the four', 'escalation_reason', 'other', ['escalation_reason not_allowed']],
    ['a score past 1', 'alignment_score', 1.0001, ['alignment_score out_of_range']],
    ['a confidence as text', 'agent_decisions.1.confidence', '0.5', ['agent_decisions[1].confidence invalid_type']],
    ['no decision value', 'agent_decisions.0.decision_value', undefined, ['agent_decisions[0].decision_value required']],
    ['no decisions', 'agent_decisions', [], ['agent_decisions too_few', 'dissenting_agents[0] unknown_agent']],
    ['a decision that is no object', 'agent_decisions.2', null, ['agent_decisions[2] invalid_type']],
    ['an unknown dissenter', 'dissenting_agents.1', 'nobody', ['dissenting_agents[1] unknown_agent']],
    ['a dissenter that is no text', 'dissenting_agents.1', 1, ['dissenting_agents[1] invalid_type']],
    ['evidence that is no text', 'agent_decisions.0.evidence', ['a', 2], ['agent_decisions[0].evidence[1] invalid_type']],
    ['a negative duration', 'agent_decisions.0.processing_time_ms', -1, ['agent_decisions[0].processing_time_ms out_of_range']],
    ['a day that is none', 'created_at', '2026-02-30T00:00:00', ['created_at invalid_format']],
    ['metadata as a list', 'metadata', [], ['metadata invalid_type']],
    ['an id with NUL', 'request_id', 'a\0', ['request_id invalid_id']],
    ['an id with a lone surrogate', 'request_id', 'a\ud800', ['request_id invalid_id']],
    ['an id past 512 bytes', 'request_id', 'ü'.repeat(257), ['request_id invalid_id']],
    ['an empty id', 'request_id', '', ['request_id blank']],
  ])('names %s', (_, path, value, expected) => {
    expect(errors([path, value])).toEqual(expected);
  });

  test('accepts an id of exactly 512 bytes', () => {
    expect(errors(['request_id', 'ü'.repeat(256)])).toEqual([]);
    expect(errors(['request_id', 'x'.repeat(512)])).toEqual([]);
  });

  test('names all failing fields at once', () => {
    expect(paths({})).toEqual([
      'request_id', 'task_id', 'alignment_state', 'alignment_score', 'escalation_reason', 'summary', 'agent_decisions', 'dissenting_agents', 'created_at', 'metadata',
    ]);
    expect(paths({ ...request(), task_id: 1, agent_decisions: [{}, 1], metadata: null })).toEqual([
      'task_id',
      'agent_decisions[0].agent_name', 'agent_decisions[0].decision_value', 'agent_decisions[0].confidence', 'agent_decisions[0].rationale',
      'agent_decisions[1]', 'dissenting_agents[0]', 'metadata',
    ]);
  });

  test.each([[null], [[]], ['x'], [undefined]])('refuses %j as a whole', (value) => {
    expect(validateHitlRequest(value)).toEqual({ ok: false, errors: [{ path: '', code: 'invalid_type', message: 'must be an object' }] });
  });

  test('takes the last of duplicate members', () => {
    const text = JSON.stringify(request());
    expect(validateHitlRequest(readJson(text.replace('{', '{"summary":1,')))).toEqual({ ok: true });
    expect(paths(readJson(text.replace(/}$/, ',"summary":1}')))).toEqual(['summary']);
  });

  test('does not take a member from a prototype', () => {
    const value = Object.create(request()) as object;
    expect(paths(value)).toHaveLength(10);
  });

  test('lists at most 500 errors and says so', () => {
    const validation = validateHitlRequest({ ...request(), agent_decisions: Array.from({ length: 2000 }, () => 0) });
    expect(validation.ok ? 0 : validation.errors.length).toBe(501);
    expect(validation.ok ? '' : validation.errors.at(-1)?.code).toBe('too_many_errors');
  });

  test('agrees with the schema, for values and for nodes', () => {
    let valid = 0;
    fc.assert(
      fc.property(mutatedRequest(), (value) => {
        const parsed = hitlRequestSchema.safeParse(value);
        const own = new Set(paths(value));
        expect(own.size === 0).toBe(parsed.success);
        expect(paths(readJson(JSON.stringify(value)))).toEqual(paths(value));
        for (const issue of parsed.error?.issues ?? []) {
          expect([...own]).toContain(dotted(issue.path));
        }
        valid += parsed.success ? 1 : 0;
      }),
      { numRuns: 2000 },
    );
    expect(valid).toBeGreaterThan(100);
  });
});

function dotted(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`), '');
}

/** A sound request with up to three of its places overwritten or removed. */
function mutatedRequest(): fc.Arbitrary<unknown> {
  const value = fc.constantFrom<unknown>(
    undefined, null, true, '', '  ', 'judge', 'legal', ' legal ', 'custom_rule', '\ufeff', '\u001c', 'x\ud800', '2026-01-15', '2026-01-15 10:30', '2026-13-15T10:30:00Z',
    0, 1, -0, 0.5, 1.5, -1, 12, 1e308, [], ['judge'], ['legal', 'x', 1], [[]], {}, { a: 1 }, 'ü'.repeat(256), 'ü'.repeat(257), '審'.repeat(171),
  );
  const place = fc.oneof(
    fc.constantFrom(...Object.keys(request())).map((name) => [name]),
    fc.tuple(fc.constant('agent_decisions'), fc.constantFrom(0, 1), fc.constantFrom(...Object.keys(request().agent_decisions[0] ?? {}))),
    fc.tuple(fc.constant('agent_decisions'), fc.constantFrom(0, 1)),
    fc.tuple(fc.constant('dissenting_agents'), fc.constant(0)),
  );
  return fc.array(fc.tuple(place, value), { maxLength: 3 }).map((changes) => {
    const result: unknown = request();
    for (const [path, replacement] of changes) {
      overwrite(result, path, structuredClone(replacement));
    }
    return result;
  });
}

/** Sets the place below `parent`, or removes it when the value is undefined; does nothing where the path leads nowhere. */
function overwrite(parent: unknown, path: readonly (string | number)[], value: unknown): void {
  const [step, ...rest] = path;
  if (typeof parent !== 'object' || parent === null || step === undefined) {
    return;
  }
  if (rest.length > 0) {
    overwrite(Reflect.get(parent, step), rest, value);
  } else if (value === undefined && !Array.isArray(parent)) {
    Reflect.deleteProperty(parent, step);
  } else {
    Reflect.set(parent, step, value ?? null);
  }
}
