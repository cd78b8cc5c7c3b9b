import { appendFileSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataVersionOf, findServers } from './find-servers.mjs';
import { launcherOf, openHome } from './home.mjs';
import { writeWhole } from './lock.mjs';
import { isFree, Ports } from './ports.mjs';
import { postgresFolder } from './postgres.mjs';
import { until } from './processes.mjs';
import { programOf, refuseStalePrograms } from './programs.mjs';
import { prepareSecrets, provisionDatabase, SERVICES } from './provision.mjs';
import { startServers } from './servers.mjs';
import { environmentOf, Service, serviceEnvironment } from './services.mjs';
import { Steps } from './steps.mjs';
import { oneLine, Trouble } from './trouble.mjs';

const READY_MS = 60_000;
const NAMESPACES_DEFAULT = '{"default":["main"]}';

/** Servers that the environment names instead of ours: `{nats?, postgres?, redis?}`, each a URL. */
export function externalServers(env = process.env) {
  const named = { nats: env.UMPIRE_NATS_URL, postgres: env.UMPIRE_POSTGRES_URL, redis: env.UMPIRE_REDIS_URL };
  const given = Object.entries(named).filter(([, url]) => url);
  for (const [name, url] of given) if (!URL.canParse(url)) throw new Trouble(`UMPIRE_${name.toUpperCase()}_URL is not a URL`);
  return Object.fromEntries(given);
}

/** Finds or brings the servers' programs that this home needs. */
export function findServersFor(home, steps, external = externalServers()) {
  return findServers(steps, { external, dataVersion: dataVersionOf(join(postgresFolder(home), 'data')) });
}

/**
 * Runs the product on a home: servers, provisioning, services; resolves when all are ready. Code must be built.
 *
 * `port` 0 takes a free one. `found` are the servers' programs, if looked up already; `signal` gives up waiting; `environment(name, env)` may
 * change what one service is given. Returns `{origin, connection, connectionFile, servers, ended, stop, kill}`: `ended` resolves with `{code}`
 * when the product has ended by itself, `stop()` ends services first, then servers.
 */
