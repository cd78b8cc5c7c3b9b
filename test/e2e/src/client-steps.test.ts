import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AutoWithHumanFallbackStep, CollaborativeDecisionStep, interactionIdOf, IterativeRefinementStep, MultiApprovalStep, PauseForInputStep, PipelineStateManager, ReviewAndApproveStep, TimeBasedDecisionStep,
  UmpireClient, type PipelineClient, type SettledOutcome,
} from '@umpire/client';
import { natsOptionsFrom, UmpireNats } from '@umpire/client/nats';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from './stack.ts';

let stack: Stack;
let nats: UmpireNats;
let http: UmpireClient;
let admin: UmpireClient;
let people: Record<'alice' | 'bob' | 'carol', UmpireClient>;
const children: ChildProcess[] = [];

beforeAll(async () => {
  stack = await Stack.start('all');
  const { keys } = stack.connection;
  const client = (key: string) => new UmpireClient({ url: stack.origin, key });
  [http, admin] = [client(keys.producer), client(keys.admin)];
  people = { alice: client(keys.reviewers.alice), bob: client(keys.reviewers.bob), carol: client(keys.reviewers.carol) };
  nats = await UmpireNats.connect(natsOptionsFrom(stack.connection));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await nats.close();
  await stack.stop();
});

const ID = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const users = (...names: string[]) => ({ assignees: { users: names } });
/** What people are shown is what the envelope says. */
const shownForm = async (id: string) => (await admin.get(id)).ui_schema;

