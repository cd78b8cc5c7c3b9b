/**
 * The one origin of the split topology: hands each request to the service whose path prefix it has. Its own process,
 * started by the launcher with `UMPIRE_GATEWAY` = `{host, port, services: {<name>: {port, internalPort}}}`.
 */
import { Agent, createServer, get, request } from 'node:http';
import { connect } from 'node:net';
import { pathToFileURL } from 'node:url';

/** Which service answers below which path; what is not listed is the state store's. */
export const ROUTES = [['/api', 'intake'], ['/policies', 'intake'], ['/rejected', 'intake'], ['/webhooks', 'notifier'], ['/ws', 'notifier'], ['/timers', 'timeout-scheduler']];
const FALLBACK = 'state-store';
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect']);
/** Longer than the two seconds that a service gives each of its own checks. */
const PROBE_MS = 3_000;
const DRAIN_MS = 9_000;
/** A little more than the services' own, so that theirs speak first. Zero would be no limit at all, for headers too. */
const TIMEOUTS = { headersTimeout: 12_000, requestTimeout: 35_000, connectionsCheckingInterval: 2_000 };
/** A connection on which nothing moves, longer than the longest wait for an outcome. */
const IDLE_MS = 95_000;

/** The service that answers a path. */
export function routeOf(url) {
  const path = url.split('?', 1)[0];
  return ROUTES.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))?.[1] ?? FALLBACK;
}

/** Starts the gateway; resolves with `{server, close}` once it listens. */
export function startGateway({ host, port, services }) {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 256 });
  const sockets = new Set();
  const server = createServer({ keepAliveTimeout: 70_000, ...TIMEOUTS }, (incoming, outgoing) => {
    if (incoming.url === '/healthz') return json(outgoing, 200, { status: 'ok' });
    if (incoming.url === '/readyz') return void answerReady(services, host, outgoing);
    if (incoming.url === '/metrics') return void answerMetrics(services, host, outgoing);
    return forward({ host, agent, services, incoming, outgoing, name: routeOf(incoming.url) });
  });
  server.setTimeout(IDLE_MS, (socket) => socket.destroy());
  server.on('upgrade', (incoming, socket, head) => {
    socket.setTimeout(0);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    upgrade(services[routeOf(incoming.url)], host, incoming, socket, head);
  });
  server.on('clientError', (_error, socket) => socket.writable && socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'));
  const close = () => new Promise((done) => {
    const finish = () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      agent.destroy();
      done();
    };
    server.close(finish);
    server.closeIdleConnections();
    setTimeout(finish, DRAIN_MS).unref();
  });
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, () => done({ server, close }));
  });
}

function forward({ host, agent, services, incoming, outgoing, name, again = false }) {
  const upstream = request({ host, port: services[name].port, agent, method: incoming.method, path: incoming.url, headers: passedOn(incoming.rawHeaders) });
  const bodiless = incoming.method === 'GET' || incoming.method === 'HEAD';
  upstream.once('response', (response) => {
    outgoing.writeHead(response.statusCode, response.statusMessage, passedOn(response.rawHeaders));
    response.pipe(outgoing);
    response.once('error', () => outgoing.destroy());
  });
  upstream.once('error', () => {
    if (outgoing.headersSent) return outgoing.destroy();
    // The service closed an idle connection just as we took it: nothing was answered, and a read may be asked again.
    if (bodiless && upstream.reusedSocket && !again) return forward({ host, agent, services, incoming, outgoing, name, again: true });
    return unavailable(outgoing, name);
  });
  outgoing.once('close', () => upstream.destroy());
  if (again) upstream.end();
  else incoming.pipe(upstream);
}

/** Headers as they came, order and repetition kept, without those that concern one connection only. */
function passedOn(rawHeaders) {
  const kept = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!HOP_BY_HOP.has(rawHeaders[at].toLowerCase())) kept.push(rawHeaders[at], rawHeaders[at + 1]);
  }
  return kept;
}

function upgrade(service, host, incoming, socket, head) {
  const upstream = connect({ host, port: service.port });
  const end = () => {
    socket.destroy();
    upstream.destroy();
  };
  let open = false;
  upstream.once('connect', () => {
    open = true;
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let at = 0; at < incoming.rawHeaders.length; at += 2) lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
    upstream.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
    socket.pipe(upstream).pipe(socket);
  });
  upstream.once('error', () => {
    if (open) return end();
    return socket.end('HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  socket.setNoDelay(true);
  upstream.setNoDelay(true);
  socket.once('error', end);
  socket.once('close', end);
  upstream.once('close', () => open && socket.end());
}

function unavailable(outgoing, name) {
  json(outgoing, 503, { type: 'about:blank', title: 'Service Unavailable', status: 503, code: 'unavailable', detail: `${name} is not running at the moment; try again` },
    { 'content-type': 'application/problem+json', 'retry-after': '1' });
}

function json(outgoing, status, body, headers = {}) {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
  outgoing.end(JSON.stringify(body));
}

/** Ready when every service is; says which ones are not. */
async function answerReady(services, host, outgoing) {
  const states = await Promise.all(Object.entries(services).map(async ([name, { internalPort }]) => {
    const { status } = await fetchText(host, internalPort, '/readyz');
    return [name, status === 200 ? 'ready' : 'not_ready'];
  }));
  const ready = states.every(([, state]) => state === 'ready');
  json(outgoing, ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', services: Object.fromEntries(states) }, ready ? {} : { 'retry-after': '1' });
}

async function answerMetrics(services, host, outgoing) {
  const texts = await Promise.all(Object.entries(services).map(async ([name, { internalPort }]) => [name, (await fetchText(host, internalPort, '/metrics')).text]));
  outgoing.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  outgoing.end(mergeMetrics(texts));
}

/** Joins Prometheus texts: samples of one family together, as the format demands, each with a `service` label. */
export function mergeMetrics(texts) {
  const families = new Map();
  for (const [service, text] of texts) {
    let family = '';
    for (const line of text.split('\n')) {
      const header = /^# (?:HELP|TYPE) (\S+)/.exec(line);
      if (header) family = header[1];
      if (!line || (line.startsWith('#') && !header)) continue;
      const known = families.get(family) ?? { headers: new Set(), samples: [] };
      families.set(family, known);
      if (header) known.headers.add(line);
      else known.samples.push(labelled(line, service));
    }
  }
  return [...families.values()].map(({ headers, samples }) => [...headers, ...samples, ''].join('\n')).join('');
}

function labelled(line, service) {
  if (/[{,]service="/.test(line)) return line;
  const brace = line.indexOf('{');
  const space = line.indexOf(' ');
  if (brace >= 0 && brace < space) return `${line.slice(0, brace)}{service="${service}",${line.slice(brace + 1)}`;
  return `${line.slice(0, space)}{service="${service}"}${line.slice(space)}`;
}

function fetchText(host, port, path) {
  return new Promise((done) => {
    const asked = get({ host, port, path, timeout: PROBE_MS, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.once('end', () => done({ status: response.statusCode, text }));
      response.once('error', () => done({ status: 0, text: '' }));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => done({ status: 0, text: '' }));
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const gateway = await startGateway(JSON.parse(process.env.UMPIRE_GATEWAY ?? '{}'));
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    void gateway.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
