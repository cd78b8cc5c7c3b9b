import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hitlRequest } from './messages.ts';
import { Stack, topologies } from './stack.ts';

describe.skipIf(!topologies.includes('all'))('the process that runs everything', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.start('all');
  });
  afterAll(() => stack.stop());

  it('is started again when it ends by itself', async () => {
    const pid = (await stack.pidOf('all-in-one'))!;
    const post = (id: string) => stack.post('/api/escalations', stack.connection.keys.producer, hitlRequest(id));
    expect(await post('revival/1')).toMatchObject({ status: 202, body: { status: 'stored' } });
    process.kill(pid, 'SIGKILL');
    const after = await eventually('it to take the next one', async () => ((answer) => answer.status === 202 && answer)(await post('revival/2')), 60_000);
    expect(after.body.request_id).toBe('revival/2');
    expect(await stack.pidOf('all-in-one')).not.toBe(pid);
    expect((await stack.respond('revival/1', { decision: 'approve' })).status).toBe(200);
  });
});
