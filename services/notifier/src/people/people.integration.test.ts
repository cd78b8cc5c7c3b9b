import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { idToken, type Interaction } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { Harness, type App, type Call } from '../../test/harness.ts';
import { Mailbox } from '../../test/mailbox.ts';
import { answer, hang, Receiver } from '../../test/receiver.ts';

let harness: Harness;
let notifier: App;
let mailbox: Mailbox;
let call: Call;
let number = 0;
const made: string[] = [];
const receivers: Receiver[] = [];

beforeAll(async () => {
  [harness, mailbox] = await Promise.all([Harness.start(), Mailbox.start()]);
  notifier = await harness.notifier({ UMPIRE_SMTP_URL: mailbox.url, UMPIRE_NOTICE_RETRY_SECONDS: '0.2,0.2', UMPIRE_PUBLIC_URL: 'https://umpire.example', UMPIRE_WEBHOOK_TIMEOUT_MS: '1000', UMPIRE_MAIL_FROM: 'Umpire <umpire@example.org>' });
  call = await harness.caller(notifier.origin);
});
afterAll(async () => {
  await harness.stop();
  await mailbox.stop();
});
afterEach(async () => {
  for (const id of made.splice(0)) await call('DELETE', `/webhooks/channels/${id}`);
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
  mailbox.mails.length = 0;
  mailbox.refuse = () => null;
});

async function channel(body: object): Promise<string> {
  const created = await call('POST', '/webhooks/channels', body);
  expect(created).toMatchObject({ status: 201 });
  made.push(created.body.id as string);
  return created.body.id as string;
}

const mail = (user: string, more: object = {}) => channel({ kind: 'email', owner_kind: 'user', owner: user, address: `${user}@example.org`, ...more });
const noticesOf = async (id: string) => (await call('GET', `/webhooks/channels/${id}/notices`)).body.items as Record<string, any>[];
const unique = (name: string) => `${name}-${(number += 1)}`;
const submit = (id: string, interaction: Interaction, payload?: string) => harness.submit(id, { interaction, ...(payload === undefined ? {} : { payload }) });
const person = async (name: string) => harness.callWith(() => harness.storeOrigin, await harness.key(['reviewer'], 'default', name));

