import { readFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '@umpire/testing';
import { Harness } from '../../test/harness.ts';
import { startProcess } from '../../test/process.ts';

const SOCKETS = 5_000;
const PEOPLE = 100;
const ITEMS = 20;
const EVENTS = 10;

let harness: Harness;
let notifier: ChildProcess | undefined;
const sockets: WebSocket[] = [];

beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  notifier?.kill('SIGKILL');
  await harness.stop();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resident memory of a process and its highest, bytes. */
function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)![1]) * 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

describe('five thousand sockets', () => {
  it.skipIf(process.platform !== 'linux')('on one process stay below 300 MB, and each hears of everything once', { timeout: 240_000 }, async () => {
    const port = await freePort();
    notifier = startProcess(harness.notifierEnvironment({ UMPIRE_PORT: String(port) }));
    const origin = `http://127.0.0.1:${port}`;
    await eventually('ready', async () => (await fetch(`${origin}/readyz`)).status === 200, 60_000);
    const people = await Promise.all(Array.from({ length: PEOPLE }, async (_, index) => ({ id: `reviewer-${index}`, key: await harness.key(['reviewer'], 'default', `reviewer-${index}`) })));
    const filler = 'x'.repeat(2_000);
    const submit = (id: string) => harness.submit(id, { payload: JSON.stringify({ request_id: id, filler }), interaction: { assignees: { roles: ['reviewer'] } } });
    for (let i = 0; i < ITEMS; i += 1) await submit(`before-${i}`);

    const heard = Array.from({ length: SOCKETS }, () => ({ lists: 0, events: [] as string[] }));
    const connect = (index: number) =>
      new Promise<void>((resolve, reject) => {
        const person = people[index % PEOPLE]!;
        const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/hitl/${person.id}`, { headers: { authorization: `Bearer ${person.key}` }, perMessageDeflate: false });
        sockets.push(socket);
        socket.once('error', reject);
        socket.on('message', (data: Buffer) => {
          const head = data.subarray(0, 200).toString();
          if (head.startsWith('{"type":"pending_interactions"')) {
            heard[index]!.lists += 1;
            return resolve();
          }
          heard[index]!.events.push(/"id":"([^"]+)"/.exec(head)![1]!);
        });
      });
    for (let first = 0; first < SOCKETS; first += 250) await Promise.all(Array.from({ length: 250 }, (_, index) => connect(first + index)));
    const connected = memoryOf(notifier.pid!);
    for (let i = 0; i < EVENTS; i += 1) await submit(`after-${i}`);
    await eventually('everybody has heard', () => heard.every(({ events }) => events.length >= EVENTS), 60_000);
    const after = memoryOf(notifier.pid!);

    const ids = heard[0]!.events;
    expect(new Set(ids).size).toBe(EVENTS);
    expect(heard.filter(({ lists, events }) => lists !== 1 || events.join() !== ids.join())).toEqual([]);
    expect(sockets.filter((socket) => socket.readyState !== WebSocket.OPEN)).toHaveLength(0);
    expect({ connected: connected.now < 300e6, after: after.now < 300e6, peak: after.peak < 300e6, megabytes: Math.round(after.peak / 1e6) }).toMatchObject({ connected: true, after: true, peak: true });
  });
});
