#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap, endCommands, nodeBinary, root, toolEnvironment } from './bootstrap.mjs';
import { findBrowser } from './find-browser.mjs';
import { homeFolder, launcherOf, removeHome } from './home.mjs';
import { findServersFor, launch, runningConnection } from './launch.mjs';
import { until } from './processes.mjs';
import { Steps } from './steps.mjs';
import { oneLine, Trouble } from './trouble.mjs';

const STOP_WAIT_MS = 40_000;
/** A Ctrl-C comes twice when npm hands on what the terminal has sent to us already. */
const ECHO_MS = 500;
const HOME_OPTION = '  --home <folder>   where data, logs and secrets live (default: UMPIRE_HOME, else .umpire/ in this clone)';

const HELP = {
  '': `Umpire on this machine.

  umpire start   set everything up and run the product
  umpire stop    stop the instance that runs on a home
  umpire demo    carry real messages through the whole product
  umpire test    run every test
  umpire build   bring tools and dependencies, compile, bundle
  umpire run     run a command with this clone's Node and dependencies

Each has --help. Through npm: npm start -- --port 9000. To ask what runs (keys, groups, escalations): npm run umpire`,
  start: `umpire start: sets everything up (tools, dependencies, servers, tables, keys) and runs the product until Ctrl-C.

${HOME_OPTION}
  --port <n>        port of the one origin on 127.0.0.1 (default 8080; 0 takes a free one)
  --split           four service processes behind one gateway instead of one process
  --no-build        run what is compiled already
  --verbose         show every log line, not only warnings

  UMPIRE_NAMESPACES  namespaces and their outcome consumers (default {"default":["main"]})
  UMPIRE_NATS_URL, UMPIRE_POSTGRES_URL, UMPIRE_REDIS_URL  use these servers instead of starting own ones
  UMPIRE_LOG_LEVEL   trace, debug, info (default), warn, error, fatal`,
  stop: `umpire stop: stops the instance that runs on a home, services first, and waits until it has ended.

${HOME_OPTION}`,
  demo: `umpire demo: real producers' messages from JetStream or POST to signed webhooks, decisions and outcomes, with the times between
them. Uses the instance that runs on the home; without one, starts one in a temporary folder and removes it afterwards.

${HOME_OPTION}
  --no-build        run what is compiled already`,
  test: `umpire test [vitest arguments]: sets up what the tests need and runs them: npm test -- --project unit libs/domain`,
  build: 'umpire build: brings tools and dependencies, compiles, bundles the services and builds the console; what has not changed is left as it is.',
  run: `umpire run <command> [arguments]: runs a command from node_modules/.bin under this clone's Node.`,
};

const COMMANDS = { start, stop, demo, test, build, run };

async function start(args) {
  const { values } = parse('start', args, { home: { type: 'string' }, port: { type: 'string', default: '8080' }, split: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false } });
  const port = portOf(values.port);
  const home = homeFolder(values.home);
  refuseIfRunning(home);
  const steps = new Steps();
  const interruption = interruptible();
  const umpire = await unlessInterrupted(interruption, async () => {
    const found = await setUp(home, steps, !values['no-build']);
    return launch({ home, port, split: values.split, verbose: values.verbose, steps, found, signal: interruption.signal });
  });
  if (!umpire) return 0;
  interruption.onForce(umpire.kill);
  steps.say(`ready in ${steps.total()}`);
  process.stdout.write(`${greeting(umpire)}\n`);
  const exit = await Promise.race([interruption.done, umpire.ended]);
  if (exit) process.stderr.write(`umpire: a service ended (${exit.signal ?? `exit code ${exit.code}`}), stopping the rest\n`);
  await umpire.stop();
  return exit ? exit.code || 1 : 0;
}

async function stop(args) {
  const { values } = parse('stop', args, { home: { type: 'string' } });
  const home = homeFolder(values.home);
  const pid = launcherOf(home);
  if (!pid) return say(`nothing runs on ${home}`);
  process.kill(pid, 'SIGTERM');
  if (!await until(() => launcherOf(home) !== pid, STOP_WAIT_MS, 50)) throw new Trouble(`process ${pid} has not stopped after ${STOP_WAIT_MS / 1000} s`);
  return say(`stopped process ${pid}`);
}

async function demo(args) {
  const { values } = parse('demo', args, { home: { type: 'string' }, 'no-build': { type: 'boolean', default: false } });
  const running = runningConnection(homeFolder(values.home));
  if (running) return passOn(nodeBinary(), [join(root, 'deploy/local/demo.mjs')], { UMPIRE_CONNECTION: running.file });
  const home = mkdtempSync(join(tmpdir(), 'umpire-demo-'));
  const steps = new Steps();
  const interruption = interruptible();
  let umpire;
  try {
    umpire = await unlessInterrupted(interruption, async () => {
      const found = await setUp(home, steps, !values['no-build']);
      return launch({ home, port: 0, steps, found, signal: interruption.signal });
    });
    if (!umpire) return 0;
    interruption.onForce(umpire.kill);
    steps.say(`ready in ${steps.total()}`);
    return await passOn(nodeBinary(), [join(root, 'deploy/local/demo.mjs')], { UMPIRE_CONNECTION: umpire.connectionFile });
  } finally {
    await umpire?.stop();
    removeHome(home);
  }
}

