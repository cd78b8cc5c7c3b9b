import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@umpire/testing';
import { Harness, type App, type Call } from '../../test/harness.ts';
import { answer, drip, Receiver, reset, type Received } from '../../test/receiver.ts';

let harness: Harness;
let notifier: App;
let call: Call;
const receivers: Receiver[] = [];
const made: string[] = [];

beforeAll(async () => {
  harness = await Harness.start();
  notifier = await harness.notifier({ UMPIRE_WEBHOOK_TIMEOUT_MS: '700' });
  call = await harness.caller(notifier.origin);
});
afterAll(() => harness.stop());
afterEach(async () => {
  await Promise.all(made.splice(0).map((id) => call('DELETE', `/webhooks/endpoints/${id}`)));
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
});

async function receiver(): Promise<Receiver> {
  const started = await Receiver.start();
  receivers.push(started);
  return started;
}

async function endpoint(url: string, more: Record<string, unknown> = {}, by: Call = call) {
  const { status, body } = await by('POST', '/webhooks/endpoints', { url, ...more });
  expect({ status, body }).toMatchObject({ status: 201 });
  made.push(body.id as string);
  return body as { id: string; secret: string };
}

const deliveriesOf = async (id: string) => (await call('GET', `/webhooks/endpoints/${id}/deliveries?limit=200`)).body.items as Record<string, any>[];
const attemptsOf = async (id: string) => (await call('GET', `/webhooks/deliveries/${id}/attempts`)).body.items as Record<string, any>[];

/** Both published verifiers must accept it. */
function expectSigned(secret: string, request: Received): void {
  expect(new Webhook(secret).verify(request.body, request.headers)).toEqual(JSON.parse(request.body));
  expect(() => new SvixWebhook(secret).verify(request.body, request.headers)).not.toThrow();
  expect(request.headers['x-event-type']).toBe('hitl_escalation');
  expect(request.headers['content-type']).toBe('application/json');
}