describe('mail', () => {
  it('tells who is asked that something is, until when and where, and nothing of the content', async () => {
    const [alice, request] = [unique('alice'), `${unique('confidential merger')}/Ü`];
    const id = await mail(alice);
    await submit(request, { assignees: { users: [alice] }, prompt: 'Buy ACME for 5 million?', priority: 'high', timeout_seconds: 7_200 });
    const [message] = await mailbox.got(1);
    expect(message).toMatchObject({ to: [`${alice}@example.org`], from: 'umpire@example.org', subject: 'A decision is waiting for you (high)' });
    expect(message!.text).toContain(`https://umpire.example/e/~${idToken(request)}\r\n`);
    expect(message!.text).toMatch(/Until \d{4}-\d\d-\d\d \d\d:\d\d UTC\./);
    expect(message!.raw).not.toMatch(/ACME|merger/);
    expect(message!.raw).toMatch(/^Auto-Submitted: auto-generated/im);
    await eventually('sent', async () => (await noticesOf(id))[0]?.['state'] === 'sent');
    expect(message!.messageId).toBe(`<${(await noticesOf(id))[0]!['id']}@umpire.example>`);
  });

  it('says what is asked where somebody allowed it, and cannot be made to say more', async () => {
    const bob = unique('bob');
    await mail(bob, { detail: 'summary' });
    await submit(unique('hostile'), { assignees: { users: [bob] }, prompt: 'Pay?\r\nBcc: everybody@example.org\r\n\r\n<b>now</b>' });
    const [message] = await mailbox.got(1);
    expect(message!.to).toEqual([`${bob}@example.org`]);
    expect(message!.text).toContain('Pay? Bcc: everybody@example.org <b>now</b>');
    expect(message!.raw).not.toMatch(/^Bcc:/im);
  });

  it('goes to groups by name, to roles, and to each once', async () => {
    const [group, role] = [unique('risk'), unique('legal')];
    await channel({ kind: 'email', owner_kind: 'group', owner: group, address: `${group}@example.org` });
    await channel({ kind: 'email', owner_kind: 'role', owner: role, address: `${role}@example.org` });
    await submit(unique('both'), { assignees: { groups: [group], roles: [role], users: ['somebody'] } });
    await mailbox.got(2);
    expect(mailbox.mails.flatMap(({ to }) => to).toSorted()).toEqual([`${group}@example.org`, `${role}@example.org`].toSorted());
  });

  it('reminds those who have not answered, and writes to who was asked to join', async () => {
    const [carol, dave, erin] = [unique('carol'), unique('dave'), unique('erin')];
    for (const name of [carol, dave, erin]) await mail(name);
    const request = unique('reminders');
    await submit(request, { assignees: { users: [carol, dave] }, quorum: 'all' });
    await mailbox.got(2);
    await (await person(carol))('POST', '/hitl/respond', { interaction_id: request, user_input: { decision: 'approve' } });
    await harness.publish({ type: 'reminded', requestId: request, seq: 90, data: { cause: 'reminder', waiting_for: { users: [carol, dave], roles: [] }, snoozed: [] } });
    const third = (await mailbox.got(3))[2]!;
    expect(third).toMatchObject({ to: [`${dave}@example.org`], subject: 'A decision is still waiting for you' });
    const admin = await harness.caller(harness.storeOrigin);
    expect(await admin('POST', `/hitl/escalations/${request}/raise`, { to: { users: [erin] } })).toMatchObject({ status: 200 });
    expect((await mailbox.got(4))[3]).toMatchObject({ to: [`${erin}@example.org`], subject: 'You were asked to join a decision' });
    await eventually('carol was left alone', async () => (await harness.database.sql`select 1 from notifier.notices where state = 'skipped' and detail = 'answered' and request_id = ${request}`).length === 1);
  });

  it('is not sent for what is settled by then', async () => {
    const frank = unique('frank');
    const id = await mail(frank);
    mailbox.refuse = () => ({ responseCode: 451, message: 'come back later' });
    const request = unique('settled');
    await submit(request, { assignees: { users: [frank] } });
    await eventually('tried', async () => (await noticesOf(id))[0]?.['attempts'] >= 1);
    await (await person(frank))('POST', '/hitl/respond', { interaction_id: request, user_input: { decision: 'approve' } });
    mailbox.refuse = () => null;
    await eventually('skipped', async () => (await noticesOf(id))[0]?.['detail'] === 'settled');
    expect(mailbox.mails).toEqual([]);
  });

  it('that the server refuses for good is not tried again; otherwise it is', async () => {
    const [gone, later] = [unique('gone'), unique('later')];
    const ids = [await mail(gone), await mail(later)];
    let tries = 0;
    mailbox.refuse = (to) => (to.startsWith('gone') ? { responseCode: 550, message: 'no such mailbox' } : (tries += 1) === 1 ? { responseCode: 451, message: 'later' } : null);
    await submit(unique('two'), { assignees: { users: [gone, later] }, quorum: 'all' });
    const [message] = await mailbox.got(1);
    expect(message!.to).toEqual([`${later}@example.org`]);
    await eventually('recorded', async () => (await noticesOf(ids[1]!))[0]?.['state'] === 'sent');
    expect((await noticesOf(ids[0]!))[0]).toMatchObject({ state: 'failed', attempts: 1, detail: expect.stringContaining('no such mailbox') });
    expect((await noticesOf(ids[1]!))[0]).toMatchObject({ state: 'sent', attempts: 2 });
  });
});

