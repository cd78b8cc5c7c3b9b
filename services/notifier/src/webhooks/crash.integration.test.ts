import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@umpire/testing';
import { Harness } from '../../test/harness.ts';
import { startProcess } from '../../test/process.ts';
import { answer, Receiver } from '../../test/receiver.ts';

const EVENTS = 1_000;
const ENDPOINTS = 5;
const KILLS = 20;
/** Every tenth request is refused: a delivery refused thirteen times in a row is never chance. */
const RETRIES = Array.from({ length: 12 }, () => 0.05).join(',');

let harness: Harness;
const receivers: Receiver[] = [];
let running: ChildProcess | undefined;

beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(async () => {
  running?.kill('SIGKILL');
  await Promise.all(receivers.map((receiver) => receiver.stop()));
  await harness.stop();
});

const start = (): ChildProcess => startProcess(harness.notifierEnvironment({ UMPIRE_WEBHOOK_LEASE_MS: '1000', UMPIRE_WEBHOOK_RETRY_SECONDS: RETRIES }));

const statesOf = async () => Object.fromEntries((await harness.database.sql<{ state: string; count: number }[]>`select state, count(*)::integer from notifier.deliveries group by state`).map((row) => [row.state, row.count]));

describe('a notifier that is killed again and again', () => {
  it('delivers every event to every endpoint, always under the event\'s one id', { timeout: 300_000 }, async () => {
    const setUp = await harness.notifier();
    const call = await harness.caller(setUp.origin);
    for (let i = 0; i < ENDPOINTS; i += 1) {
      const receiver = await Receiver.start();
      receivers.push(receiver);
      // Slow enough that a kill always finds something under way; every tenth is refused once or more.
      receiver.behave = (request, response) => void setTimeout(() => answer(receiver.received.length % 10 === 0 ? 503 : 200)(request, response, response.socket!), 15);
      expect((await call('POST', '/webhooks/endpoints', { url: receiver.origin, max_concurrency: 4 })).status).toBe(201);
    }
    await setUp.stop();

    const ids = new Set<string>();
    const publishing = (async () => {
      while (ids.size < EVENTS) ids.add(await harness.publish({ requestId: `k-${ids.size}` }));
    })();
    const count = () => receivers.reduce((sum, receiver) => sum + receiver.received.length, 0);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      running = start();
      const exited = once(running, 'exit');
      const before = count();
      // Killed at another moment each time, with deliveries under way.
      await eventually('deliveries go on', () => count() >= before + 20 + 9 * kill, 60_000);
      running.kill('SIGKILL');
      await exited;
    }
    running = start();
    await publishing;
    await eventually('all delivered', async () => (await statesOf())['delivered'] === EVENTS * ENDPOINTS, 120_000);

    expect(await statesOf()).toEqual({ delivered: EVENTS * ENDPOINTS });
    for (const receiver of receivers) {
      expect(new Set(receiver.ids)).toEqual(ids);
      const requests = Map.groupBy(receiver.received, (request) => request.id);
      for (const sent of requests.values()) expect(new Set(sent.map((request) => request.body)).size).toBe(1);
    }
    const [attempts] = await harness.database.sql<{ once: number }[]>`
      select count(*)::integer as once from (select delivery_id from notifier.attempts where error is null group by delivery_id having count(*) = 1) a`;
    expect(attempts!.once).toBe(EVENTS * ENDPOINTS);
  });
});
