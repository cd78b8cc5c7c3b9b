import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hitlRequest, queueMessage } from './messages.ts';
import { filledIn, metricsOf, sampleSums } from './promql.ts';
import { Receiver } from './receiver.ts';
import { Stack } from './stack.ts';

const fileOf = (path: string) => fileURLToPath(new URL(`../../../deploy/${path}`, import.meta.url));
const textOf = (path: string) => readFileSync(fileOf(path), 'utf8');
const WITHIN_MS = 60_000;

type Rule = { alert: string; expr: string; annotations: { summary: string; runbook_url: string }; labels: { severity: string } };
const rules: Rule[] = parse(textOf('observability/rules.yaml')).groups.flatMap((group: { rules: Rule[] }) => group.rules);
const dashboard = JSON.parse(textOf('observability/dashboard.json'));
const panels: { id: number; type: string; title: string; gridPos: { x: number; w: number }; targets?: { expr: string }[] }[] = dashboard.panels;
const expressions = [...rules.map((rule) => rule.expr), ...panels.flatMap((panel) => (panel.targets ?? []).map((target) => filledIn(target.expr)))];
/** Prometheus' own, about whether it could ask. */
const NOT_OURS = new Set(['up']);
const named = [...new Set(expressions.flatMap(metricsOf))].filter((name) => !NOT_OURS.has(name)).sort();
/** Faults that this test does not bring about: they stand at zero from the start. Poison moves in intake's own tests. */
const STAND_AT_ZERO = new Set([
  'umpire_store_publish_failures_total', 'umpire_timeout_scheduler_asks_failed_total', 'umpire_timeout_scheduler_put_off_total', 'umpire_intake_poison_total',
]);
/** Of the moment: they are there, and need not have changed. */
const MOMENTARY = new Set([
  'nodejs_eventloop_lag_p99_seconds', 'umpire_consumer_lag_messages', 'umpire_consumer_unacked_messages', 'umpire_notifier_deliveries_held', 'umpire_notifier_sockets',
  'umpire_store_checkpoint_age_seconds', 'umpire_store_outbox_oldest_seconds', 'umpire_store_outbox_waiting', 'umpire_timeout_scheduler_oldest_overdue_seconds', 'umpire_timeout_scheduler_overdue',
]);