describe('Slack', () => {
  async function hook(owner: string, more: object = {}): Promise<{ id: string; receiver: Receiver }> {
    const receiver = await Receiver.start();
    receivers.push(receiver);
    const id = await channel({ kind: 'slack', owner_kind: 'user', owner, url: `${receiver.origin}/services/T0/B0/secret-part`, ...more });
    return { id, receiver };
  }

  it('gets a text with a link, and its address stays a secret', async () => {
    const grace = unique('grace');
    const { id, receiver } = await hook(grace, { detail: 'summary' });
    const request = unique('slack');
    await submit(request, { assignees: { users: [grace] }, prompt: 'Ship <!everyone> & go?' });
    const [message] = await receiver.got(1);
    expect(message!.path).toBe('/services/T0/B0/secret-part');
    const { text } = JSON.parse(message!.body) as { text: string };
    expect(text).toContain('Ship &lt;!everyone&gt; &amp; go?');
    expect(text).toContain(`<https://umpire.example/e/~${idToken(request)}|Open>`);
    expect(JSON.stringify((await call('GET', '/webhooks/channels')).body)).not.toContain('secret-part');
    const [row] = await harness.database.sql<{ sealed_address: Buffer }[]>`select sealed_address from notifier.channels where id = ${id}`;
    expect(row!.sealed_address.includes('secret-part')).toBe(false);
  });

  it('one hook that hangs holds up nobody else', async () => {
    const [slow, quick] = [unique('slow'), unique('quick')];
    const [hanging, good] = [await hook(slow), await hook(quick)];
    hanging.receiver.behave = hang;
    const began = performance.now();
    for (let i = 0; i < 5; i += 1) await submit(unique('many'), { assignees: { users: [slow, quick] }, quorum: 'all' });
    await good.receiver.got(5);
    expect(good.receiver.received.at(-1)!.at - began).toBeLessThan(5_000);
    expect(hanging.receiver.received.length).toBeLessThanOrEqual(10);
  });

  it('is refused private addresses, and 404 ends it', async () => {
    const owner = { owner_kind: 'user', owner: 'x' };
    expect(await call('POST', '/webhooks/channels', { kind: 'slack', url: 'https://169.254.169.254/x', ...owner })).toMatchObject({ status: 422, body: { errors: [{ path: 'url' }] } });
    const heidi = unique('heidi');
    const { id, receiver } = await hook(heidi);
    receiver.behave = answer(404);
    await submit(unique('gone'), { assignees: { users: [heidi] } });
    await eventually('failed', async () => (await noticesOf(id))[0]?.['state'] === 'failed');
    expect(receiver.received).toHaveLength(1);
  });
});

describe('the API', () => {
  it('sends a test, lists, deletes, and is for administrators of the namespace', async () => {
    const ivan = unique('ivan');
    const id = await mail(ivan);
    expect((await call('POST', `/webhooks/channels/${id}/test`)).status).toBe(202);
    const [message] = await mailbox.got(1);
    expect(message!.subject).toBe('A test: messages about decisions will come here');
    const [reviewer, stranger] = [await harness.caller(notifier.origin, ['reviewer'], 'default', ivan), await harness.caller(notifier.origin, ['admin'], 'team-a')];
    for (const [method, path] of [['GET', `/webhooks/channels/${id}/notices`], ['POST', `/webhooks/channels/${id}/test`], ['DELETE', `/webhooks/channels/${id}`]] as const) {
      expect([path, (await stranger(method, path)).status, (await reviewer(method, path)).status]).toEqual([path, 404, 403]);
    }
    expect((await stranger('GET', '/webhooks/channels')).body).toEqual({ items: [], next: null });
    expect((await call('GET', '/webhooks/channels')).body.items).toMatchObject([{ id, owner: ivan, kind: 'email', detail: 'none' }]);
    for (const bad of [{ kind: 'email', owner_kind: 'user', owner: 'x', address: 'not an address' }, { kind: 'fax', owner_kind: 'user', owner: 'x' }, { kind: 'email', owner_kind: 'everybody', owner: 'x', address: 'a@b.org' }]) {
      expect((await call('POST', '/webhooks/channels', bad)).status).toBe(422);
    }
    expect((await call('DELETE', `/webhooks/channels/${id}`)).status).toBe(204);
    expect((await call('DELETE', `/webhooks/channels/${id}`)).status).toBe(404);
  });

  it('has no mail channels where there is no mail server', async () => {
    const without = await harness.notifier();
    const refused = await (await harness.caller(without.origin))('POST', '/webhooks/channels', { kind: 'email', owner_kind: 'user', owner: 'x', address: 'x@example.org' });
    expect(refused).toMatchObject({ status: 422, body: { code: 'unsupported' } });
    await without.stop();
  });
});
