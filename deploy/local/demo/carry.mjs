import { inPath } from './api.mjs';
import { Timeline } from './timeline.mjs';

export const STEPS = {
  sent: 'sent',
  durable: 'on disk (JetStream ack)',
  stored: 'stored',
  required: 'webhook hitl_escalation_required',
  shown: 'alice sees it',
  decided: 'alice decides',
  accepted: 'alice is answered',
  outcome: 'outcome at the pipeline',
  resolved: 'webhook hitl_escalation_resolved',
  status: 'status over HTTP',
};

/** One escalation on its way through the product. `faults` gathers what was not as promised. */
export class Carried {
  timeline = new Timeline();
  faults = [];

  constructor(message) {
    this.message = message;
  }

  check(holds, fault) {
    if (!holds) this.faults.push(fault);
    return holds;
  }

  /** A verified webhook of this escalation: the producer's text must stand in it as it was sent. */
  onWebhook({ text, body, type }) {
    const { payload, byTimeout, decide } = this.message;
    const name = body.event;
    const bytes = Buffer.byteLength(payload);
    this.check(type === 'hitl_escalation', `${name} has the X-Event-Type ${type}`);
    const same = this.check(text.startsWith(`{"event":${JSON.stringify(name)},"escalation":${payload},"timestamp":`),
      `${name} does not carry the escalation as it was sent:\n    sent     ${payload}\n    received ${text}`);
    if (name === 'hitl_escalation_resolved') this.#checkOutcome(body.outcome, name, byTimeout ?? decide.decision);
    this.timeline.mark(`webhook ${name}`, same ? `signature good, all ${bytes} bytes as sent` : 'signature good, CONTENT CHANGED');
  }

  /** An outcome of this escalation from the outcome consumer. */
  onOutcome(outcome) {
    const { byTimeout, decide } = this.message;
    this.#checkOutcome(outcome, 'the outcome', byTimeout ?? decide.decision);
    this.timeline.mark(STEPS.outcome, `${outcome.verdict}, by ${outcome.source === 'human' ? outcome.decided_by.join(', ') : outcome.source}`);
  }

  #checkOutcome(outcome, where, verdict) {
    const wanted = { state: 'completed', verdict, source: this.message.byTimeout ? 'timeout' : 'human', timeout_applied: Boolean(this.message.byTimeout) };
    for (const [field, value] of Object.entries(wanted)) {
      this.check(outcome?.[field] === value, `${where} says ${field} ${JSON.stringify(outcome?.[field])}, not ${JSON.stringify(value)}`);
    }
  }

  async carry({ api, keys, producer, signal }) {
    await this.#send(api, keys, producer);
    await this.timeline.until(STEPS.required, signal);
    await this.#checkPolicy(api, keys.producer);
    if (this.message.decide) await this.#decide(api, keys.reviewers.alice);
    await Promise.all([this.timeline.until(STEPS.outcome, signal), this.timeline.until(STEPS.resolved, signal), this.#readStatus(api, keys.producer)]);
  }

  async #send(api, keys, producer) {
    const { via, body, id } = this.message;
    const onAnswer = (answer) => {
      this.check(answer.request_id === id && answer.status === 'stored' && answer.duplicate === false, `the verdict was ${JSON.stringify(answer)}`);
      this.timeline.mark(STEPS.stored, via === 'nats' ? 'verdict at Umpire-Reply-To' : '202');
    };
    this.timeline.restart();
    this.timeline.mark(STEPS.sent, `${Buffer.byteLength(body)} bytes, ${via === 'nats' ? 'JetStream publish' : 'POST /api/escalations'}`);
    if (via === 'post') return onAnswer((await api.post('/api/escalations', keys.producer, body)).body);
    await producer.publish(this.message, onAnswer);
    return this.timeline.mark(STEPS.durable);
  }

  /** The demo plays by the default rules; an instance with policies of its own may ask other people, and for longer. */
  async #checkPolicy(api, key) {
    const { policy } = (await api.get(`/hitl/escalations/${inPath.token(this.message.id)}`, key)).body;
    if (policy) throw new Error(`your policy "${policy.id}" takes it: the demo wants an instance without policies (npm run demo -- --home <a new folder>)`);
  }

  async #decide(api, key) {
    const { id, data, decide } = this.message;
    const { text, body } = await api.get('/hitl/pending/alice', key);
    this.check(body.some((item) => item.interaction_id === id), 'is not among what alice has to decide');
    this.check(text.includes(data), 'alice is shown other text than was sent');
    this.timeline.mark(STEPS.shown, 'GET /hitl/pending/alice');
    this.timeline.mark(STEPS.decided, decide.decision);
    const answer = await api.post('/hitl/respond', key, { interaction_id: id, user_input: decide });
    this.check(answer.body.status === 'accepted' && answer.body.state === 'completed', `alice was answered ${answer.text}`);
    this.timeline.mark(STEPS.accepted, 'after the commit');
  }

  async #readStatus(api, key) {
    const { id, via, data, byTimeout, decide } = this.message;
    const { text, body } = await api.get(`/hitl/status/${via === 'nats' ? inPath.encoded(id) : inPath.token(id)}?wait=20`, key);
    this.check(body.interaction_id === id, `the status is of ${body.interaction_id}`);
    this.#checkOutcome(body.outcome, 'the status', byTimeout ?? decide.decision);
    this.check(text.includes(`"data":${data}`), 'the status carries other data than was sent');
    if (decide) this.check(body.outcome?.merged?.decision === decide.decision, 'the status does not merge the answer into the data');
    this.timeline.mark(STEPS.status, body.status);
  }
}
