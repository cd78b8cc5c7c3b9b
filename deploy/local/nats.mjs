import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { writeWhole } from './lock.mjs';

/** The server's folder inside a container. */
const MOUNT = '/umpire';

/**
 * nats-server with JetStream in `home/nats`. `sync_interval: always`, since only then does a publish ack mean that the
 * message is on disk. `auth` is the text of an `accounts` block; without it everybody may do everything (tests).
 */
export function natsServer({ home, found, auth = '' }) {
  const folder = join(home, 'nats');
  const config = join(folder, 'nats.conf');
  let current = auth;
  const configure = (port) => {
    mkdirSync(join(folder, 'data'), { recursive: true, mode: 0o700 });
    writeWhole(config, natsConfig({ port, store: found.docker ? `${MOUNT}/data` : join(folder, 'data'), host: found.docker ? '0.0.0.0' : '127.0.0.1', auth: current }));
  };
  return {
    name: 'nats',
    stopSignal: 'SIGTERM',
    url: (port) => `nats://127.0.0.1:${port}`,
    ready: (port) => natsAnswers('127.0.0.1', port),
    command: (port) => {
      configure(port);
      if (!found.docker) return { command: found.command, args: ['-c', config], env: found.env };
      return { docker: found.docker, port, volumes: [[folder, MOUNT]], asCaller: true, args: ['-c', `${MOUNT}/nats.conf`] };
    },
    /** Writes a new `accounts` block; nats-server takes it over on SIGHUP. */
    reconfigure: (port, text) => {
      current = text;
      configure(port);
    },
  };
}

function natsConfig({ port, host, store, auth }) {
  return `# Written at every start.
server_name: umpire
listen: ${JSON.stringify(`${host}:${port}`)}
max_payload: 1MB
max_pending: 128MB
jetstream {
  store_dir: ${JSON.stringify(store)}
  sync_interval: always
  max_memory_store: 64MB
}
${auth}
`;
}

/** Whether a nats-server greets on the port, with JetStream up. */
function natsAnswers(host, port) {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: 2_000 });
    let greeting = '';
    const end = (answer) => {
      socket.destroy();
      done(answer);
    };
    socket.on('data', (data) => {
      greeting += data;
      if (greeting.includes('\r\n')) end(greeting.startsWith('INFO ') && greeting.includes('"jetstream":true'));
    });
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
    socket.once('close', () => done(false));
  });
}
