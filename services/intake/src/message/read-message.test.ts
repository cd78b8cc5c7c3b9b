import { LIMITS, type Reason, type SubmitItem } from '@umpire/contract';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bytes, hitlRequest, pipelinePayload, text } from '../../test/samples.ts';
import type { Origin } from './origin.ts';
import { readMessage, type PolicyFinder } from './read-message.ts';

const noPolicy: PolicyFinder = () => null;
const NOW = Date.UTC(2031, 1, 3, 4, 5, 6);
const on = (verb: 'review' | 'cancel', reason: Reason = 'hard_disagreement'): Origin =>
  ({ namespace: 'default', subject: { verb, reason }, submission: 'HITL_REVIEW:7', interactionId: () => 'made-here', now: () => NOW });
const posted: Origin = { namespace: 'default', subject: null, submission: '', interactionId: () => 'made-here', now: () => NOW };

function accepted(message: unknown, origin: Origin = on('review'), policyFor = noPolicy) {
  const read = readMessage(bytes(message), origin, policyFor);
  if (!read.ok) throw new Error(`refused: ${JSON.stringify(read.errors)}`);
  return read;
}

function faults(message: unknown, origin: Origin = on('review')): string[] {
  const read = readMessage(message instanceof Uint8Array ? message : bytes(message), origin, noPolicy);
  return read.ok ? [] : read.errors.map((error) => `${error.path}:${error.code}`);
}

const escalation = (change: Record<string, unknown> = {}, beside: Record<string, unknown> = {}) =>
  ({ type: 'hitl_escalation', payload: hitlRequest(change), routing_key: 'review.hard_disagreement', ...beside });
const interaction = (change: Record<string, unknown> = {}, beside: Record<string, unknown> = {}) =>
  ({ type: 'hitl_interaction', payload: pipelinePayload(change), ...beside });
const cancel = (payload: unknown, beside: Record<string, unknown> = {}) => ({ type: 'hitl_cancel', payload, ...beside });

describe('the forms', () => {
  it('reads the queue message of the contract', () => {
    const { item } = accepted(escalation());
    expect(item).toMatchObject({
      type: 'escalation', namespace: 'default', request_id: 'hitl-beleg/2031/4 Ø-5d0c', reason: 'hard_disagreement', submission: 'HITL_REVIEW:7',
      policy: null, task_id: 'beleg/2031/4 Ø', summary: 'Two agents disagree on whether the invoice is genuine', pipeline_name: null, step_name: null,
      rules: { pattern: 'review', options: ['approve', 'reject', 'request_changes'], assignees: { roles: ['reviewer'] }, timeout_seconds: 3600, on_timeout: 'expire' },
    });
  });

  it('reads a bare HITLRequest as the same submission as the queue message that holds it', () => {
    const wrapped = accepted(escalation());
    const bare = accepted(hitlRequest());
    expect(bare.item).toEqual(wrapped.item);
    expect(text(bare.payload)).toBe(text(wrapped.payload));
  });

  it('keeps unknown members of a bare HITLRequest, also those that mean something elsewhere', () => {
    const own = { type: 'gold', interaction: { quorum: 'none' }, routing_key: 7, payload: [] };
    const read = accepted(hitlRequest(own));
    expect(JSON.parse(text(read.payload))).toMatchObject(own);
  });

  it('reads a pipeline interaction', () => {
    const { item, payload } = accepted(interaction({ escalation_reason: 'low_confidence', partial_result: null, metadata: null }), on('review', 'low_confidence'));
    expect(item).toMatchObject({ type: 'interaction', request_id: 'step-17', reason: 'low_confidence', pipeline_name: 'contracts', step_name: 'clause check', task_id: null, summary: null });
    expect(JSON.parse(text(payload))).toMatchObject({ data: { clause: 4 } });
  });

  it('reads a cancel', () => {
    const read = accepted(cancel({ request_id: 'a b/ü', detail: 'no longer needed' }), on('cancel'));
    expect(read.item).toEqual({ type: 'cancel', namespace: 'default', request_id: 'a b/ü', reason: 'hard_disagreement', submission: 'HITL_REVIEW:7', detail: 'no longer needed' });
    expect(read.payload).toHaveLength(0);
    expect(accepted(cancel({ request_id: 'x' }), on('cancel')).item).toMatchObject({ detail: null });
  });

  it('takes null beside the payload for absent', () => {
    expect(accepted(escalation({}, { interaction: null, routing_key: null })).item).toEqual(accepted(escalation()).item);
  });

  it('lets the last of duplicate members count', () => {
    const body = `{"type":"hitl_cancel","payload":{"request_id":"a"},"payload":{"request_id":"b"}}`;
    expect(accepted(body, on('cancel')).item.request_id).toBe('b');
  });
});

