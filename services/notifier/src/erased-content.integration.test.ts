import { subjects } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness, type Call } from '../test/harness.ts';
import { Receiver } from '../test/receiver.ts';

let harness: Harness;
let call: Call;
let receiver: Receiver;

beforeAll(async () => {
  harness = await Harness.start();
  call = await harness.caller((await harness.notifier()).origin);
  receiver = await Receiver.start();
});
afterAll(async () => {
  await receiver.stop();
  await harness.stop();
});

it('thins the bodies that it kept of an escalation whose content is erased, and sends what is left', async () => {
  const endpoint = (await call('POST', '/webhooks/endpoints', { url: `${receiver.origin}/hook` })).body as { id: string };
  const opened = await harness.publish({ requestId: 'gone', escalation: '{"request_id":"gone","summary":"SECRETWORD"}', data: { rules: { prompt: 'SECRETWORD too' } } });
  const other = await harness.publish({ requestId: 'stays', escalation: '{"request_id":"stays","summary":"SECRETWORD"}' });
  await receiver.got(2);
  const kept = async (id: string) => {
    const [row] = await harness.database.sql<{ body: string; answers: number }[]>`
      select convert_from(m.body, 'UTF8') as body, (select count(a.response)::int from notifier.deliveries d join notifier.attempts a on a.delivery_id = d.id where d.event_id = m.event_id) as answers
      from notifier.messages m where m.event_id = ${id}`;
    return row!;
  };
  await eventually('the attempts are on record', async () => (await kept(opened)).answers === 1 && (await kept(other)).answers === 1, 30_000);
  expect((await kept(opened)).body).toContain('SECRETWORD');

  await harness.publish({ type: 'erased', requestId: 'gone', seq: 3, data: { erasure: { scope: 'content', events: 'all', payload: true }, event_ids: [opened, 'no id', 7] } });
  await eventually('the body is thin', async () => !(await kept(opened)).body.includes('SECRETWORD'), 30_000);
  expect(JSON.parse((await kept(opened)).body)).toMatchObject({ event: 'hitl_escalation_required', id: opened, request_id: 'gone', seq: 1 });
  expect((await kept(opened)).answers).toBe(0);
  expect(await kept(other)).toMatchObject({ body: expect.stringContaining('SECRETWORD'), answers: 1 });

  const delivery = ((await call('GET', `/webhooks/endpoints/${endpoint.id}/deliveries`)).body.items as { id: string; event_id: string }[]).find((one) => one.event_id === opened);
  expect((await call('POST', `/webhooks/deliveries/${delivery!.id}/retry`)).status).toBeLessThan(300);
  const again = await eventually('it was sent again', async () => (await receiver.got(3)).at(-1), 30_000);
  expect(again.body).not.toContain('SECRETWORD');
  expect(JSON.parse(again.body)).toMatchObject({ id: opened });
});

it('forgets a person\'s channels when the store asks, and nobody else\'s', async () => {
  const { sql } = harness.database;
  const add = (namespace: string, owner: string, kind = 'user') => sql`insert into notifier.channels (id, namespace, owner_kind, owner, kind, address) values (gen_random_uuid(), ${namespace}, ${kind}, ${owner}, 'email', 'x@example.org')`;
  await add('default', 'zoe');
  await add('default', 'zoe', 'group');
  await add('default', 'bob');
  await add('team-a', 'zoe');
  const store = await harness.nats.bus('state-store');
  const ask = async () => JSON.parse(new TextDecoder().decode(await store.request(subjects.forget, JSON.stringify({ namespace: 'default', user_id: 'zoe' }), 10_000)));
  expect(await ask()).toEqual({ channels: 1 });
  expect(await ask()).toEqual({ channels: 0 });
  expect((await sql`select 1 from notifier.channels`).length).toBe(3);
  await expect(store.request(subjects.forget, '{}', 10_000)).rejects.toThrow(/needed/);
});