describe('dashboard and alert rules', () => {
  it('are PromQL, by Prometheus\' own grammar', () => {
    expect(() => metricsOf('sum by (x (rate(a[5m]))')).toThrow('not PromQL');
    expect(metricsOf('sum by (reason) (rate(a_total{b="c"}[5m])) > on (d) group_left e')).toEqual(['a_total', 'e']);
    expect(named.length).toBeGreaterThan(25);
  });

  it.skipIf(!onPath('promtool'))('are what promtool takes', () => {
    expect(execFileSync('promtool', ['check', 'rules', fileOf('observability/rules.yaml')], { encoding: 'utf8' })).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(execFileSync('promtool', ['check', 'config', fileOf('observability/prometheus.yml')], { encoding: 'utf8' })).toContain('SUCCESS');
  });

  it.skipIf(!onPath('promtool'))('fire where they should and keep still where they should, as promtool evaluates them', () => {
    expect(execFileSync('promtool', ['test', 'rules', fileOf('observability/rules.test.yaml')], { encoding: 'utf8' })).toContain('SUCCESS');
  });

  it('lead from each alert to its own section of the runbook, and no section stands for nothing', () => {
    const sections = [...textOf('runbook.md').matchAll(/^### (Umpire\w+)$/gm)].map((match) => match[1]);
    expect(rules.map((rule) => rule.alert).sort()).toEqual([...sections].sort());
    for (const { alert, annotations, labels } of rules) {
      expect(annotations.runbook_url).toMatch(new RegExp(`/deploy/runbook\\.md#${alert.toLowerCase()}$`));
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
    }
  });

  it('have panels of their own ids within the grid, each with a data source that can be chosen', () => {
    expect(new Set(panels.map((panel) => panel.id)).size).toBe(panels.length);
    for (const panel of panels) expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
    expect(JSON.stringify(dashboard).match(/"uid":"(?!\$\{datasource\}|umpire)[^"]*"/)).toBeNull();
  });
});

describe('metrics of a running product', () => {
  let stack: Stack;
  let receiver: Receiver;
  const gone = createServer((_request, response) => void response.writeHead(410).end());

  beforeAll(async () => {
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    // Sealed every second, so that it is seen to be.
    stack = await Stack.start('split', undefined, { environment: (name, env) => (name === 'state-store' ? { ...env, UMPIRE_STATE_STORE_AUDIT_CHECKPOINT_SECONDS: '1' } : env) });
    receiver = await Receiver.register(stack);
  });
  afterAll(async () => {
    await receiver.close();
    await stack.stop();
    gone.close();
  });

  const metrics = async () => sampleSums(await (await fetch(`${stack.origin}/metrics`)).text());
  const valueOf = (sums: Map<string, number>, name: string) => sums.get(name) ?? sums.get(`${name}_count`);

  it('knows every metric that dashboard and rules name, and each moves when what it counts happens', async () => {
    const { keys } = stack.connection;
    const before = await metrics();
    for (const name of STAND_AT_ZERO) expect([name, before.get(name)]).toEqual([name, 0]);
    await stack.post('/webhooks/endpoints', keys.admin, { url: `http://127.0.0.1:${(gone.address() as AddressInfo).port}/` });
    const timed = { type: 'hitl_interaction', payload: { interaction_id: 'metric-timed', pipeline_name: 'p', step_name: 's', data: {} }, interaction: { pattern: 'timed_decision', timeout_seconds: 1, default_action: 'abort' } };
    for (const id of ['metric-1', 'metric-2']) await stack.post('/api/escalations', keys.producer, queueMessage(hitlRequest(id)));
    await stack.post('/api/escalations', keys.producer, timed);
    const { js } = await stack.producer();
    await js.publish('hitl.default.review.low_confidence', '{"not":"a message"}');
    for (let times = 0; times < 2; times++) await stack.get('/hitl/pending/alice', keys.reviewers.alice);
    await stack.respond('metric-1', { decision: 'approve' });
    await receiver.waitFor('metric-1', 'hitl_escalation_resolved', WITHIN_MS);
    await receiver.waitFor('metric-timed', 'hitl_escalation_resolved', WITHIN_MS);
    const moving = named.filter((name) => !STAND_AT_ZERO.has(name) && !MOMENTARY.has(name));
    const still = await eventually('all to move', async () => {
      const now = await metrics();
      const stuck = moving.filter((name) => valueOf(now, name) === undefined || valueOf(now, name) === valueOf(before, name));
      last = stuck;
      return stuck.length === 0 && [];
    }, WITHIN_MS).catch(() => last);
    expect(still).toEqual([]);
    const now = await metrics();
    expect(named.filter((name) => !Number.isFinite(valueOf(now, name)))).toEqual([]);
  });
  let last: string[] = [];

  it('tells of them by namespace and reason, and by nothing without bounds', async () => {
    const samples = [
      'umpire_intake_accepted_total{service="intake",namespace="default",reason="hard_disagreement",status="stored"} 2',
      'umpire_intake_rejected_total{service="intake",namespace="default",reason="low_confidence",code=',
      'umpire_intake_poison_total{service="intake",namespace="default",reason="custom_rule"} 0',
      'umpire_store_pending{service="state-store",namespace="default",reason="hard_disagreement"} 1',
      'umpire_store_outcomes_total{service="state-store",namespace="default",reason="hard_disagreement",state="completed",source="human"} 1',
      'umpire_store_outcomes_total{service="state-store",namespace="default",reason="custom_rule",state="completed",source="timeout"} 1',
      'umpire_store_decision_seconds_count{service="state-store",namespace="default",reason="hard_disagreement"} 1',
      'umpire_timeout_scheduler_lateness_seconds_count{service="timeout-scheduler",kind="deadline",namespace="default",reason="custom_rule"} 1',
      'umpire_notifier_deliveries_total{service="notifier",namespace="default",reason="hard_disagreement",state="failed"}',
      'umpire_notifier_deliveries_total{service="notifier",namespace="default",reason="custom_rule",state="delivered"} ',
      'umpire_notifier_delivery_seconds_count{service="notifier",namespace="default",reason="custom_rule"} ',
      'umpire_notifier_attempts_total{service="notifier",result="delivered"} ',
      'umpire_store_outbox_oldest_seconds{service="state-store"} ',
      'umpire_store_cache_reads_total{service="state-store",result="hit"} ',
      'umpire_store_checkpoint_age_seconds{service="state-store"} ',
      'umpire_consumer_lag_messages{service="notifier",stream="HITL_EVENTS",consumer="notifier"} ',
      'umpire_consumer_lag_messages{service="state-store",stream="HITL_OUTCOMES",consumer=',
      'umpire_consumer_lag_messages{service="intake",stream="HITL_REVIEW",consumer="intake-default-custom_rule"} 0',
    ];
    let text = '';
    // Nothing moves any more: what the first look makes, the second is shown again.
    for (let times = 0; times < 2; times++) await stack.get('/hitl/pending/alice', stack.connection.keys.reviewers.alice);
    // Gauges of what lags behind are set every five seconds, and the first time perhaps before there is a consumer.
    await eventually('all samples', async () => {
      text = await (await fetch(`${stack.origin}/metrics`)).text();
      return samples.every((sample) => text.includes(sample));
    }, WITHIN_MS).catch(() => undefined);
    for (const sample of samples) expect(text).toContain(sample);
    expect(text).toMatch(/umpire_store_cache_reads_total\{service="state-store",result="kept"\} [1-9]/);
    for (const id of ['metric-1', 'metric-2', 'alice']) expect(text).not.toContain(id);
  });
});

function onPath(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