describe('the reason', () => {
  const cases: [string, unknown, Origin, Reason][] = [
    ['the payload alone', hitlRequest({ escalation_reason: 'custom_rule' }), posted, 'custom_rule'],
    ['subject before routing key for an interaction without one', interaction({}, { routing_key: 'review.low_confidence' }), on('review', 'low_confidence'), 'low_confidence'],
    ['the routing key of a posted interaction', interaction({}, { routing_key: 'review.low_confidence' }), posted, 'low_confidence'],
    ['custom_rule for a posted interaction that says nothing', interaction(), posted, 'custom_rule'],
    ['the subject for an interaction that says nothing', interaction(), on('review', 'inconsistent_evidence'), 'inconsistent_evidence'],
    ['custom_rule for a posted cancel', cancel({ request_id: 'x' }), posted, 'custom_rule'],
    ['the escalation’s routing key of a posted cancel', cancel({ request_id: 'x' }, { routing_key: 'review.low_confidence' }), posted, 'low_confidence'],
  ];
  it.each(cases)('is that of %s', (_, message, origin, reason) => {
    expect(accepted(message, origin).item.reason).toBe(reason);
  });

  const mismatches: [string, unknown, Origin, string[]][] = [
    ['subject and payload', hitlRequest(), on('review', 'low_confidence'), ['escalation_reason:reason_mismatch']],
    ['subject and both', escalation(), on('review', 'custom_rule'), ['payload.escalation_reason:reason_mismatch', 'routing_key:reason_mismatch']],
    ['payload and routing key', escalation({}, { routing_key: 'review.custom_rule' }), posted, ['routing_key:reason_mismatch']],
    ['subject and routing key of an interaction', interaction({}, { routing_key: 'review.custom_rule' }), on('review', 'low_confidence'), ['routing_key:reason_mismatch']],
    ['subject and routing key of a cancel', cancel({ request_id: 'x' }, { routing_key: 'cancel.custom_rule' }), on('cancel'), ['routing_key:reason_mismatch']],
  ];
  it.each(mismatches)('must agree between %s', (_, message, origin, expected) => {
    expect(faults(message, origin)).toEqual(expected);
  });
});