describe('delivery', () => {
  it('carries a real escalation from the store to a signed webhook, and its outcome after the decision', async () => {
    const target = await receiver();
    const { id, secret } = await endpoint(`${target.origin}/hook?x=1`);
    const payload = '{ "request_id": "hitl-loan/2024/17-Ü 7", "alignment_score" : 30.0, "summary":"s", "n":9007199254740993, "extra":"\\u0000" }';
    await harness.submit('hitl-loan/2024/17-Ü 7', { payload, interaction: { assignees: { users: ['alice'] } } });
    const [required] = await target.got(1);
    expect(required!.body).toContain(`"escalation":${payload},"timestamp":`);
    expect(required!.path).toBe('/hook?x=1');
    expect(JSON.parse(required!.body)).toMatchObject({ event: 'hitl_escalation_required', seq: 1, namespace: 'default', request_id: 'hitl-loan/2024/17-Ü 7', interaction: { quorum: 'any' }, id: required!.id });

    const alice = await harness.caller(harness.storeOrigin, ['reviewer'], 'default', 'alice');
    expect((await alice('POST', '/hitl/respond', { interaction_id: 'hitl-loan/2024/17-Ü 7', user_input: { decision: 'approve' } })).status).toBe(200);
    const resolved = (await target.got(2))[1]!;
    expect(resolved.body).toContain(`"escalation":${payload},"timestamp":`);
    expect(JSON.parse(resolved.body)).toMatchObject({ event: 'hitl_escalation_resolved', outcome: { state: 'completed', verdict: 'approve', source: 'human', id: resolved.id } });
    for (const request of target.received) expectSigned(secret, request);
    await eventually('both delivered', async () => (await deliveriesOf(id)).every((delivery) => delivery['state'] === 'delivered'));
    const [last] = await deliveriesOf(id);
    expect(last).toMatchObject({ event: 'hitl_escalation_resolved', attempts: 1, last_status: 200, last_error: null, event_id: resolved.id });
    expect(await attemptsOf(last!['id'])).toMatchObject([{ number: 1, status: 200, error: null, response: 'ok' }]);
    // The record of the escalation, by its id as it is; nothing of another namespace.
    const ofRequest = `/webhooks/deliveries?request_id=${encodeURIComponent('hitl-loan/2024/17-Ü 7')}`;
    const found = (await call('GET', ofRequest)).body;
    expect(found.next).toBeNull();
    expect(found.items.map((item: { event: string; endpoint_id: string }) => [item.event, item.endpoint_id]).sort()).toEqual([['hitl_escalation_required', id], ['hitl_escalation_resolved', id]]);
    const first = (await call('GET', `${ofRequest}&limit=1`)).body;
    const second = (await call('GET', `${ofRequest}&limit=1&cursor=${first.next}`)).body;
    expect([...first.items, ...second.items].map((item) => item.id)).toEqual(found.items.map((item: { id: string }) => item.id));
    const other = await harness.caller(notifier.origin, ['admin'], 'other');
    expect((await other('GET', ofRequest)).body.items).toEqual([]);
    const reviewer = await harness.caller(notifier.origin, ['reviewer'], 'default', 'alice');
    expect((await reviewer('GET', ofRequest)).status).toBe(403);
    expect((await call('GET', '/webhooks/deliveries')).status).toBe(422);
  });

  it('asks the store for content that this process has not seen, in the bytes that the producer sent', async () => {
    const payload = '{"pipeline_name":"loans","step_name":"check" ,"data":{"x":1.0,"big":12345678901234567890}}';
    await harness.submit('older-1', { payload, kind: 'interaction' });
    const target = await receiver();
    const fresh = await harness.notifier();
    await notifier.stop();
    try {
      await endpoint(target.origin, {}, await harness.caller(fresh.origin));
      await harness.publish({ type: 'raised', requestId: 'older-1', seq: 2 });
      await harness.publish({ type: 'reminded', requestId: 'never-known', seq: 2 });
      await target.got(2);
      const raised = target.received.find((request) => request.event === 'hitl_escalation_raised')!;
      expect(raised.body).toContain(`"escalation":${payload},"timestamp":`);
      expect(JSON.parse(raised.body)).toMatchObject({ interaction: { verdict_field: 'decision' } });
      expect(JSON.parse(target.received.find((request) => request.event === 'hitl_escalation_reminder')!.body)).toMatchObject({ escalation: null });
    } finally {
      notifier = await harness.notifier({ UMPIRE_WEBHOOK_TIMEOUT_MS: '700' });
      call = await harness.caller(notifier.origin);
      await fresh.stop();
    }
  });

  it('sends what an endpoint filters for, as full or thin, with its own headers', async () => {
    const [all, settled, thin, other] = await Promise.all([receiver(), receiver(), receiver(), receiver()]);
    await endpoint(all.origin, { headers: { Authorization: 'Bearer receiver-token', 'X-Team': 'a' } });
    await endpoint(settled.origin, { events: ['hitl_escalation_resolved', 'hitl_escalation_expired'] });
    await endpoint(thin.origin, { payload: 'thin' });
    await endpoint(other.origin, { reasons: ['low_confidence'] });
    const opened = await harness.publish({ requestId: 'filters', data: { rules: { pattern: 'review' } } });
    const claimed = await harness.publish({ type: 'claimed', requestId: 'filters', seq: 2 });
    const resolved = await harness.publish({ type: 'resolved', requestId: 'filters', seq: 3, data: { outcome: { verdict: 'approve' } } });
    await Promise.all([all.got(2), settled.got(1), thin.got(2)]);
    expect(new Set(all.ids)).toEqual(new Set([opened, resolved]));
    expect(settled.ids).toEqual([resolved]);
    expect(other.received).toEqual([]);
    expect(all.received[0]!.headers).toMatchObject({ authorization: 'Bearer receiver-token', 'x-team': 'a' });
    for (const request of thin.received) expect(Object.keys(JSON.parse(request.body) as object)).toEqual(['event', 'timestamp', 'seq', 'id', 'schema_version', 'namespace', 'request_id', 'reason']);
    const [known] = await harness.database.sql`select event_id from notifier.messages where event_id = ${claimed}`;
    expect(known).toBeUndefined();
  });

  it('reads the content of an event only where somebody may be told of it', async () => {
    const target = await receiver();
    await endpoint(target.origin);
    const broken = '{"text":"\\u00"}';
    const unheard = await harness.publish({ namespace: 'team-a', requestId: 'nobody-listens', escalation: broken });
    const unreadable = await harness.publish({ requestId: 'somebody-listens', escalation: broken });
    const told = await harness.publish({ requestId: 'told', escalation: '{"request_id":"told","n":1.00}' });
    await target.got(1);
    expect(target.ids).toEqual([told]);
    expect(target.received[0]!.body).toContain('"escalation":{"request_id":"told","n":1.00},');
    const kept = await harness.database.sql<{ event_id: string }[]>`select event_id from notifier.messages where event_id = any(${[unheard, unreadable, told]})`;
    expect(new Set(kept.map((row) => row.event_id))).toEqual(new Set([unheard, told]));
  });

  it('delivers one event id once, however often the event comes', async () => {
    const target = await receiver();
    await endpoint(target.origin);
    const id = await harness.publish({ requestId: 'twice' });
    await target.got(1);
    await harness.publish({ requestId: 'twice', id });
    const last = await harness.publish({ requestId: 'after' });
    await eventually('the last one', () => target.ids.includes(last));
    expect(target.ids.filter((each) => each === id)).toHaveLength(1);
  });
});