describe.each(['HTTP', 'NATS'] as const)('the seed\'s steps over %s', (way) => {
  const settings = <Config>(name: string, config?: Config) => ({ client: (way === 'HTTP' ? http : nats) as PipelineClient, pipelineName: 'loans', name, config });

  it('pauses for input and resumes with it', async () => {
    const ui_schema = { fields: [{ name: 'income', type: 'number', label: 'Income', required: true, min: 0 }] };
    const step = new PauseForInputStep(settings('income', { ui_schema, prompt: 'Monthly income?', timeout: 60 }));
    const envelope = await step.run({ loan: 17 });
    expect(envelope).toEqual({ status: 'human_input_required', interaction_id: ID, ui_schema, prompt: 'Monthly income?', timeout_seconds: 60, data: { loan: 17 } });
    await people.alice.respond(envelope.interaction_id, { income: 2_400 });
    const outcome = await step.outcome(envelope);
    expect(outcome).toMatchObject({ merged: { loan: 17, income: 2_400 }, data: { loan: 17 }, verdict: 'submitted', pipeline_name: 'loans', step_name: 'income' });
    expect(await new PauseForInputStep(settings('free')).run({})).toEqual({ status: 'human_input_required', interaction_id: ID, ui_schema: {}, prompt: 'Please provide input', timeout_seconds: 3_600, data: {} });
  });

  it('has generated content reviewed, with suggestions', async () => {
    const step = new ReviewAndApproveStep({ ...settings('letter'), suggest: (content) => [`shorten ${String(content).length} letters`] });
    const envelope = await step.run({ generated_content: 'Dear Sir', metadata: { tone: 'formal' } });
    expect(envelope).toEqual({
      status: 'awaiting_review', interaction_id: ID, review_data: { content: 'Dear Sir', metadata: { tone: 'formal' }, suggestions: ['shorten 8 letters'] },
      ui_schema: {
        type: 'review',
        fields: [
          { name: 'decision', type: 'radio', options: ['approve', 'reject', 'request_changes'], required: true },
          { name: 'feedback', type: 'textarea', label: 'Feedback/Comments', required: false },
          { name: 'suggested_changes', type: 'textarea', label: 'Suggested Changes', required: false },
        ],
      },
    });
    expect(await shownForm(envelope.interaction_id)).toEqual(envelope.ui_schema);
    expect((await people.alice.get(envelope.interaction_id)).review_data).toEqual(envelope.review_data);
    await people.alice.respond(envelope.interaction_id, { decision: 'request_changes', feedback: 'too stiff' });
    expect(await step.outcome(envelope)).toMatchObject({ verdict: 'request_changes', response: { feedback: 'too stiff' } });
  });

  it('lets stakeholders decide together', async () => {
    const step = new CollaborativeDecisionStep(settings('vendor', { stakeholders: ['alice', 'bob'], voting_options: ['approve', 'reject', 'postpone'] }));
    const envelope = await step.run({ vendor: 'x' });
    expect(envelope).toEqual({
      status: 'collaborative_decision_pending', decision_id: ID, interaction_id: envelope.decision_id, stakeholders: ['alice', 'bob'], decision_type: 'consensus',
      voting_options: ['approve', 'reject', 'postpone'], timeout: 86_400, data: { vendor: 'x' },
    });
    expect(await people.alice.respond(envelope.decision_id, { decision: 'postpone' })).toMatchObject({ state: 'pending' });
    await people.bob.respond(envelope.decision_id, { decision: 'postpone' });
    expect(await step.outcome(envelope)).toMatchObject({ verdict: 'postpone', decided_by: ['alice', 'bob'] });
  });

  it('goes on by itself where it is sure, and asks a person where it is not or where it failed', async () => {
    type Result = { confidence?: number; label: string };
    const step = (process: () => Result) => new AutoWithHumanFallbackStep<Result>({ ...settings('classify'), process });
    expect(await step(() => ({ confidence: 0.8, label: 'spam' })).run({ mail: 1 })).toEqual({ status: 'automated_success', result: { confidence: 0.8, label: 'spam' }, processing_method: 'automated' });
    const unsure = await step(() => ({ confidence: 0.79, label: 'spam?' })).run({ mail: 2 });
    expect(unsure).toEqual({
      status: 'escalated_to_human', interaction_id: ID, escalation_reason: 'low_confidence', partial_result: { confidence: 0.79, label: 'spam?' }, original_data: { mail: 2 },
      ui_schema: {
        type: 'manual_processing', context: 'Automated processing failed: low_confidence',
        fields: [{ name: 'manual_result', type: 'textarea', label: 'Manual Processing Result', required: true }, { name: 'confidence', type: 'number', label: 'Confidence Level (0-1)', min: 0, max: 1, step: 0.1 }],
      },
    });
    if (unsure.status !== 'escalated_to_human') throw new Error('not escalated');
    const item = await people.alice.get(unsure.interaction_id);
    expect(item).toMatchObject({ reason: 'low_confidence', ui_schema: unsure.ui_schema, review_data: { content: { label: 'spam?' } } });
    const failed = await step(() => {
      throw new TypeError('password hunter2 was refused');
    }).run({ mail: 3 });
    expect(failed).toMatchObject({ status: 'escalated_to_human', escalation_reason: 'custom_rule', partial_result: null });
    if (failed.status !== 'escalated_to_human') throw new Error('not escalated');
    const shown = JSON.stringify([await people.alice.get(failed.interaction_id), await admin.timeline(failed.interaction_id)]);
    expect(shown).toContain('TypeError');
    expect(shown).not.toContain('hunter2');
    expect(await step(() => ({ label: 'no confidence' })).run({})).toMatchObject({ escalation_reason: 'low_confidence' });
    await people.alice.respond(unsure.interaction_id, { manual_result: 'ham', confidence: 0.9 });
    expect(await step(() => ({ label: '' })).outcome(unsure)).toMatchObject({ merged: { mail: 2, manual_result: 'ham', confidence: 0.9 } });
  });

  it('refines in rounds that the server counts', async () => {
    const step = new IterativeRefinementStep(settings('summary', { max_iterations: 2 }));
    const key = `summary ${way}`;
    const first = await step.run({ current_result: { text: 'rough' } }, { key });
    expect(first).toMatchObject({ status: 'refinement_needed', iteration: 1, current_result: { text: 'rough' }, refinement_history: [] });
    if (first.status !== 'refinement_needed') throw new Error('no round');
    expect(await shownForm(first.interaction_id)).toEqual(first.ui_schema);
    const waiting = step.outcome(first);
    await people.alice.respond(first.interaction_id, { refined_result: 'better', continue_refining: true });
    // Starting again with a smaller count changes nothing.
    expect(await step.run({ current_result: { text: 'rough' }, iteration: 1 }, { key })).toMatchObject({ status: 'refinement_needed', interaction_id: first.interaction_id, iteration: 2 });
    await people.alice.respond(first.interaction_id, { refined_result: 'best', continue_refining: true });
    const outcome = await waiting;
    expect(outcome).toMatchObject({ max_iterations_reached: true, iterations: 2 });
    const reached = { status: 'max_iterations_reached', final_result: 'best', iterations_completed: 2 };
    expect(step.conclude(outcome)).toEqual(reached);
    expect(await step.run({ current_result: { text: 'rough' } }, { key })).toEqual(reached);
    expect(await step.run({ iteration: 3, current_result: 'given' })).toEqual({ status: 'max_iterations_reached', final_result: 'given', iterations_completed: 2 });
  });

  it('waits for a decision in time, and takes no time-out for one', async () => {
    const step = (config: object) => new TimeBasedDecisionStep(settings('trade', config));
    const urgent = await step({ decision_timeout: 90 }).run({ order: 1 });
    expect(urgent).toEqual({
      status: 'time_sensitive_decision', interaction_id: ID, timeout_seconds: 90, default_action: null, data: { order: 1 },
      ui_schema: {
        type: 'urgent_decision',
        fields: [
          { name: 'decision', type: 'radio', options: ['proceed', 'abort', 'modify'], required: true },
          { name: 'urgency_acknowledged', type: 'checkbox', label: 'I understand this decision expires in 1 minute', required: true },
        ],
      },
    });
    expect(await shownForm(urgent.interaction_id)).toEqual(urgent.ui_schema);
    const missed = await step({ decision_timeout: 0.3 }).run({});
    expect(await step({}).outcome(missed)).toMatchObject({ state: 'expired', verdict: null, source: 'timeout' });
    const defaulted = await step({ decision_timeout: 0.3, default_action: 'abort' }).run({ order: 2 });
    expect(await step({}).outcome(defaulted)).toMatchObject({ state: 'completed', verdict: 'abort', source: 'timeout', timeout_applied: true, decided_by: [], merged: { order: 2, decision: 'abort' } });
  });

  it('asks several approvers once, and ends when the rest cannot change it', async () => {
    const step = new MultiApprovalStep(settings('payout', { approvers: ['alice', 'bob', 'carol'], approval_type: 'majority' as const }));
    const envelope = await step.run({ amount: 5 });
    expect(envelope).toEqual({ status: 'multi_approval_pending', approval_id: ID, interaction_id: envelope.approval_id, approvers: ['alice', 'bob', 'carol'], approval_type: 'majority', data: { amount: 5 } });
    expect(await people.alice.respond(envelope.approval_id, { decision: 'approve' })).toMatchObject({ state: 'pending' });
    await people.bob.respond(envelope.approval_id, { decision: 'approve', comments: 'fine' });
    expect(await step.outcome(envelope)).toMatchObject({ verdict: 'approve', votes: [{ user_id: 'alice' }, { user_id: 'bob' }] });
    expect(await new MultiApprovalStep(settings('payout', { approvers: ['alice'] })).run({})).toMatchObject({ approval_type: 'all' });
  });

  it('asks once for a key, whatever came of it and whatever the data are now', async () => {
    const step = new PauseForInputStep(settings('once', { interaction: users('alice') }));
    const key = `key ${way}`;
    const [one, other] = await Promise.all([step.run({ drawn: 1 }, { key }), step.run({ drawn: 2 }, { key })]);
    expect(one.interaction_id).toBe(interactionIdOf({ namespace: 'default', pipeline: 'loans', step: 'once', key }));
    expect(other.interaction_id).toBe(one.interaction_id);
    await people.alice.respond(one.interaction_id, { answer: 42 });
    expect((await step.run({ drawn: 3 }, { key })).interaction_id).toBe(one.interaction_id);
    expect((await step.outcome(one)).merged).toMatchObject({ answer: 42 });
    expect((await step.run({ drawn: 1 })).interaction_id).not.toBe(one.interaction_id);
    const automation = new AutoWithHumanFallbackStep<{ confidence: number }>({ ...settings('auto-once'), process: () => ({ confidence: 0 }) });
    const asked = await automation.run({}, { key });
    if (asked.status !== 'escalated_to_human') throw new Error('not escalated');
    const sure = new AutoWithHumanFallbackStep<{ confidence: number }>({ ...settings('auto-once'), process: () => ({ confidence: 1 }) });
    expect(await sure.run({}, { key })).toMatchObject({ status: 'escalated_to_human', interaction_id: asked.interaction_id, escalation_reason: null });
  });
});

