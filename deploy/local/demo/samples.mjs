import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * What the demo sends: payloads exactly as Python producers write them (`samples/`), under a fresh id and time, in all the
 * forms that intake takes. `decide` is alice's answer; without it the deadline decides.
 */
const SAMPLES = [
  { file: 'scale-out.pydantic2', via: 'nats', form: 'queue', interaction: '{"pattern":"timed_decision","timeout_seconds":1,"default_action":"abort"}', byTimeout: 'abort' },
  { file: 'loan.pydantic1', via: 'nats', form: 'spaced queue', decide: { decision: 'reject', feedback: 'The employer does not exist' } },
  { file: 'essay.pydantic2', via: 'nats', form: 'bare', decide: { decision: 'approve', feedback: 'Größe des Fehlers bestätigt' } },
  { file: 'rollout.pydantic2', via: 'post', form: 'bare', decide: { decision: 'request_changes', suggested_changes: 'Measure cost as well' } },
  { file: 'refund.pydantic1', via: 'post', form: 'spaced queue', interaction: '{"pattern": "approval", "assignees": {"users": ["alice"]}}', decide: { decision: 'approve' } },
  { file: 'sign-off.interaction', via: 'post', form: 'interaction', decide: { decision: 'approve' } },
];

/**
 * The demo's messages: `{id, reason, via, form, payload, data, body, decide?, byTimeout?}`. `body` is the whole message,
 * `payload` the text that must come back in webhooks, `data` what people are shown of it.
 */
export function makeMessages() {
  return SAMPLES.map((sample) => {
    const payload = fresh(readFileSync(new URL(`samples/${sample.file}.json`, import.meta.url), 'utf8').trimEnd());
    const { request_id: requestId, interaction_id: interactionId, escalation_reason: reason = 'custom_rule' } = JSON.parse(payload);
    return { ...sample, id: requestId ?? interactionId, reason, payload, data: sample.form === 'interaction' ? dataOf(payload) : payload, body: wrap(sample, payload, reason) };
  });
}

/** Eight hexadecimal digits end a real id; `datetime.utcnow()` knows microseconds and no offset. */
function fresh(text) {
  const now = new Date().toISOString().replace('Z', String(Math.floor(Math.random() * 1000)).padStart(3, '0'));
  return text.replace('00000000', randomBytes(4).toString('hex')).replace('2026-01-15T10:30:00.123456', now);
}

/** The text of an interaction's `data`, which our sample has as its last member. */
function dataOf(payload) {
  return payload.slice(payload.indexOf('"data": ') + '"data": '.length, -1);
}

function wrap({ form, interaction }, payload, reason) {
  const beside = interaction ? `, "interaction": ${interaction}` : '';
  switch (form) {
    case 'bare':
      return payload;
    case 'queue':
      return `{"type":"hitl_escalation","payload":${payload}${beside.replace(', ', ',').replace(': ', ':')},"routing_key":"review.${reason}"}`;
    case 'spaced queue':
      return `{"type": "hitl_escalation", "payload": ${payload}${beside}, "routing_key": "review.${reason}"}`;
    case 'interaction':
      return `{"type": "hitl_interaction", "payload": ${payload}}`;
    default:
      throw new Error(`no form ${form}`);
  }
}