describe('failure', () => {
  it('tries again under the same id until it is taken, and logs every attempt', async () => {
    const target = await receiver();
    const { id, secret } = await endpoint(target.origin);
    target.behave = (request, response, socket) => [answer(500), reset, answer(200)][target.received.length - 1]!(request, response, socket);
    const event = await harness.publish();
    await target.got(3);
    expect(target.ids).toEqual([event, event, event]);
    for (const request of target.received) expectSigned(secret, request);
    const delivery = await eventually('delivered', async () => (await deliveriesOf(id)).find((each) => each['state'] === 'delivered'));
    expect(await attemptsOf(delivery['id'])).toMatchObject([
      { number: 1, status: 500, error: 'status', response: 'no' },
      { number: 2, status: null, error: 'reset' },
      { number: 3, status: 200, error: null },
    ]);
  });

  it('ends visibly failed when its schedule is used up; a retry by hand begins anew', async () => {
    const target = await receiver();
    target.behave = answer(404);
    const { id } = await endpoint(target.origin, { retry_schedule_seconds: [0.02, 0.02] });
    await harness.publish();
    const failed = await eventually('failed', async () => (await deliveriesOf(id)).find((each) => each['state'] === 'failed'));
    expect(failed).toMatchObject({ attempts: 3, failure: 'exhausted', last_status: 404, next_attempt_at: null });
    target.behave = (request, response, socket) => answer(target.received.length === 4 ? 404 : 200)(request, response, socket);
    expect((await call('POST', `/webhooks/deliveries/${failed['id']}/retry`)).status).toBe(202);
    await eventually('delivered', async () => (await deliveriesOf(id))[0]!['state'] === 'delivered');
    expect(await attemptsOf(failed['id'])).toHaveLength(5);
    expect(new Set(target.ids).size).toBe(1);
  });

  it('takes a redirect for a failure and does not follow it', async () => {
    const [target, elsewhere] = await Promise.all([receiver(), receiver()]);
    target.behave = answer(302, { location: elsewhere.origin });
    const { id } = await endpoint(target.origin, { retry_schedule_seconds: [0.02] });
    await harness.publish();
    const failed = await eventually('failed', async () => (await deliveriesOf(id)).find((each) => each['state'] === 'failed'));
    expect(failed).toMatchObject({ last_status: 302, last_error: 'redirect' });
    expect(elsewhere.received).toEqual([]);
  });

  it('honours Retry-After', async () => {
    const target = await receiver();
    target.behave = (request, response, socket) => (target.received.length === 1 ? answer(429, { 'retry-after': '1' }) : answer(200))(request, response, socket);
    await endpoint(target.origin);
    await harness.publish();
    await target.got(2);
    expect(target.received[1]!.at - target.received[0]!.at).toBeGreaterThanOrEqual(1_000);
  });

  it('keeps 16 kB of an answer and takes no more', async () => {
    const target = await receiver();
    target.behave = (_, response) => {
      response.writeHead(200);
      const push = () => {
        while (response.write('y'.repeat(64_000))) if (response.destroyed) return;
        response.once('drain', push);
      };
      push();
    };
    const { id } = await endpoint(target.origin);
    await harness.publish();
    const delivery = await eventually('delivered', async () => (await deliveriesOf(id)).find((each) => each['state'] === 'delivered'));
    expect((await attemptsOf(delivery['id']))[0]!['response']).toHaveLength(16 * 1024);
  });

  it('gives up an answer that drips after the whole time allowed', async () => {
    const target = await receiver();
    target.behave = drip;
    const { id } = await endpoint(target.origin, { retry_schedule_seconds: [60] });
    await harness.publish();
    const delivery = await eventually('tried', async () => (await deliveriesOf(id)).find((each) => each['attempts'] === 1));
    const [attempt] = await attemptsOf(delivery['id']);
    expect(attempt).toMatchObject({ error: 'timeout', status: null });
    expect(attempt!['latency_ms']).toBeGreaterThanOrEqual(690);
  });

  it('410 disables the endpoint, tells the others, and recover brings back what it missed', async () => {
    const [target, watcher] = await Promise.all([receiver(), receiver()]);
    target.behave = answer(410);
    const gone = await endpoint(target.origin);
    const watching = await endpoint(watcher.origin, { events: ['endpoint_disabled'] });
    const since = new Date().toISOString();
    const first = await harness.publish();
    const [notice] = await watcher.got(1);
    expectSigned(watching.secret, notice!);
    expect(JSON.parse(notice!.body)).toMatchObject({ event: 'endpoint_disabled', escalation: null, endpoint: { id: gone.id, reason: 'gone' } });
    expect((await call('GET', `/webhooks/endpoints/${gone.id}`)).body).toMatchObject({ state: 'disabled', disabled_reason: 'gone' });
    const second = await harness.publish();
    await eventually('stored for nobody', async () => (await harness.database.sql`select 1 from notifier.messages where event_id = ${second}`).length === 1);
    expect((await deliveriesOf(gone.id)).map((delivery) => [delivery['event_id'], delivery['failure']])).toEqual([[first, 'gone']]);

    expect((await call('POST', `/webhooks/endpoints/${gone.id}/recover?since=${since}`)).status).toBe(409);
    target.behave = answer(200);
    expect((await call('POST', `/webhooks/endpoints/${gone.id}/enable`)).body).toMatchObject({ state: 'enabled', disabled_reason: null });
    expect((await call('POST', `/webhooks/endpoints/${gone.id}/recover?since=${since}`)).body).toEqual({ retried: 1, added: 1, complete: true });
    await target.got(3);
    expect(new Set(target.ids.slice(1))).toEqual(new Set([first, second]));
    expect((await call('POST', `/webhooks/endpoints/${gone.id}/recover?since=${since}`)).body).toEqual({ retried: 0, added: 0, complete: true });
  });

  it('what waits for an endpoint that is disabled by hand ends visibly', async () => {
    const target = await receiver();
    target.behave = answer(500);
    const { id } = await endpoint(target.origin, { retry_schedule_seconds: [600] });
    await harness.publish();
    await eventually('tried', async () => (await deliveriesOf(id)).find((each) => each['attempts'] === 1));
    expect((await call('POST', `/webhooks/endpoints/${id}/disable`)).body).toMatchObject({ state: 'disabled', disabled_reason: 'manual' });
    const failed = await eventually('failed', async () => (await deliveriesOf(id)).find((each) => each['state'] === 'failed'));
    expect(failed).toMatchObject({ failure: 'endpoint_disabled', attempts: 1 });
    expect((await call('POST', `/webhooks/deliveries/${failed['id']}/retry`)).status).toBe(409);
    expect((await call('POST', `/webhooks/endpoints/${id}/test`)).status).toBe(409);
  });

  it('disables an endpoint that has only failed for five days', async () => {
    const target = await receiver();
    target.behave = answer(500);
    const { id } = await endpoint(target.origin, { retry_schedule_seconds: [0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 600] });
    await harness.publish();
    await eventually('seven failures', async () => (await deliveriesOf(id)).find((each) => each['attempts'] === 7));
    expect((await call('GET', `/webhooks/endpoints/${id}`)).body).toMatchObject({ state: 'enabled', failing_since: expect.any(String) });
    await harness.database.sql`update notifier.endpoints set failing_since = failing_since - interval '121 hours' where id = ${id}`;
    const [delivery] = await deliveriesOf(id);
    await call('POST', `/webhooks/deliveries/${delivery!['id']}/retry`);
    await eventually('disabled', async () => (await call('GET', `/webhooks/endpoints/${id}`)).body.disabled_reason === 'failing');
  });

  it('one success makes a failing endpoint healthy', async () => {
    const target = await receiver();
    target.behave = (request, response, socket) => answer(target.received.length < 3 ? 500 : 200)(request, response, socket);
    const { id } = await endpoint(target.origin);
    await harness.publish();
    await target.got(3);
    await eventually('healthy', async () => {
      const [row] = await harness.database.sql`select failing_since, failed_attempts from notifier.endpoints where id = ${id}`;
      return row!['failing_since'] === null && row!['failed_attempts'] === 0;
    });
  });
});

