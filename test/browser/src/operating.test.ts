import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../e2e/src/stack.ts';
import { browserPath, startBrowser, Window } from './browser.ts';
import { Hook } from './hook.ts';
import { loan } from './questions.ts';

const POLICY = `id: loans-to-carol
match:
  kind: escalation
interaction:
  assignees:
    users: [carol]
`;

describe.skipIf(browserPath === undefined)('operating in the console', () => {
  let stack: Stack;
  let browser: Browser;
  let admin: Window;
  const hook = new Hook();
  beforeAll(async () => {
    [stack, browser] = await Promise.all([Stack.start('all'), startBrowser()]);
    admin = await Window.open(browser, stack.origin);
    await admin.signIn(stack.connection.keys.admin);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    await hook.stop();
    expect(admin?.faults).toEqual([]);
  });

  const to = async (name: string) => {
    await admin.page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
    await admin.page.getByRole('heading', { level: 1 }).waitFor();
  };
  const outcomeOf = async (id: string) => (await stack.get(`/hitl/status/${id}`, stack.connection.keys.producer)).body.outcome;

  it('makes keys and groups, and ends a person\'s session with their key', async () => {
    const { page } = admin;
    await to('Keys and groups');
    const form = page.locator('.part', { has: page.getByRole('heading', { name: 'New key' }) });
    await form.getByLabel('Name').fill('night shift');
    await form.getByRole('button', { name: 'Create' }).click();
    await form.getByRole('alert').getByText('user_id', { exact: true }).waitFor();
    await form.getByLabel('Person', { exact: true }).fill('erin');
    await form.getByRole('button', { name: 'Create' }).click();
    const key = (await form.getByRole('status').locator('.code').textContent())!;
    expect(key).toMatch(/^umk_/);
    const erin = await Window.open(browser, stack.origin);
    await erin.signIn(key);
    await erin.page.getByText('Nothing is waiting for you').waitFor();

    await page.getByLabel('New group').fill('lenders');
    await page.locator('form', { has: page.getByLabel('New group') }).getByRole('button', { name: 'Create' }).click();
    const group = page.getByRole('row', { name: /^lenders/ });
    for (const person of ['erin', 'bob']) {
      await group.getByLabel('Add to lenders').fill(person);
      await group.getByRole('button', { name: 'Add', exact: true }).click();
      await group.getByRole('button', { name: `Take ${person} out of lenders` }).waitFor();
    }
    await group.getByRole('button', { name: 'Take bob out of lenders' }).click();
    await group.getByRole('button', { name: 'Take bob out of lenders' }).waitFor({ state: 'detached' });
    expect((await stack.get('/identity/groups/lenders', stack.connection.keys.admin)).body.members).toEqual(['erin']);
    await admin.screenshot('access-filled-light');

    const row = page.getByRole('row', { name: /^night shift/ });
    await row.getByRole('button', { name: 'Revoke…' }).click();
    await row.getByRole('button', { name: 'Keep' }).click();
    await row.getByRole('button', { name: 'Revoke…' }).click();
    await row.getByRole('button', { name: 'Revoke night shift' }).click();
    await row.waitFor({ state: 'detached' });
    await erin.page.reload();
    await erin.page.getByLabel('Key', { exact: true }).waitFor();
    await erin.close();
  });

  it('checks a policy, puts it in force, simulates it, and takes it out of force', async () => {
    const { page } = admin;
    await to('Policies');
    const editor = page.getByLabel('Policy, as YAML or JSON');
    const simulate = async (said: string | RegExp) => {
      await page.getByRole('button', { name: 'Simulate' }).click();
      await page.locator('.why').getByText(said).waitFor();
    };
    await editor.fill(POLICY.replace('users: [carol]', 'users: 7'));
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByRole('alert').getByText('assignees.users').waitFor();
    await editor.fill(POLICY);
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('Valid: it would be version 1 of loans-to-carol').waitFor();
    await simulate('No policy takes it');
    await page.getByRole('button', { name: 'Put in force' }).click();
    await page.getByText('loans-to-carol, version 1, is in force').waitFor();
    await simulate('loans-to-carol, version 1, takes it');
    await admin.screenshot('policies-filled-light');
    const row = page.getByRole('row', { name: /loans-to-carol/ });
    await row.getByRole('button', { name: 'Disable' }).click();
    await row.getByRole('button', { name: 'Enable' }).waitFor();
    await simulate('No policy takes it');
    await row.getByRole('button', { name: 'Edit' }).click();
    await expect.poll(() => editor.inputValue()).toContain('"id": "loans-to-carol"');
    await row.getByRole('button', { name: 'Enable' }).click();
    await row.getByRole('button', { name: 'Disable' }).waitFor();
    await simulate(/loans-to-carol, version \d, takes it/);
  });

  it('sees every webhook and what became of it, and sends again what failed', async () => {
    const { page } = admin;
    const url = await hook.start();
    await to('Webhooks');
    await page.getByLabel('URL').fill('ftp://example.org');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('alert').getByText('url').first().waitFor();
    await page.getByLabel('URL').fill(url);
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('The signing secret, shown this once').waitFor();
    await page.getByText(/^whsec_/).waitFor();
    await page.getByRole('button', { name: 'Put away' }).click();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await expect.poll(() => hook.got.map(({ event }) => event)).toEqual(['test']);

    hook.status = 507;
    expect((await stack.post('/api/escalations', stack.connection.keys.producer, loan('hooked-1', { pattern: 'review' }))).status).toBe(202);
    await page.getByRole('button', { name: 'Deliveries' }).click();
    const failed = page.locator('details.delivery', { hasText: 'hooked-1' });
    await failed.locator('summary').click();
    await failed.getByRole('row', { name: /507/ }).first().waitFor();
    await failed.getByText('no room').first().waitFor();
    await admin.screenshot('webhooks-filled-light');
    hook.status = 204;
    await failed.getByRole('button', { name: 'Send again now' }).click();
    await failed.locator('.tag', { hasText: 'delivered' }).waitFor();
    await page.getByLabel('Show').selectOption('failed');
    await page.getByText('No deliveries.').waitFor();

    // What happens while it is out of force is missing there until it is recovered.
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('button', { name: 'Enable' }).waitFor();
    expect((await stack.respond('hooked-1', { decision: 'approve' }, stack.connection.keys.reviewers.carol)).status).toBe(200);
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.getByRole('button', { name: 'Disable' }).waitFor();
    await page.getByLabel('Recover since').selectOption({ label: 'the last hour' });
    await expect.poll(async () => {
      await page.getByRole('button', { name: 'Recover' }).click();
      await page.getByText(/missing ones were added/).waitFor();
      return hook.got.some(({ event, request_id: id }) => event === 'hitl_escalation_resolved' && id === 'hooked-1');
    }, { timeout: 30_000 }).toBe(true);
    await page.getByRole('button', { name: 'Change secret' }).click();
    await page.getByText('A new secret; the old one signs along for a while').waitFor();

    // The record of the escalation names what was sent of it, where, and under which policy it was decided.
    await page.goto('/e/hooked-1');
    const record = page.locator('.part', { has: page.getByRole('heading', { name: 'Deliveries' }) });
    await record.getByText('hitl_escalation_required').waitFor();
    await record.getByText('hitl_escalation_resolved').waitFor();
    expect(await record.getByText(url).count()).toBeGreaterThanOrEqual(2);
    await page.getByText(/loans-to-carol, version \d/).waitFor();
    await page.locator('.entry', { hasText: 'Resolved' }).waitFor();
    await page.locator('.entry', { hasText: 'by carol' }).first().waitFor();
    await admin.screenshot('record-light');

    await to('Webhooks');
    await page.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('button', { name: 'Remove for good' }).click();
    await page.getByText('No endpoint is told of anything yet').waitFor();
  });

  it('shows what was rejected, as it came, and sends it again', async () => {
    const { js } = await stack.producer();
    await js.publish('hitl.default.review.custom_rule', '{"type":"hitl_escalation","payload":{"request_id":"broken-1","alignment_score":"high"},"routing_key":"review.custom_rule"}');
    const { page } = admin;
    await to('Rejected');
    const letters = page.locator('details.delivery', { hasText: 'hitl.default.' });
    await expect.poll(async () => {
      await page.reload();
      await page.locator('[data-ready="true"]').waitFor();
      return letters.count();
    }, { timeout: 30_000 }).toBe(1);
    await letters.locator('summary').click();
    await letters.getByText('"request_id":"broken-1"').waitFor();
    await letters.getByText('alignment_score').first().waitFor();
    await admin.screenshot('rejected-filled-light');
    await letters.getByRole('button', { name: 'Send again' }).click();
    // It is as wrong as before.
    await letters.getByRole('alert').getByText('alignment_score').first().waitFor();

    // What was wrong with this one can be mended.
    const early = loan('early-1', { assignees: { groups: ['later'] } });
    await js.publish('hitl.default.review.hard_disagreement', JSON.stringify(early));
    const second = page.locator('details.delivery', { hasText: 'later' });
    await expect.poll(async () => {
      await page.reload();
      await page.locator('[data-ready="true"]').waitFor();
      return second.count();
    }, { timeout: 30_000 }).toBe(1);
    expect((await stack.post('/identity/groups', stack.connection.keys.admin, { name: 'later', members: ['alice'] })).status).toBe(201);
    await second.locator('summary').click();
    await second.getByRole('button', { name: 'Send again' }).click();
    await second.getByText('Sent again.').waitFor();
    await expect.poll(async () => (await stack.get('/hitl/escalations/early-1', stack.connection.keys.admin)).body.electorate?.users).toEqual(['alice']);
  });

  it('submits samples as a producer would', async () => {
    const { page } = admin;
    await to('Try it');
    const message = page.getByLabel('Message');
    for (const label of await page.getByLabel('Sample').locator('option').allTextContents()) {
      await page.getByLabel('Sample').selectOption({ label });
      const before = await message.inputValue();
      await page.getByRole('button', { name: 'New id' }).click();
      await expect.poll(() => message.inputValue()).not.toBe(before);
      await page.getByRole('button', { name: 'Submit' }).click();
      await page.getByText('It is stored').waitFor();
    }
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('It is stored, as it was before').waitFor();
    await message.fill('{"type":"hitl_escalation","payload":{}}');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('alert').getByText('agent_decisions').waitFor();
    await page.getByRole('button', { name: 'New id' }).click();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('link', { name: /^Look at try-/ }).click();
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
  });

  it('shows volumes, times, outcomes, load and agreement as they are', async () => {
    const { page } = admin;
    const carol = stack.connection.keys.reviewers.carol;
    const agreed = loan('agreed-1', { assignees: { users: ['carol'] }, pattern: 'review' });
    agreed.payload.agent_decisions.forEach((agent) => (agent.decision_value = 'approve'));
    for (const message of [agreed, loan('waiting-1', { assignees: { users: ['carol'] } }), loan('raised-1', { assignees: { users: ['carol'] } }), loan('called-off-1')]) await stack.post('/api/escalations', stack.connection.keys.producer, message);
    expect((await stack.respond('agreed-1', { decision: 'approve' }, carol)).status).toBe(200);
    expect((await stack.post('/hitl/escalations/called-off-1/cancel', stack.connection.keys.admin, {})).status).toBe(200);
    expect((await stack.post('/hitl/escalations/raised-1/raise', stack.connection.keys.admin, { to: { users: ['bob'] } })).status).toBe(200);
    expect(await outcomeOf('agreed-1')).toMatchObject({ verdict: 'approve' });
    await to('Statistics');
    const panel = (name: string) => page.locator('.part', { has: page.getByRole('heading', { name }) });
    await panel('Outcomes by source').getByRole('listitem').filter({ hasText: /^Cancelled1$/ }).waitFor({ timeout: 30_000 });
    await panel('Outcomes by source').getByRole('listitem').filter({ hasText: /^People2$/ }).waitFor({ timeout: 30_000 });
    await panel('Agents against people').getByRole('listitem').filter({ hasText: /^Same1$/ }).waitFor();
    await panel('Pending above the first level').getByText('Level 1').waitFor();
    await panel('Load by reviewer').getByRole('row', { name: /^carol/ }).waitFor();
    await panel('Time to a decision').getByRole('row', { name: /Hard disagreement/ }).getByText('≤').first().waitFor();
    await panel('Opened and ended by hour').getByRole('img', { name: /opened/ }).waitFor();
    await page.locator('.card', { hasText: 'oldest pending' }).getByText(/\d+ (s|min)/).waitFor();
    await page.getByLabel('Window').selectOption({ label: 'Last 7 days' });
    await panel('Outcomes by source').getByRole('listitem').filter({ hasText: /^People2$/ }).waitFor();
    await admin.screenshot('stats-filled-light');
  });
});