describe('faults', () => {
  const badAgent = { agent_name: ' ', confidence: 1.5, rationale: 'r', decision_value: 1 };
  const cases: [string, unknown, string[], Origin?][] = [
    ['no JSON', '{"type":', [':invalid_json']],
    ['empty', '', [':invalid_json']],
    ['broken UTF-8', new Uint8Array([0x22, 0xff, 0x22]), [':invalid_utf8']],
    ['a byte order mark', '\ufeff{}', [':invalid_json']],
    ['nested beyond 64', '['.repeat(65) + ']'.repeat(65), [':too_deep']],
    ['no object', '[]', [':invalid_type']],
    ['another type of message', { type: 'order', payload: {} }, ['type:not_allowed']],
    ['no payload', { type: 'hitl_escalation' }, ['payload:required']],
    ['a payload that is no object', { type: 'hitl_escalation', payload: 'x' }, ['payload:invalid_type']],
    ['every bad field of a HITLRequest', escalation({ alignment_score: 2, agent_decisions: [badAgent], summary: '', dissenting_agents: ['who'] }), [
      'payload.alignment_score:out_of_range', 'payload.summary:blank', 'payload.agent_decisions[0].agent_name:blank', 'payload.agent_decisions[0].confidence:out_of_range',
      'payload.dissenting_agents[0]:unknown_agent',
    ]],
    ['paths of a bare HITLRequest from its own root', hitlRequest({ summary: 3 }), ['summary:invalid_type']],
    ['an id with NUL', escalation({ request_id: 'a\0b' }), ['payload.request_id:invalid_id']],
    ['an id with a lone surrogate', escalation({ request_id: 'a\ud800' }), ['payload.request_id:invalid_id']],
    ['an id of 513 bytes', escalation({ request_id: 'é'.repeat(256) + 'x' }), ['payload.request_id:invalid_id']],
    ['a blank id', escalation({ request_id: ' ' }), ['payload.request_id:blank']],
    ['a routing key of no reason', escalation({}, { routing_key: 'review.anything' }), ['routing_key:not_allowed']],
    ['a routing key that is no text', escalation({}, { routing_key: 5 }), ['routing_key:not_allowed']],
    ['an escalation on a cancel subject', escalation(), ['type:not_allowed'], on('cancel')],
    ['a cancel on a review subject', cancel({ request_id: 'x' }), ['type:not_allowed']],
    ['a pipeline payload without anything', { type: 'hitl_interaction', payload: {} }, ['payload.pipeline_name:required', 'payload.step_name:required', 'payload.data:required']],
    ['a pipeline payload of wrong types', interaction({ interaction_id: 4, pipeline_name: ' ', step_name: 'x'.repeat(257), data: [], escalation_reason: 'error: boom', metadata: 1 }), [
      'payload.interaction_id:invalid_type', 'payload.pipeline_name:blank', 'payload.step_name:too_long', 'payload.data:invalid_type', 'payload.escalation_reason:not_allowed',
      'payload.metadata:invalid_type',
    ]],
    ['a cancel without an id', cancel({}), ['payload.request_id:required'], on('cancel')],
    ['a cancel with bad fields', cancel({ request_id: '', detail: 1 }), ['payload.detail:invalid_type', 'payload.request_id:invalid_id'], on('cancel')],
    ['unknown fields of an interaction', escalation({}, { interaction: { quorum: 'any', four_eyes: true, assignees: { user: ['a'] } } }), [
      'interaction.assignees.user:unsupported', 'interaction.four_eyes:unsupported',
    ]],
    ['bad fields of an interaction', escalation({}, { interaction: { timeout_seconds: -1, levels: [{ after_seconds: 'soon', assignees: {} }] } }), [
      'interaction.levels[0].after_seconds:invalid_type', 'interaction.timeout_seconds:too_small',
    ]],
    ['an interaction that is no object', escalation({}, { interaction: 'fast' }), ['interaction:invalid_type']],
    ['rules that contradict each other', escalation({}, { interaction: { on_timeout: 'default' } }), ['interaction.default_action:required']],
    ['a default outside of the options', escalation({}, { interaction: { default_action: 'burn' } }), ['interaction.default_action:outside_options']],
    ['a bare role that has to be counted', escalation({}, { interaction: { quorum: 'all', assignees: { roles: ['reviewer'] } } }), ['interaction.quorum:bare_role']],
    ['another namespace’s reply subject', escalation({}, { interaction: { resume: { reply_subject: 'hitl.other.reply.x' } } }), ['interaction.resume.reply_subject:outside_prefix']],
    ['a callback that is no URL', escalation({}, { interaction: { resume: { callback_url: 'file:///etc/passwd' } } }), ['interaction.resume.callback_url:invalid_format']],
    ['a revised id that none can have', escalation({}, { interaction: { revises: 'a\0' } }), ['interaction.revises:invalid_id']],
  ];
  it.each(cases)('names %s', (_, message, expected, origin) => {
    expect(faults(message, origin).sort()).toEqual([...expected].sort());
  });

  it('refuses what is longer than 256 KiB without reading it', () => {
    const read = readMessage(new Uint8Array(LIMITS.request + 1), on('review'), noPolicy);
    expect(read).toMatchObject({ ok: false, requestId: null, reason: 'hard_disagreement', errors: [{ code: 'too_large' }] });
    expect(faults(hitlRequest({ padding: 'x'.repeat(LIMITS.request - bytes(hitlRequest({ padding: '' })).length) }))).toEqual([]);
  });

  it('refuses an interaction whose numbers are longer written out than sent', () => {
    const message = JSON.stringify(escalation({}, { interaction: { review_data: { content: [0] } } })).replace('[0]', `[${Array(40_000).fill('1e20').join(',')}]`);
    expect(message.length).toBeLessThan(LIMITS.request);
    expect(faults(message)).toEqual(['interaction:too_large']);
  });

  it('bounds how much it says', () => {
    const many = escalation({ dissenting_agents: Array(500).fill('nobody') });
    const read = readMessage(bytes(many), on('review'), noPolicy);
    expect(read.ok ? 0 : read.errors.length).toBe(101);
    const wide = escalation({}, { interaction: { ['x'.repeat(50_000)]: 1 } });
    expect(JSON.stringify(readMessage(bytes(wide), on('review'), noPolicy)).length).toBeLessThan(2_000);
  });

  it('tells the id of a refused message if it is a usable one, and the reason to file it under', () => {
    expect(readMessage(bytes(hitlRequest({ summary: 1 })), posted, noPolicy)).toMatchObject({ requestId: 'hitl-beleg/2031/4 Ø-5d0c', reason: 'hard_disagreement' });
    expect(readMessage(bytes(hitlRequest({ request_id: '\0' })), posted, noPolicy)).toMatchObject({ requestId: null });
    expect(readMessage(bytes('nonsense'), posted, noPolicy)).toMatchObject({ requestId: null, reason: 'unknown' });
  });
});