export async function launch({ home, port = 8080, split = false, verbose = false, steps = new Steps({ quiet: true }), found, signal,
  environment = (_name, env) => env, show = (line) => steps.say(line) }) {
  refuseStalePrograms();
  const external = externalServers();
  if (external.nats) steps.say('UMPIRE_NATS_URL: an ack of that server means on disk only if it runs with sync_interval: always, or as a cluster');
  const opened = await openHome(home);
  if (opened.ended.length > 0) steps.say(`ended what an earlier run had left: ${opened.ended.join(', ')}`);
  const started = { services: [], servers: undefined };
  const stop = async () => {
    await Promise.all(started.services.map((service) => service.stop()));
    await started.servers?.stop();
    opened.release();
  };
  const kill = () => {
    for (const pid of [...started.services, ...['nats', 'redis', 'postgres'].map((name) => started.servers?.[name])].map((one) => one?.pid)) {
      if (pid) process.kill(pid, 'SIGKILL');
    }
  };
  try {
    const ports = new Ports(home);
    const origin = `http://127.0.0.1:${await originPort(ports, port)}`;
    const namespacesText = process.env.UMPIRE_NAMESPACES || NAMESPACES_DEFAULT;
    const { secrets, accounts, namespaces } = await steps.run('secrets', () => prepareSecrets(home, namespacesText));
    started.servers = await runServers({ home, external, accounts, opened, found, steps, show });
    if (signal?.aborted) throw new Trouble('interrupted');
    const addresses = addressesOf(external, started.servers, secrets);
    await steps.run('migrations and keys', () => provisionDatabase({ home, adminUrl: addresses.postgresUrl, secrets, namespaces }));
    const env = serviceEnvironment({ ...addresses, secrets, namespacesText, origin, logLevel: process.env.UMPIRE_LOG_LEVEL || 'info' });
    started.services = await runServices({ home, split, env, origin, ports, verbose, show, environment });
    await steps.run(split ? 'services (split)' : 'services', () => untilReady(origin, started.services, signal));
    // What cannot start ends the launch; what has run is brought back.
    for (const service of started.services) service.keep();
    const connection = connectionOf({ origin, ...addresses, secrets, namespaces });
    const connectionFile = join(home, 'connection.json');
    writeWhole(connectionFile, `${JSON.stringify(connection, null, 2)}\n`);
    return { origin, connection, connectionFile, servers: started.servers, stop, kill, ended: Promise.race(started.services.map((service) => service.ended)) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The origin must be the port asked for: printed calls and bookmarks name it. */
async function originPort(ports, port) {
  if (port === 0) return ports.take('origin');
  if (await isFree(port)) return port;
  throw new Trouble(`port ${port} of 127.0.0.1 is in use: stop what listens there, or give another with --port (0 takes a free one)`);
}

async function runServers({ home, external, accounts, opened, found, steps, show }) {
  const only = ['nats', 'redis', 'postgres'].filter((name) => !external[name]);
  const onEvent = ({ server, event, code, signal, error }) => {
    const why = signal ?? (error ? oneLine(error) : code);
    note(home, show, `${server} ${event}${why === undefined || why === null ? '' : ` (${why})`}`);
  };
  if (only.length === 0) return { stop: async () => {} };
  return steps.run(`servers: ${only.join(', ')}`, () => startServers({ home, only, natsAuth: accounts, supervise: true, opened, found, steps, onEvent }));
}

/** Where the three servers answer. An external NATS is configured by its operator: its URL's credentials serve everybody. */
function addressesOf(external, servers, secrets) {
  return { nats: external.nats ? externalNats(external.nats) : { url: servers.nats.url }, postgresUrl: external.postgres ?? servers.postgres.url,
    redisUrl: external.redis ?? servers.redis.url, secrets };
}

function externalNats(text) {
  const url = new URL(text);
  const shared = { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  return { url: `${url.protocol}//${url.host}`, shared };
}

async function runServices({ home, split, env, origin, ports, verbose, show, environment }) {
  const { hostname: host, port } = new URL(origin);
  const onEvent = ({ service, code, signal }) => note(home, show, `${service} ended (${signal ?? `exit code ${code}`}), starting it again`);
  const make = async (name, entry, own) => new Service({ name, entry, home, env: await environment(name, own), revive: split, verbose, show, onEvent });
  const made = [];
  if (!split) made.push(await make('all-in-one', programOf('all-in-one'), { ...env, UMPIRE_PORT: port }));
  const services = {};
  for (const name of split ? SERVICES : []) {
    services[name] = { port: await ports.take(name), internalPort: await ports.take(`${name} internal`) };
    made.push(await make(name, programOf(name), { ...environmentOf(name, env), UMPIRE_PORT: String(services[name].port),
      UMPIRE_INTERNAL_PORT: String(services[name].internalPort) }));
  }
  if (split) made.push(await make('gateway', fileURLToPath(new URL('gateway.mjs', import.meta.url)), { UMPIRE_GATEWAY: JSON.stringify({ host, port: Number(port), services }) }));
  for (const service of made) service.start();
  return made;
}

/** What happened to servers and services goes to the terminal and to a log of its own. */
function note(home, show, text) {
  appendFileSync(join(home, 'logs', 'launcher.log'), `${new Date().toISOString()} ${text}\n`, { mode: 0o600 });
  show(`warn ${text}`);
}

/** Waits for the origin's `/readyz`; gives up as soon as a service has ended for good. */
async function untilReady(origin, services, signal) {
  let ended;
  for (const service of services) void service.ended.then((exit) => {
    ended ??= { name: service.name, ...exit };
  });
  let last = { status: 0, text: 'no answer' };
  const ready = await until(async () => {
    last = await ask(`${origin}/readyz`);
    return ended !== undefined || signal?.aborted || last.status === 200;
  }, READY_MS, 50);
  if (ended) throw new Trouble(`${ended.name} ended while starting (${ended.signal ?? `exit code ${ended.code}`}), see above`);
  if (signal?.aborted) throw new Trouble('interrupted');
  if (!ready) throw new Trouble(`not ready after ${READY_MS / 1000} s: ${last.text.slice(0, 500)}`);
}

function ask(url) {
  return new Promise((done) => {
    const asked = get(url, { agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.once('end', () => done({ status: response.statusCode, text }));
      response.once('error', () => done({ status: 0, text: 'connection lost' }));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', (error) => done({ status: 0, text: error.message }));
  });
}

/** Everything a client needs, in the form that `connection.json` promises. */
export function connectionOf({ origin, nats, postgresUrl, redisUrl, secrets, namespaces }) {
  const perNamespace = Object.fromEntries(Object.entries(namespaces).map(([namespace, derived]) => {
    const { user, pass } = nats.shared ?? secrets.namespaces[namespace].nats;
    const producer = { user, pass, namespace, inbox_prefix: derived.inbox_prefix, outcome_consumer: derived.outcome_consumers[0] ?? null };
    return [namespace, { nats: { producer }, keys: secrets.namespaces[namespace].keys }];
  }));
  const first = perNamespace.default ?? Object.values(perNamespace)[0];
  return { api_url: origin, ws_url: origin.replace(/^http/, 'ws'), nats_url: nats.url, nats: first.nats, postgres_url: postgresUrl, redis_url: redisUrl,
    keys: first.keys, namespaces: perNamespace };
}

/** The connection of the instance that runs on a home now, or undefined. */
export function runningConnection(home) {
  if (!launcherOf(home)) return undefined;
  try {
    const file = join(home, 'connection.json');
    return { file, connection: JSON.parse(readFileSync(file, 'utf8')) };
  } catch {
    return undefined;
  }
}