async function test(args) {
  if (args[0] === '--help') return say(HELP.test);
  const steps = new Steps();
  const [browser] = await Promise.all([wantsBrowser(args) ? findBrowser(steps) : null, setUp(homeFolder(), steps, true, {})]);
  steps.say(`set up in ${steps.total()}`);
  return passOn(nodeBinary(), [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], browser ? { UMPIRE_BROWSER: browser } : {}, root);
}

/** Whether these arguments of vitest include the browser tests. */
function wantsBrowser(args) {
  const projects = args.flatMap((arg, at) => (arg === '--project' ? [args[at + 1]] : arg.startsWith('--project=') ? [arg.slice('--project='.length)] : []));
  return projects.length === 0 || projects.includes('browser');
}

async function build(args) {
  parse('build', args, {});
  await bootstrap(new Steps());
  return 0;
}

async function run([name, ...args]) {
  if (!name || name === '--help') return say(HELP.run);
  await bootstrap(new Steps(), { build: false });
  return passOn(name, args);
}

/** The result of `work`, or undefined if it failed because the user had enough. */
async function unlessInterrupted({ signal }, work) {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Tools, dependencies and compiled code, and beside them the servers' programs, which take longest the first time. */
async function setUp(home, steps, build, external) {
  const results = await Promise.allSettled([bootstrap(steps, { build }), findServersFor(home, steps, external)]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return results[1].value;
}

function refuseIfRunning(home) {
  const pid = launcherOf(home);
  if (pid) throw new Trouble(`${home} is already in use by process ${pid}: stop that first, or give another --home`);
}

function parse(name, args, options) {
  try {
    const parsed = parseArgs({ args, options: { ...options, help: { type: 'boolean', short: 'h' } }, strict: true });
    if (!parsed.values.help) return parsed;
  } catch (error) {
    throw new Trouble(`${oneLine(error)} (umpire ${name} --help)`);
  }
  say(HELP[name]);
  process.exit(0);
}

function portOf(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Trouble(`--port must be a number from 0 to 65535, not "${text}"`);
  return port;
}

function say(text) {
  process.stdout.write(`${text}\n`);
  return 0;
}

/**
 * The first SIGINT, SIGTERM or SIGHUP asks for an orderly end: `signal` aborts what is still being set up, `done` resolves.
 * The second one forces the end.
 */
function interruptible() {
  const controller = new AbortController();
  let kill;
  let since = 0;
  const onSignal = () => {
    if (controller.signal.aborted) {
      if (performance.now() - since < ECHO_MS) return;
      kill?.();
      process.exit(1);
    }
    process.stderr.write('stopping (once more forces it)\n');
    since = performance.now();
    controller.abort();
    endCommands();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, onSignal);
  const done = new Promise((resolve) => controller.signal.addEventListener('abort', () => resolve(undefined)));
  return { done, signal: controller.signal, onForce: (how) => { kill = how; } };
}

/** Runs a program in the foreground with our terminal, hands signals on, and returns its exit code. */
function passOn(program, args, extra = {}, cwd = process.cwd()) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd, env: toolEnvironment(extra), stdio: 'inherit' });
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    child.once('error', (error) => fail(new Trouble(`cannot run ${program}: ${oneLine(error)}`)));
    child.once('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      done(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

function greeting({ origin, connection, connectionFile }) {
  const { producer: key, reviewers } = connection.keys;
  const { producer } = connection.nats;
  const message = JSON.stringify({ type: 'hitl_interaction', payload: { interaction_id: 'first', pipeline_name: 'refunds', step_name: 'release', data: { amount: 120 } } });
  const other = message.replace('"first"', '"second"');
  return `
Umpire is at ${origin}   (keys and addresses: ${connectionFile})

  # a pipeline asks
  curl -s ${origin}/api/escalations -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\
    -d '${message}'
  # or over NATS
  nats pub -J --server ${connection.nats_url} --user ${producer.user} --password ${producer.pass} --inbox-prefix ${producer.inbox_prefix} \\
    hitl.${producer.namespace}.review.custom_rule '${other}'
  # alice looks, and decides; or signs in with her key at ${origin}: ${reviewers.alice}
  curl -s ${origin}/hitl/pending/alice -H 'Authorization: Bearer ${reviewers.alice}'
  curl -s ${origin}/hitl/respond -H 'Authorization: Bearer ${reviewers.alice}' -H 'Content-Type: application/json' \\
    -d '{"interaction_id":"first","user_input":{"decision":"approve"}}'
  # the pipeline hears
  curl -s '${origin}/hitl/status/first?wait=30' -H 'Authorization: Bearer ${key}'

Ctrl-C stops it.`;
}

const [name = '', ...args] = process.argv.slice(2);
try {
  if (['', '--help', '-h', 'help'].includes(name)) process.exit(say(HELP['']));
  if (!COMMANDS[name]) throw new Trouble(`there is no command "${name}" (umpire --help)`);
  process.exitCode = await COMMANDS[name](args);
} catch (error) {
  process.stderr.write(error instanceof Trouble ? `umpire: ${oneLine(error)}\n` : `umpire: ${error.stack}\n`);
  process.exitCode = 1;
}
// Every child and connection is closed by now; a stray handle must not hold the terminal.
process.exit();