describe('ids and digests', () => {
  const digest = (message: unknown) => (accepted(message, posted).item as Extract<SubmitItem, { rules: unknown }>).content_digest;

  it('takes the interaction’s own id, and asks for one only where there is none', () => {
    const never: Origin = { ...posted, interactionId: () => { throw new Error('asked'); } };
    expect(accepted(interaction(), never).item.request_id).toBe('step-17');
    expect(accepted(interaction({ interaction_id: null }), posted).item.request_id).toBe('made-here');
    expect(accepted(interaction({ interaction_id: undefined }), posted).item.request_id).toBe('made-here');
  });

  it('takes ids of exactly 512 bytes', () => {
    const id = 'é'.repeat(256);
    expect(accepted(hitlRequest({ request_id: id })).item.request_id).toBe(id);
  });

  it('is the same content when only times or the writing of numbers differ', () => {
    const first = digest(hitlRequest());
    const agents = hitlRequest()['agent_decisions'] as object[];
    expect(digest(hitlRequest({ created_at: '2031-02-03T09:00:00Z', metadata: { processing_time_ms: 9, confidence_spread: 0.5 }, agent_decisions: agents.map((a) => ({ ...a, processing_time_ms: 1 })) }))).toBe(first);
    expect(digest(JSON.stringify(hitlRequest()).replace('0.25', '2.50e-1'))).toBe(first);
  });

  it('is other content when a value or the interaction differs', () => {
    const first = digest(escalation());
    expect(digest(escalation({ summary: 'another' }))).not.toBe(first);
    expect(digest(escalation({}, { interaction: {} }))).not.toBe(first);
    expect(digest(escalation({ metadata: { big: 9007199254740993 } }))).not.toBe(digest(JSON.stringify(escalation({ metadata: { big: 0 } })).replace('"big":0', '"big":9007199254740993')));
  });
});

describe('policy', () => {
  it('fills what the producer left open, and is named in what the store gets', () => {
    const policyFor: PolicyFinder = ({ kind, reason, namespace }) =>
      kind === 'escalation' && reason === 'hard_disagreement' && namespace === 'default'
        ? { id: 'seniors', version: 3, interaction: { assignees: { groups: ['seniors'] }, timeout_seconds: 60 }, enforce: ['timeout_seconds'] } : null;
    const { item } = accepted(escalation({}, { interaction: { timeout_seconds: 9, priority: 'high' } }), on('review'), policyFor);
    expect(item).toMatchObject({ policy: { id: 'seniors', version: 3 }, rules: { assignees: { groups: ['seniors'], roles: [] }, timeout_seconds: 60, priority: 'high' } });
    expect(accepted(interaction(), on('review'), policyFor).item).toMatchObject({ policy: null });
  });
});