describe('a pipeline\'s state', () => {
  const continued: [string, string, object][] = [];
  const manager = () => new PipelineStateManager<string>({
    client: http, reviewer: people.alice,
    continuePipeline: (pipelineName, stepName, merged) => {
      continued.push([pipelineName, stepName, merged]);
      return 'went on';
    },
  });

  it('is saved, read while it waits, and resumed with what a person gives', async () => {
    const state = manager();
    await state.savePipelineState('state-1', 'loans', 'income', { loan: 17 }, 60);
    await state.savePipelineState('state-1', 'loans', 'income', { loan: 17 }, 60);
    await expect(state.savePipelineState('state-1', 'loans', 'income', { loan: 18 }, 60)).rejects.toMatchObject({ code: 'id_conflict' });
    const found = await state.getPipelineState('state-1');
    expect(found).toMatchObject({ interaction_id: 'state-1', pipeline_name: 'loans', step_name: 'income', data: { loan: 17 }, status: 'pending' });
    expect(Date.parse(found!.expires_at!) - Date.parse(found!.created_at)).toBe(60_000);
    expect(await state.resumePipeline('state-1')).toEqual({ resumed: false, status: 'pending', outcome: null });
    expect(await state.resumePipeline('state-1', { income: 2_400 })).toMatchObject({ resumed: true, result: 'went on', outcome: { decided_by: ['alice'] } });
    expect(continued).toEqual([['loans', 'income', { loan: 17, income: 2_400 }]]);
    expect(await state.getPipelineState('state-1')).toBeNull();
    expect(await state.getPipelineState('nobody')).toBeNull();
    await expect(state.resumePipeline('nobody', {})).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is not resumed by the first of several answers, nor by a time-out', async () => {
    const state = manager();
    await state.savePipelineState('state-2', 'loans', 'both', {}, 60, { interaction: { pattern: 'approval', ...users('alice', 'bob') } });
    expect(await state.resumePipeline('state-2', { decision: 'approve' })).toMatchObject({ resumed: false, status: 'pending' });
    await people.bob.respond('state-2', { decision: 'approve' });
    expect(await state.resumePipeline('state-2')).toMatchObject({ resumed: true });
    await state.savePipelineState('state-3', 'loans', 'late', {}, 0.2);
    const expired = await http.waitForOutcome('state-3');
    expect(await state.resumeFrom(expired as SettledOutcome<Record<string, unknown>>)).toMatchObject({ resumed: false, status: 'expired' });
  });

  it('goes on from the outcomes that the durable consumer hands over', async () => {
    const state = manager();
    const done: string[] = [];
    const reader = nats.outcomes<Record<string, unknown>>(async (outcome) => {
      if ((await state.resumeFrom(outcome)).resumed) done.push(outcome.request_id);
    });
    await state.savePipelineState('state-4', 'loans', 'durable', { loan: 4 }, 60);
    await people.alice.respond('state-4', { ok: true });
    await eventually('the pipeline going on', () => done.includes('state-4'));
    expect(continued).toContainEqual(['loans', 'durable', { loan: 4, ok: true }]);
    await reader.stop();
  });
});

