import { UmpireError } from '@umpire/contract';
import { UmpireClient, type InboxFrame, type InboxState } from '@umpire/client';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CuttableLine } from './client-proxy.ts';
import { Stack } from './stack.ts';

let stack: Stack;
let producer: UmpireClient;
let alice: UmpireClient;

beforeAll(async () => {
  stack = await Stack.start('all');
  const { keys } = stack.connection;
  producer = new UmpireClient({ url: stack.origin, key: keys.producer });
  alice = new UmpireClient({ url: stack.origin, key: keys.reviewers.alice });
});
afterAll(() => stack.stop());

const ask = (interaction_id: string, users: string[]) =>
  producer.interact({ interaction_id, pipeline_name: 'p', step_name: 's', data: { n: 1 }, interaction: { pattern: 'approval', quorum: 'any', assignees: { users } } });

/** An inbox that keeps every frame. */
function record(client: UmpireClient, userId: string, more: { since?: string; heartbeatMs?: number } = {}) {
  const frames: InboxFrame<{ n: number }>[] = [];
  const states: InboxState[] = [];
  const inbox = client.subscribe<{ n: number }>(userId, { onFrame: (frame) => void frames.push(frame), onState: (state) => void states.push(state), ...more });
  const about = (id: string) => frames.flatMap((frame) => ('event' in frame && frame.data.interaction_id === id ? [`${frame.type} ${frame.event}`] : []));
  const wait = <T>(what: string, find: (frame: InboxFrame<{ n: number }>) => T | false | undefined) => eventually(what, () => frames.map(find).find(Boolean));
  return { inbox, frames, states, about, wait };
}

it('shows the list, what is new, and what is over', async () => {
  await ask('first', ['alice']);
  const live = record(alice, 'alice');
  const list = await live.wait('the list', (frame) => frame.type === 'pending_interactions' && frame);
  expect(list).toMatchObject({ total: 1, data: [{ interaction_id: 'first', status: 'pending', data: { n: 1 } }] });
  await ask('second', ['alice']);
  await eventually('the second', () => live.about('second').length > 0);
  await alice.respond('second', { decision: 'approve' });
  await eventually('its end', () => live.about('second').includes('interaction_closed resolved'));
  expect(live.about('second')[0]).toBe('new_interaction opened');
  expect(live.states).toEqual(['connecting', 'open']);
  await live.inbox.stop();
  expect(await live.inbox.done).toBeNull();
  expect(live.states.at(-1)).toBe('stopped');
});

it('comes back after the line was cut, without gap or repetition', async () => {
  const line = await CuttableLine.to(stack.origin);
  const behind = new UmpireClient({ url: `http://127.0.0.1:${line.port}`, key: stack.connection.keys.reviewers.alice });
  const live = record(behind, 'alice');
  await live.wait('the list', (frame) => frame.type === 'pending_interactions');
  await ask('before', ['alice']);
  await eventually('the one before', () => live.about('before').length === 1);
  line.down();
  await ask('meanwhile', ['alice']);
  await alice.respond('before', { decision: 'reject' });
  line.up();
  await eventually('what was missed', () => live.about('before').includes('interaction_closed resolved'));
  await ask('after', ['alice']);
  await eventually('the one after', () => live.about('after').length === 1);
  expect(live.about('meanwhile')).toEqual(['new_interaction opened']);
  expect(live.about('before')).toEqual(['new_interaction opened', 'interaction_updated responded', 'interaction_closed resolved']);
  expect(live.frames.filter(({ type }) => type === 'pending_interactions')).toHaveLength(1);
  const { position } = live.inbox;
  await live.inbox.stop();
  await ask('asleep', ['alice']);
  const resumed = record(alice, 'alice', { since: position });
  await eventually('the one of the time asleep', () => resumed.about('asleep').length === 1);
  expect(resumed.frames).toHaveLength(1);
  await resumed.inbox.stop();
  await line.close();
});

it('sends the whole inbox again where it cannot go on', async () => {
  const live = record(alice, 'alice', { since: '00000000-0000-4000-8000-000000000000' });
  expect(await live.wait('the list', (frame) => frame.type === 'pending_interactions' && frame)).toMatchObject({ resync: true });
  await live.inbox.stop();
});

it('notices a line that is dead without saying so', async () => {
  const line = await CuttableLine.to(stack.origin);
  const behind = new UmpireClient({ url: `http://127.0.0.1:${line.port}`, key: stack.connection.keys.reviewers.alice });
  const live = record(behind, 'alice', { heartbeatMs: 100 });
  await live.wait('the list', (frame) => frame.type === 'pending_interactions');
  line.freeze();
  await eventually('another try', () => live.states.filter((state) => state === 'connecting').length > 1);
  line.thaw();
  await eventually('the line again', () => live.states.at(-1) === 'open');
  await live.inbox.stop();
  await line.close();
});

it('follows what is not in the inbox, also after coming back', async () => {
  const line = await CuttableLine.to(stack.origin);
  const admin = new UmpireClient({ url: `http://127.0.0.1:${line.port}`, key: stack.connection.keys.admin });
  const live = record(admin, 'alice');
  await live.wait('the list', (frame) => frame.type === 'pending_interactions');
  await ask('bobs', ['bob']);
  live.inbox.follow('bobs');
  expect(await live.wait('the item', (frame) => frame.type === 'subscribed' && frame)).toMatchObject({ interaction_id: 'bobs', data: { data: { n: 1 } } });
  line.down();
  line.up();
  await eventually('the item again', () => live.frames.filter(({ type }) => type === 'subscribed').length === 2);
  await new UmpireClient({ url: stack.origin, key: stack.connection.keys.reviewers.bob }).respond('bobs', { decision: 'approve' });
  await eventually('its end', () => live.about('bobs').includes('interaction_closed resolved'));
  live.inbox.follow('nobody');
  expect(await live.wait('the refusal', (frame) => frame.type === 'error' && frame)).toMatchObject({ code: 'not_found', interaction_id: 'nobody' });
  await live.inbox.stop();
  await line.close();
});

it('ends with the reason when it is not let in', async () => {
  const end = async (key: string, userId: string) => (await record(new UmpireClient({ url: stack.origin, key }), userId).inbox.done) as UmpireError;
  expect((await end(stack.connection.keys.reviewers.bob, 'alice')).code).toBe('forbidden');
  expect((await end('umk_nothing', 'alice')).code).toBe('unauthenticated');
});