describe('projections', () => {
  it('are cut and cleaned, while the payload stays as it came', () => {
    const read = accepted(hitlRequest({ task_id: `a\0${'x'.repeat(600)}`, summary: `${'y'.repeat(1_999)}😀\ud800` }));
    const item = read.item as Extract<SubmitItem, { rules: unknown }>;
    expect(item.task_id).toBe(`a\uFFFD${'x'.repeat(510)}`);
    expect(item.summary).toBe(`${'y'.repeat(1_999)}\uFFFD`);
    expect(text(read.payload)).toBe(JSON.stringify(hitlRequest({ task_id: `a\0${'x'.repeat(600)}`, summary: `${'y'.repeat(1_999)}😀\ud800` })));
  });
});

describe('payload bytes', () => {
  it('are those of the message, whatever stands around them', () => {
    const payload = '{ "interaction_id" : "i", "pipeline_name":"p\\u00e9", "step_name":"é😀",\n "data":{"n":1.0,"n":12345678901234567890,"__proto__":{"x":1}} }';
    const body = ` {"nöte":"ü😀","payload":${payload} , "type":"hitl_interaction"}\n`;
    expect(text(accepted(body, posted).payload)).toBe(payload);
  });
});

/** What the upstream framework really writes; not part of the repository. */
const upstream = new URL('../../../../../shared/data/hitl-requests.jsonl', import.meta.url);

describe.skipIf(!existsSync(upstream))('the upstream framework’s own requests', () => {
  const lines = existsSync(upstream) ? readFileSync(upstream, 'utf8').trimEnd().split('\n') : [];
  it('are all read, in both forms, their bytes unchanged', () => {
    expect(lines).toHaveLength(363);
    for (const line of lines) {
      const { escalation_reason: reason } = JSON.parse(line) as { escalation_reason: Reason };
      const bare = accepted(line, on('review', reason));
      const wrapped = accepted(`{"type": "hitl_escalation", "payload": ${line}, "routing_key": "review.${reason}"}`, on('review', reason));
      expect(text(bare.payload)).toBe(line);
      expect(text(wrapped.payload)).toBe(line);
      expect(wrapped.item).toEqual(bare.item);
    }
  });
});

describe('whatever comes', () => {
  const forms = fc.constantFrom('hitl_escalation', 'hitl_interaction', 'hitl_cancel', 'other');
  const origins = fc.constantFrom(on('review'), on('cancel'), posted);
  const sound = (data: Uint8Array, origin: Origin) => {
    const read = readMessage(data, origin, noPolicy);
    if (read.ok) expect(read.item.request_id).not.toBe('');
    else expect(read.errors.length).toBeGreaterThan(0);
    // Both ways lead into a JSON message: neither may hold what that cannot carry.
    JSON.stringify(read);
  };

  it('answers any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), origins, sound));
  });

  it('answers any JSON in any form', () => {
    fc.assert(fc.property(forms, fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), origins, (type, payload, block, key, origin) => {
      sound(bytes({ type, payload, interaction: block, routing_key: key }), origin);
      sound(bytes(payload), origin);
    }));
  });

  it('answers valid messages with one member replaced by anything', () => {
    const members = fc.constantFrom(...Object.keys(hitlRequest()), ...Object.keys(pipelinePayload()));
    fc.assert(fc.property(forms, members, fc.jsonValue(), origins, (type, name, value, origin) => {
      sound(bytes({ type, payload: { ...hitlRequest(), ...pipelinePayload(), [name]: value } }), origin);
    }));
  });

  it('answers interactions with any values', () => {
    const fields = fc.constantFrom('pattern', 'ui_schema', 'review_data', 'verdict_field', 'options', 'approving', 'assignees', 'quorum', 'veto', 'levels', 'reminders', 'resume', 'default_action', 'on_timeout', '__proto__', 'constructor');
    const likely = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>('any', 'all', 'default', 'approval', 'refinement', ['a'], [], { users: ['a'] }, { roles: ['r'] }, { fields: [{ name: 'decision', type: 'radio' }] }, [{ after_seconds: 1, assignees: { users: [] } }]));
    fc.assert(fc.property(fc.uniqueArray(fc.tuple(fields, likely), { selector: ([name]) => name, maxLength: 6 }), (entries) => {
      const block = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
      sound(bytes(`{"type":"hitl_escalation","payload":${JSON.stringify(hitlRequest())},"interaction":${block}}`), on('review'));
    }), { numRuns: 500 });
  });
});
