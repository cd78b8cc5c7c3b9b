import { createLogger, systemClock } from '@umpire/runtime';
import { createSecretKey } from 'node:crypto';
import { expect, it } from 'vitest';
import type { AttemptRecorder } from './attempt-recorder.ts';
import { DeliveryEngine } from './delivery.engine.ts';
import type { Endpoint } from './endpoint.ts';

const endpoint: Endpoint = {
  id: 'e', namespace: 'default', kind: 'endpoint', url: 'https://x.example', events: [], reasons: [], payload: 'full', headers: {}, maxConcurrency: 1, ratePerSecond: null,
  retrySeconds: null, keys: [{ key: createSecretKey(Buffer.alloc(32)), until: null }], enabled: true, failingSince: null, version: 1,
};
const answer = { status: 204, error: null, detail: null, response: Buffer.alloc(0), latencyMs: 1, retryAfterMs: null };
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('asks for more when results are recorded that kept a lane from it', async () => {
  const recorded: (() => void)[] = [];
  const engine = new DeliveryEngine({
    replica: 'r', logger: createLogger('test', 'silent'), clock: systemClock, leaseMs: 60_000, maxInFlight: 1_000, concurrency: 20, retrySeconds: [60],
    sender: { send: () => Promise.resolve(answer) }, recorder: { record: () => new Promise<void>((resolve) => recorded.push(resolve)) } as unknown as AttemptRecorder,
  });
  let asked = 0;
  engine.whenRoom(() => void (asked += 1));
  engine.due(endpoint);
  for (let id = 0; id < 8; id += 1) {
    engine.take(endpoint, { id: `d-${id}`, eventId: 'v', url: null, event: 'test', reason: null, body: new Uint8Array(1), attempts: 0, roundStart: 0, fence: 1 }, performance.now());
    await turn();
  }
  expect([recorded.length, engine.candidates()]).toEqual([8, []]);
  asked = 0;
  recorded[0]!();
  await turn();
  expect([asked, engine.candidates().map(({ room }) => room)]).toEqual([1, [1]]);
});
