import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { writeWhole } from './lock.mjs';

/** The server's folder inside a container. */
const MOUNT = '/umpire';

/** redis-server as a pure cache: nothing is written to disk, and the oldest entries give way when memory is full. */
export function redisServer({ home, found, password }) {
  const folder = join(home, 'redis');
  const config = join(folder, 'redis.conf');
  return {
    name: 'redis',
    stopSignal: 'SIGTERM',
    url: (port) => `redis://:${password}@127.0.0.1:${port}/0`,
    ready: (port) => redisAnswers('127.0.0.1', port, password),
    command: (port) => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const host = found.docker ? '0.0.0.0' : '127.0.0.1';
      writeWhole(config, redisConfig({ port, host, password, folder: found.docker ? '/tmp' : folder }));
      if (!found.docker) return { command: found.command, args: [config], env: found.env };
      return { docker: found.docker, port, volumes: [[folder, MOUNT]], asCaller: true, entrypoint: 'redis-server', args: [`${MOUNT}/redis.conf`] };
    },
  };
}

function redisConfig({ port, host, password, folder }) {
  return `# Written at every start.
bind ${host}
port ${port}
requirepass ${password}
appendonly no
save ""
dir ${JSON.stringify(folder)}
maxmemory 256mb
maxmemory-policy allkeys-lru
# The command line tells a later start that this process belongs to this home.
set-proc-title no
`;
}

function redisAnswers(host, port, password) {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: 2_000 });
    let answer = '';
    const end = (good) => {
      socket.destroy();
      done(good);
    };
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (data) => {
      answer += data;
      if (answer.includes('+PONG')) end(true);
      else if (answer.startsWith('-')) end(false);
    });
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
    socket.once('close', () => done(false));
  });
}
