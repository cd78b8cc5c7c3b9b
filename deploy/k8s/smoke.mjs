/**
 * Installs the overlay `dev` on the cluster that kubectl reaches now, waits until all is ready, and carries an escalation through it from a forwarded
 * port: `npm run k8s:smoke [-- --context <name>] [--image <name:tag>] [--keep]`. The image must be where the cluster finds it (kind load docker-image …).
 * Exit codes: 0 it went through, 1 it did not, 2 there is no kubectl or no cluster.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HELP = `npm run k8s:smoke -- [options]: installs the overlay dev on the cluster that kubectl reaches, waits until all is ready, carries an escalation
through it from a forwarded port, and removes it.

  --context <name>     kubectl's context (default: the current one)
  --image <name:tag>   the image, where the cluster finds it (default umpire:0.1.0; kind load docker-image ...)
  --keep               leaves it installed

Exit codes: 0 it went through, 1 it did not, 2 it could not be run: there is no kubectl, or no cluster answers.`;

const values = optionsOf();
const overlay = fileURLToPath(new URL('overlays/dev', import.meta.url));
const NAMESPACE = 'umpire';
const SERVICES = ['intake', 'state-store', 'notifier', 'timeout-scheduler'];

function optionsOf() {
  try {
    const { values: given } = parseArgs({ options: { context: { type: 'string' }, image: { type: 'string', default: 'umpire:0.1.0' }, keep: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } } });
    if (!given.help) return given;
    process.stdout.write(`${HELP}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`k8s:smoke: ${error.message}\n\n${HELP}\n`);
    process.exit(2);
  }
}

class Trouble extends Error {
  constructor(message, exit = 1) {
    super(message);
    this.exit = exit;
  }
}

function kubectl(args, { input, quiet = false } = {}) {
  const { status, stdout, stderr, error } = spawnSync('kubectl', [...(values.context ? ['--context', values.context] : []), ...args], { encoding: 'utf8', input });
  if (error) throw new Trouble(`kubectl cannot be run (${error.code}): install kubectl 1.30 or newer`, 2);
  if (status !== 0) throw new Trouble(`kubectl ${args.slice(0, 3).join(' ')} failed: ${stderr.trim()}`);
  if (!quiet && stdout.trim()) process.stdout.write(stdout);
  return stdout;
}

function needCluster() {
  try {
    kubectl(['version', '--request-timeout=10s', '-o', 'json'], { quiet: true });
  } catch (error) {
    if (error.exit === 2) throw error;
    throw new Trouble(`no cluster answers (kubectl config current-context says which one is meant): ${error.message.split('\n').at(-1)}`, 2);
  }
}

/** Forwards a Service's port to a free one here. */
async function forward(service) {
  const child = spawn('kubectl', [...(values.context ? ['--context', values.context] : []), '-n', NAMESPACE, 'port-forward', `service/${service}`, ':8080'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((done, fail) => {
    child.stdout.on('data', (text) => {
      const found = /127\.0\.0\.1:(\d+)/.exec(text);
      if (found) done(Number(found[1]));
    });
    child.once('exit', () => fail(new Trouble(`port-forward to ${service} ended`)));
  });
  return { origin: `http://127.0.0.1:${port}`, end: () => child.kill() };
}

async function ask(origin, method, path, key, body) {
  const response = await fetch(`${origin}${path}`, { method, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, ...(body ? { body: JSON.stringify(body) } : {}), signal: AbortSignal.timeout(60_000) });
  const answer = await response.json();
  if (!response.ok) throw new Trouble(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}

async function demo() {
  const admin = Buffer.from(kubectl(['-n', NAMESPACE, 'get', 'secret', 'umpire-admin', '-o', 'jsonpath={.data.default}'], { quiet: true }), 'base64').toString();
  const [store, intake] = [await forward('state-store'), await forward('intake')];
  try {
    const { key: producer } = await ask(store.origin, 'POST', '/identity/keys', admin, { name: 'smoke producer', roles: ['producer'], expires_in_seconds: 600 });
    const { key: alice } = await ask(store.origin, 'POST', '/identity/keys', admin, { name: 'smoke reviewer', roles: ['reviewer'], user_id: 'alice', expires_in_seconds: 600 });
    const id = `smoke-${randomUUID()}`;
    await ask(intake.origin, 'POST', '/api/escalations', producer, { type: 'hitl_interaction', payload: { interaction_id: id, pipeline_name: 'smoke', step_name: 'ask', data: { amount: 120 } } });
    await ask(store.origin, 'POST', '/hitl/respond', alice, { interaction_id: id, user_input: { decision: 'approve' } });
    const status = await ask(store.origin, 'GET', `/hitl/status/${id}?wait=20`, producer);
    process.stdout.write(`${id}: ${status.status}\n`);
    if (status.status !== 'completed') throw new Trouble('the decision did not come back');
  } finally {
    store.end();
    intake.end();
  }
}

try {
  needCluster();
  // Jobs cannot be changed in place.
  kubectl(['-n', NAMESPACE, 'delete', 'job', 'migrate', 'first-key', '--ignore-not-found'], { quiet: true });
  const manifests = kubectl(['kustomize', overlay], { quiet: true }).replaceAll('image: umpire:0.1.0', `image: ${values.image}`);
  kubectl(['apply', '-f', '-'], { input: manifests });
  for (const server of ['statefulset/nats', 'statefulset/postgres', 'deployment/redis']) kubectl(['-n', NAMESPACE, 'rollout', 'status', server, '--timeout=300s']);
  kubectl(['-n', NAMESPACE, 'wait', '--for=condition=complete', 'job/migrate', 'job/first-key', '--timeout=300s']);
  for (const service of SERVICES) kubectl(['-n', NAMESPACE, 'rollout', 'status', `deployment/${service}`, '--timeout=300s']);
  await demo();
  if (!values.keep) kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']);
} catch (error) {
  if (error.exit === 2) process.stderr.write('k8s:smoke: NOT RUN, nothing was installed or shown\n');
  process.stderr.write(`k8s:smoke: ${error instanceof Trouble ? error.message : error.stack}\n`);
  process.exitCode = error.exit ?? 1;
}
