/**
 * Carries real messages through a running product and says what it saw: sends as producers do, receives and verifies
 * webhooks, decides, reads the outcomes. Started by the launcher with UMPIRE_CONNECTION, the path of `connection.json`.
 */
import { readFileSync } from 'node:fs';
import { apiOf } from './demo/api.mjs';
import { Carried, STEPS } from './demo/carry.mjs';
import { connectProducer } from './demo/producer.mjs';
import { startReceiver } from './demo/receiver.mjs';
import { makeMessages } from './demo/samples.mjs';
import { median } from './demo/timeline.mjs';

const WHOLE_MS = 50_000;
const CLEANUP_MS = 5_000;

const connection = readConnection();
const faults = [];
const carried = new Map(makeMessages().map((message) => [message.id, new Carried(message)]));
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => interrupted.abort());
const signal = AbortSignal.any([AbortSignal.timeout(WHOLE_MS), interrupted.signal]);

const began = performance.now();
const receiver = await startReceiver({
  onWebhook: (webhook) => carried.get(idOf(webhook.body))?.onWebhook(webhook),
  onFault: (fault) => faults.push(fault),
});
try {
  await withEndpoint(() => withProducer(run));
} catch (error) {
  faults.push(explain(error));
} finally {
  receiver.close();
}
report(performance.now() - began);
process.exit(faults.length === 0 ? 0 : 1);

function readConnection() {
  const file = process.env.UMPIRE_CONNECTION;
  try {
    return JSON.parse(readFileSync(file ?? '', 'utf8'));
  } catch (error) {
    process.stderr.write(`demo: UMPIRE_CONNECTION must be the path of a connection.json (${error.message}); npm run demo sets it\n`);
    process.exit(1);
  }
}

/** The escalation that a webhook is about; none for tests and notices of the endpoint. */
function idOf({ escalation }) {
  return escalation?.request_id ?? escalation?.interaction_id;
}

async function withEndpoint(work) {
  const api = apiOf(connection.api_url, signal);
  const { body } = await api.post('/webhooks/endpoints', connection.keys.admin, { url: receiver.url, description: 'npm run demo' });
  receiver.trust(body.secret);
  try {
    await work();
  } finally {
    const cleaning = apiOf(connection.api_url, AbortSignal.timeout(CLEANUP_MS));
    await cleaning.remove(`/webhooks/endpoints/${body.id}`, connection.keys.admin).catch((error) => faults.push(`the demo's endpoint is left behind: ${explain(error)}`));
  }
}

async function withProducer(work) {
  const producer = await connectProducer(connection);
  try {
    await producer.readOutcomes((outcome) => {
      const one = carried.get(outcome.request_id);
      one?.onOutcome(outcome);
      return one !== undefined;
    });
    await work(producer);
  } finally {
    await producer.close();
  }
}

/** One after the other, so that each has the machine to itself; those that wait for their deadline go beside the others. */
async function run(producer) {
  const context = { api: apiOf(connection.api_url, signal), keys: connection.keys, producer, signal };
  const attempt = async (one) => {
    try {
      await one.carry(context);
    } catch (error) {
      one.faults.push(explain(error));
    }
  };
  const all = [...carried.values()];
  const waiting = all.filter((one) => one.message.byTimeout).map(attempt);
  for (const one of all.filter((other) => other.message.decide)) await attempt(one);
  await Promise.all(waiting);
}

function explain(error) {
  if (interrupted.signal.aborted) return 'interrupted';
  return `${error.message}${error.cause?.message ? ` (${error.cause.message})` : ''}`;
}

function report(tookMs) {
  const all = [...carried.values()];
  const write = (line) => process.stdout.write(`${line}\n`);
  for (const { message, timeline, faults: own } of all) {
    write(`\n${message.id}   ${message.reason}   (${message.file})`);
    for (const line of timeline.lines()) write(line);
    for (const fault of own) {
      write(`  WRONG: ${fault}`);
      faults.push(`${message.id}: ${fault.split('\n')[0]}`);
    }
  }
  const figure = (from, to) => {
    const values = all.map(({ timeline }) => timeline.between(from, to)).filter((value) => value !== undefined);
    return values.length === 0 ? '–' : `median ${median(values).toFixed(1)} ms, most ${Math.max(...values).toFixed(1)} ms`;
  };
  write(`\n${all.filter((one) => one.faults.length === 0).length} of ${all.length} escalations went through as promised, ${receiver.verified} webhooks verified, in ${(tookMs / 1000).toFixed(1)} s`);
  write(`  sent → signed webhook        ${figure(STEPS.sent, STEPS.required)}`);
  write(`  decided → signed webhook     ${figure(STEPS.decided, STEPS.resolved)}`);
  write(`  decided → outcome over NATS  ${figure(STEPS.decided, STEPS.outcome)}`);
  for (const fault of faults) process.stderr.write(`demo: ${fault}\n`);
}
