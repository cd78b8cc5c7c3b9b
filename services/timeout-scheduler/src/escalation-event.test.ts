import { describe, expect, it } from 'vitest';
import { clockSetOfEvent } from './escalation-event.ts';

const clock = { kind: 'deadline', ordinal: 0, due_at: '2026-01-15T10:30:00.123Z', generation: 1 };
const event = { id: 'x', type: 'opened', namespace: 'default', request_id: 'hitl-Übung 7/\u{1f980}', seq: 3, reason: 'custom_rule', data: { clocks: [clock], escalation: { big: 1 } } };
const read = (value: unknown) => clockSetOfEvent(new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)));

describe('reading an event', () => {
  it('takes the clocks and leaves the rest', () => {
    expect(read(event)).toEqual({ namespace: 'default', request_id: 'hitl-Übung 7/\u{1f980}', seq: 3, clocks: [clock] });
    expect(read({ ...event, data: { clocks: [{ ...clock, later_field: true }] } })).toMatchObject({ clocks: [clock] });
    expect(read({ ...event, data: { clocks: [] } })).toMatchObject({ clocks: [] });
    expect(read({ ...event, request_id: 'é'.repeat(256) })).toMatchObject({ seq: 3 });
  });

  it('reads past what only looks like the payload', () => {
    expect(read({ ...event, data: { rules: { prompt: ',"escalation":', escalation: 1 }, clocks: [clock], escalation: { clocks: [] } } })).toMatchObject({ clocks: [clock] });
    expect(read({ ...event, data: { a: 1, escalation: { big: 1 }, clocks: [clock] } })).toMatchObject({ clocks: [clock] });
    expect(read({ ...event, request_id: '",escalation":', data: { clocks: [clock] } })).toMatchObject({ clocks: [clock] });
  });

  it.each<[string, unknown, string]>([
    ['not JSON', '{"a":', 'not JSON'],
    ['not an object', 'null', 'namespace'],
    ['a namespace that cannot be', { ...event, namespace: 'Team A' }, 'namespace'],
    ['no id', { ...event, request_id: '' }, 'request_id'],
    ['an id with NUL, which Postgres refuses', { ...event, request_id: 'a\0b' }, 'request_id'],
    ['an id with half a surrogate', JSON.stringify({ ...event, request_id: 'HERE' }).replace('HERE', '\\ud83e'), 'request_id'],
    ['an id of 513 bytes', { ...event, request_id: `a${'é'.repeat(256)}` }, 'request_id'],
    ['a seq that is no count', { ...event, seq: 0 }, 'seq'],
    ['a seq beyond integer', { ...event, seq: 2 ** 31 }, 'seq'],
    ['no clocks', { ...event, data: {} }, 'data.clocks'],
    ['no data', { ...event, data: null }, 'data.clocks'],
    ['an unknown kind', { ...event, data: { clocks: [clock, { ...clock, kind: 'alarm' }] } }, 'data.clocks[1]'],
    ['a time without offset, which would be local', { ...event, data: { clocks: [{ ...clock, due_at: '2026-01-15T10:30:00.123' }] } }, 'data.clocks[0]'],
    ['a time that is none', { ...event, data: { clocks: [{ ...clock, due_at: '2026-13-45T10:30:00.123Z' }] } }, 'data.clocks[0]'],
    ['infinity, which Postgres would take', { ...event, data: { clocks: [{ ...clock, due_at: 'infinity' }] } }, 'data.clocks[0]'],
    ['a generation of none', { ...event, data: { clocks: [{ ...clock, generation: 0 }] } }, 'data.clocks[0]'],
    ['a clock twice, which one statement could not upsert', { ...event, data: { clocks: [clock, { ...clock, generation: 2 }] } }, 'data.clocks names a clock twice'],
  ])('refuses %s', (_, value, fault) => {
    const result = read(value);
    expect('fault' in result && result.fault).toContain(fault);
  });
});