describe.each(['http', 'nats'] as const)('a process that is killed while it waits, over %s', (way) => {
  const script = fileURLToPath(new URL('client-pausing-pipeline.ts', import.meta.url));
  const start = (key: string) => {
    const lines: string[] = [];
    const child = spawn(process.execPath, [script, join(stack.home, 'connection.json'), way, key], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    let rest = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString('utf8')).split('\n');
      rest = parts.pop()!;
      lines.push(...parts);
    });
    child.stderr!.on('data', (chunk: Buffer) => lines.push(`stderr ${chunk.toString('utf8')}`));
    const said = (what: string) => eventually(`${what} among ${JSON.stringify(lines)}`, () => lines.find((line) => line.startsWith(`${what} `))?.slice(what.length + 1));
    return { child, said, ended: new Promise<void>((resolve) => child.once('exit', () => resolve())) };
  };
  const asked = async () => {
    const { items } = await people.alice.pending('alice', { limit: 200 });
    return items.filter((item) => item.pipeline_name === 'payouts');
  };

  it('attaches to what it asked, and asks once', async () => {
    const first = start(`payout ${way}`);
    const id = await first.said('waiting');
    expect(id).toBe(interactionIdOf({ namespace: 'default', pipeline: 'payouts', step: 'confirm', key: `payout ${way}` }));
    const [before] = await eventually('the question', async () => ((items) => items.length > 0 && items)(await asked()));
    first.child.kill('SIGKILL');
    await first.ended;
    const second = start(`payout ${way}`);
    expect(await second.said('waiting')).toBe(id);
    expect((await asked()).map(({ interaction_id, data }) => [interaction_id, data])).toEqual([[id, before!.data]]);
    await people.alice.respond(id, { account: 'DE-99' });
    const outcome = JSON.parse(await second.said('outcome')) as SettledOutcome<{ drawn: number }>;
    expect(outcome).toMatchObject({ request_id: id, data: before!.data, merged: { account: 'DE-99' }, decided_by: ['alice'] });
    await second.ended;
    // One that was killed after the answer, and never heard of it, finds it as well.
    const third = start(`payout ${way}`);
    expect(JSON.parse(await third.said('outcome'))).toEqual(outcome);
    await third.ended;
    expect((await admin.timeline(id)).items.map(({ type }) => type)).toEqual(['opened', 'responded', 'resolved']);
  });
});