describe('secrets', () => {
  it('are shown once, kept sealed, and after a rotation both sign, also for retries under way', async () => {
    const target = await receiver();
    target.behave = answer(500);
    const first = await endpoint(target.origin, { retry_schedule_seconds: [0.3, 0.3] });
    expect(first.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    await harness.publish();
    await target.got(1);
    const rotated = (await call('POST', `/webhooks/endpoints/${first.id}/rotate`)).body;
    expect(rotated.secret).not.toBe(first.secret);
    target.behave = answer(200);
    const [, again] = await target.got(2);
    expect(again!.headers['webhook-signature']!.split(' ')).toHaveLength(2);
    for (const secret of [first.secret, rotated.secret as string]) expectSigned(secret, again!);

    await harness.database.sql`update notifier.endpoints set version = version + 1,
      previous_secrets = jsonb_build_array(jsonb_set(previous_secrets->0, '{until}', to_jsonb(clock_timestamp() - interval '1 second'))) where id = ${first.id}`;
    await harness.publish();
    const [, , last] = await target.got(3);
    expect(last!.headers['webhook-signature']!.split(' ')).toHaveLength(1);
    expectSigned(rotated.secret as string, last!);

    const shown = JSON.stringify((await call('GET', `/webhooks/endpoints/${first.id}`)).body);
    expect(shown).not.toContain('whsec_');
    const raw = Buffer.from((rotated.secret as string).slice(6), 'base64');
    const [row] = await harness.database.sql<{ secret: Buffer }[]>`select secret from notifier.endpoints where id = ${first.id}`;
    expect(row!.secret.includes(raw)).toBe(false);
  });

  it('may be brought along', async () => {
    const target = await receiver();
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const { id } = await endpoint(target.origin, { secret });
    expect((await call('POST', `/webhooks/endpoints/${id}/test`)).status).toBe(202);
    const [request] = await target.got(1);
    expectSigned(secret, request!);
    expect(JSON.parse(request!.body)).toMatchObject({ event: 'test', escalation: { request_id: 'hitl-webhook-test' }, namespace: 'default' });
  });
});

describe('bounds', () => {
  it('keeps to an endpoint\'s concurrency and rate', async () => {
    const [narrow, slow] = await Promise.all([receiver(), receiver()]);
    let open = 0;
    let most = 0;
    narrow.behave = (_, response) => {
      most = Math.max(most, (open += 1));
      setTimeout(() => {
        open -= 1;
        response.end();
      }, 10);
    };
    await endpoint(narrow.origin, { max_concurrency: 2 });
    await endpoint(slow.origin, { rate_per_second: 20 });
    for (let i = 0; i < 30; i += 1) await harness.publish();
    await Promise.all([narrow.got(30), slow.got(30)]);
    expect(most).toBe(2);
    // Bursts of two at 20 a second: thirty take 1.4 s, less what the first was late.
    expect(slow.received.at(-1)!.at - slow.received[0]!.at).toBeGreaterThanOrEqual(1_300);
  });
});

describe('callbacks', () => {
  it('an escalation\'s own address hears of its end, if its host is allowed, signed with the namespace\'s secret', async () => {
    const target = await receiver();
    const before = (await call('GET', '/webhooks/callbacks')).body;
    expect(before).toMatchObject({ allowed_hosts: [] });
    const settings = (await call('PUT', '/webhooks/callbacks', { allowed_hosts: ['127.0.0.1'] })).body;
    expect((await call('PUT', '/webhooks/callbacks', { allowed_hosts: ['127.0.0.1'] })).body.secret).toBeUndefined();
    const interaction = (url: string): { interaction: object } => ({ interaction: { resume: { callback_url: url }, assignees: { users: ['alice'] } } });
    await harness.submit('cb-1', interaction(`${target.origin}/done/1`));
    await harness.submit('cb-2', interaction('http://localhost:1/not-allowed'));
    const alice = await harness.caller(harness.storeOrigin, ['reviewer'], 'default', 'alice');
    for (const id of ['cb-2', 'cb-1']) await alice('POST', '/hitl/respond', { interaction_id: id, user_input: { decision: 'reject' } });
    const [request] = await target.got(1);
    expect(request!.path).toBe('/done/1');
    expect(JSON.parse(request!.body)).toMatchObject({ event: 'hitl_escalation_resolved', request_id: 'cb-1', outcome: { verdict: 'reject' } });
    expectSigned(settings.secret as string, request!);
    const origins = (await call('GET', '/webhooks/callbacks/origins')).body.items;
    expect(origins.map((origin: { url: string }) => origin.url)).toEqual([target.origin]);
    await eventually('delivered', async () => (await deliveriesOf(origins[0].id))[0]?.['state'] === 'delivered');

    const rotated = (await call('POST', '/webhooks/callbacks/rotate')).body;
    await harness.submit('cb-3', interaction(`${target.origin}/done/3`));
    await alice('POST', '/hitl/respond', { interaction_id: 'cb-3', user_input: { decision: 'reject' } });
    const [, second] = await target.got(2);
    for (const secret of [settings.secret, rotated.secret] as string[]) expectSigned(secret, second!);
  });
});

describe('the API', () => {
  it('is for administrators, each in their own namespace', async () => {
    const target = await receiver();
    const { id } = await endpoint(target.origin);
    await harness.publish();
    const delivery = await eventually('delivered', async () => (await deliveriesOf(id)).find((each) => each['state'] === 'delivered'));
    const reviewer = await harness.caller(notifier.origin, ['reviewer'], 'default', 'alice');
    const stranger = await harness.caller(notifier.origin, ['admin'], 'team-a');
    const routes: [string, string][] = [
      ['GET', `/webhooks/endpoints/${id}`], ['DELETE', `/webhooks/endpoints/${id}`], ['POST', `/webhooks/endpoints/${id}/enable`], ['POST', `/webhooks/endpoints/${id}/disable`],
      ['POST', `/webhooks/endpoints/${id}/rotate`], ['POST', `/webhooks/endpoints/${id}/test`], ['POST', `/webhooks/endpoints/${id}/recover?since=2026-01-01T00:00:00Z`],
      ['GET', `/webhooks/endpoints/${id}/deliveries`], ['GET', `/webhooks/deliveries/${delivery['id']}/attempts`], ['POST', `/webhooks/deliveries/${delivery['id']}/retry`],
    ];
    for (const [method, path] of routes) {
      const statuses = [await stranger(method, path), await reviewer(method, path), await fetch(`${notifier.origin}${path}`, { method })].map(({ status }) => status);
      expect([path, ...statuses]).toEqual([path, 404, 403, 401]);
    }
    expect((await stranger('PATCH', `/webhooks/endpoints/${id}`, { payload: 'thin' })).status).toBe(404);
    expect((await stranger('GET', '/webhooks/endpoints')).body.items).toEqual([]);
    expect((await call('GET', '/webhooks/endpoints/not-an-id')).status).toBe(404);
    expect((await call('GET', `/webhooks/endpoints/${id}`)).body).toMatchObject({ id, state: 'enabled' });
    expect(target.received).toHaveLength(1);
  });

  it('refuses what cannot work, naming the field', async () => {
    const bad: [Record<string, unknown>, string][] = [
      [{ url: 'ftp://x.example' }, 'url'], [{ url: 'nonsense' }, 'url'], [{ url: 'http://user:pass@127.0.0.1/' }, 'url'], [{ url: 'http://10.0.0.1/' }, 'url'], [{ url: 'https://169.254.169.254/latest' }, 'url'],
      [{ url: 'http://[::ffff:10.0.0.1]/' }, 'url'], [{ url: 'http://8.8.8.8/' }, 'url'], [{ url: 'https://127.0.0.1/', events: ['hitl_escalation_claimed'] }, 'events[0]'],
      [{ url: 'https://127.0.0.1/', headers: { Host: 'x' } }, 'headers.Host'], [{ url: 'https://127.0.0.1/', headers: { 'X-A': 'a\r\nb' } }, 'headers.X-A'], [{ url: 'https://127.0.0.1/', secret: 'whsec_abc' }, 'secret'],
      [{ url: 'https://127.0.0.1/', max_concurrency: 0 }, 'max_concurrency'], [{ url: 'https://127.0.0.1/', retry_schedule_seconds: [] }, 'retry_schedule_seconds'], [{}, 'url'],
    ];
    for (const [given, path] of bad) {
      const { status, body } = await call('POST', '/webhooks/endpoints', given);
      expect([given, status, body.errors?.[0]?.path]).toEqual([given, 422, path]);
    }
    expect((await call('POST', '/webhooks/endpoints', { url: 'https://127.0.0.1/', sneaky: 1 })).status).toBe(422);
  });

  it('changes what is given and lists by pages', async () => {
    const target = await receiver();
    const ids = [];
    for (let i = 0; i < 5; i += 1) ids.push((await endpoint(`${target.origin}/${i}`, { headers: { 'X-Secret': 'v' }, retry_schedule_seconds: [1, 2], rate_per_second: 5 })).id);
    const changed = (await call('PATCH', `/webhooks/endpoints/${ids[0]}`, { payload: 'thin', rate_per_second: null, headers: { 'X-Other': 'w' }, description: 'first' })).body;
    expect(changed).toMatchObject({ id: ids[0], payload: 'thin', rate_per_second: null, header_names: ['x-other'], description: 'first', retry_schedule_seconds: [1, 2], url: `${target.origin}/0` });
    expect(JSON.stringify(changed)).not.toContain('"w"');
    expect((await call('PATCH', `/webhooks/endpoints/${ids[0]}`, {})).status).toBe(422);
    const seen: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const page = (await call('GET', `/webhooks/endpoints?limit=2${cursor ? `&cursor=${cursor}` : ''}`)).body as { items: { id: string }[]; next: string | null };
      seen.push(...page.items.map((item) => item.id));
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(seen).toEqual(ids);
    await call('DELETE', `/webhooks/endpoints/${ids[0]}`);
    expect((await call('GET', `/webhooks/endpoints/${ids[0]}`)).status).toBe(404);
  });
});
