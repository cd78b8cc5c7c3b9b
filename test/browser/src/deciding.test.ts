import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../e2e/src/stack.ts';
import { browserPath, startBrowser, Window } from './browser.ts';
import { buildSeedScript, SEED_ORIGIN, seedPath } from './seed-page.ts';
import { loan, step } from './questions.ts';

const PEOPLE = { assignees: { users: ['alice', 'bob'] } };

describe.skipIf(browserPath === undefined)('deciding in the console', () => {
  let stack: Stack;
  let browser: Browser;
  const windows: Window[] = [];
  beforeAll(async () => {
    [stack, browser] = await Promise.all([Stack.start('all'), startBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    expect(windows.flatMap((window) => window.faults)).toEqual([]);
  });

  const ask = async (message: object) => expect((await stack.post('/api/escalations', stack.connection.keys.producer, message)).body).toMatchObject({ status: 'stored' });
  const open = async (who: 'alice' | 'bob' | 'carol', path = '/', prepare?: (page: Page) => Promise<void>) => {
    const window = await Window.open(browser, stack.origin);
    windows.push(window);
    await prepare?.(window.page);
    await window.signIn(stack.connection.keys.reviewers[who], path);
    return window;
  };
  const row = (page: Page, id: string) => page.locator(`[data-id="${id}"]`);
  const outcomeOf = async (id: string) => (await stack.get(`/hitl/status/${id}`, stack.connection.keys.producer)).body.outcome;

  it('shows two reviewers each other\'s decisions, with who and what', async () => {
    const alice = await open('alice');
    const bob = await open('bob');
    await expect.poll(() => alice.page.getByRole('status').first().textContent()).toBe('live');
    await ask(loan('seen-1', PEOPLE));
    await row(alice.page, 'seen-1').waitFor();
    await row(bob.page, 'seen-1').getByRole('link').click();
    await row(alice.page, 'seen-1').getByRole('link').click();
    await alice.page.getByRole('button', { name: 'Claim' }).click();
    await bob.page.getByText('alice is working on this').waitFor();
    await alice.page.getByRole('radio', { name: 'Reject' }).check();
    await alice.page.getByRole('button', { name: 'Submit' }).click();
    await row(alice.page, 'seen-1').waitFor({ state: 'detached' });
    await row(bob.page, 'seen-1').waitFor({ state: 'detached' });
    await bob.page.getByRole('list', { name: 'Left the inbox' }).getByText('alice decided “Reject”').waitFor();
    await bob.page.locator('.settled').getByText('alice decided “Reject”').waitFor();
    expect(await bob.page.getByRole('button', { name: 'Submit' }).count()).toBe(0);
    expect(await outcomeOf('seen-1')).toMatchObject({ verdict: 'reject', decided_by: ['alice'] });
    await alice.close();
    await bob.close();
  });

  it('tells the loser of a race the truth', async () => {
    await ask(step('race-1', { ...PEOPLE, pattern: 'review' }));
    // Without its socket bob's window cannot know before it asks.
    const bob = await open('bob', '/e/race-1', (page) => page.routeWebSocket(/\/ws\//, (socket) => socket.close()));
    await bob.page.getByRole('radio', { name: 'Approve' }).check();
    expect((await stack.respond('race-1', { decision: 'reject' })).status).toBe(200);
    await bob.page.getByRole('button', { name: 'Submit' }).click();
    await bob.page.getByText('alice decided “Reject”').first().waitFor();
    expect(await bob.page.getByRole('button', { name: 'Submit' }).count()).toBe(0);
    expect(await outcomeOf('race-1')).toMatchObject({ verdict: 'reject', decided_by: ['alice'] });
    await bob.close();
  });

  it('keeps an item and what was typed when the answer does not get through, a page is left, or a session ends', async () => {
    await ask(step('kept-1', { ...PEOPLE, pattern: 'review' }));
    const alice = await open('alice', '/e/kept-1');
    await alice.page.route('**/hitl/respond', (route) => route.abort());
    await alice.page.getByRole('radio', { name: 'Approve' }).check();
    await alice.page.getByLabel('Feedback/Comments').fill('Größe geprüft');
    await alice.page.getByRole('button', { name: 'Submit' }).click();
    await alice.page.getByRole('alert').getByText('Nothing is lost').waitFor({ timeout: 30_000 });
    expect(await row(alice.page, 'kept-1').count()).toBe(1);
    await alice.page.reload();
    await alice.page.getByRole('heading', { name: 'Your answer' }).waitFor();
    await expect.poll(() => alice.page.getByLabel('Feedback/Comments').inputValue()).toBe('Größe geprüft');
    await alice.page.getByRole('button', { name: 'alice' }).click();
    await alice.page.getByRole('menuitem', { name: 'Sign out' }).click();
    expect(await alice.page.evaluate(() => Object.keys(localStorage).map((key) => key.split(':')[0]))).toEqual(['umpire-draft']);
    await alice.signIn(stack.connection.keys.reviewers.alice, '/e/kept-1');
    await alice.page.getByRole('heading', { name: 'Your answer' }).waitFor();
    await expect.poll(() => alice.page.getByLabel('Feedback/Comments').inputValue()).toBe('Größe geprüft');
    await alice.page.unroute('**/hitl/respond');
    await alice.page.getByRole('button', { name: 'Submit' }).click();
    await row(alice.page, 'kept-1').waitFor({ state: 'detached' });
    expect(await outcomeOf('kept-1')).toMatchObject({ verdict: 'approve', response: { feedback: 'Größe geprüft' } });
    expect(await alice.page.evaluate(() => localStorage.length)).toBe(0);
    await alice.close();
  });

  it('loses nothing when the line is cut and comes back', async () => {
    await ask(step('cut-1', PEOPLE));
    let lines = 0;
    let cut: () => Promise<void> = () => Promise.reject(new Error('no line'));
    let closed = false;
    const alice = await open('alice', '/', (page) => page.routeWebSocket(/\/ws\//, (socket) => {
      if (closed) return void socket.close();
      lines += 1;
      const server = socket.connectToServer();
      cut = async () => {
        await server.close();
        await socket.close();
      };
      return undefined;
    }));
    await row(alice.page, 'cut-1').waitFor();
    await alice.page.locator('.line[data-line="live"]').waitFor();
    await expect.poll(() => lines).toBeGreaterThan(0);
    closed = true;
    await cut();
    await alice.page.locator('.line:not([data-line="live"])').waitFor();
    await ask(step('cut-2', PEOPLE));
    expect((await stack.respond('cut-1', { decision: 'approve' }, stack.connection.keys.reviewers.bob)).status).toBe(200);
    closed = false;
    await row(alice.page, 'cut-2').waitFor();
    await row(alice.page, 'cut-1').waitFor({ state: 'detached' });
    await alice.page.getByText('bob decided “Approve”').waitFor();
    await alice.page.locator('.line[data-line="live"]').waitFor({ timeout: 30_000 });
    await alice.close();
  });

  it('shows stored scripts as the text that they are', async () => {
    const bad = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
    const message = loan('script-1', { ...PEOPLE, pattern: 'review', prompt: `${bad} prompt`, review_data: { content: bad, suggestions: `${bad} better` }, ui_schema: { fields: [{ name: 'note', type: 'text', label: `${bad} label` }] } });
    const { payload } = message;
    await ask({ ...message, payload: { ...payload, summary: `${bad} summary`, task_id: bad, agent_decisions: payload.agent_decisions.map((agent) => ({ ...agent, agent_name: `${agent.agent_name} ${bad}`, rationale: bad, decision_value: bad, evidence: [bad], metadata: { [bad]: bad } })), dissenting_agents: [], metadata: { ...payload.metadata, disagreement_areas: [bad], [bad]: 'javascript:alert(1)' } } });
    await stack.post('/hitl/escalations/script-1/comment', stack.connection.keys.reviewers.alice, { text: bad });
    const bob = await open('bob', '/e/script-1');
    await bob.page.getByRole('heading', { name: 'Timeline' }).waitFor();
    await bob.page.locator('.comment', { hasText: bad }).waitFor();
    expect(await bob.page.getByText(bad).count()).toBeGreaterThan(8);
    expect(await bob.page.evaluate(() => [(globalThis as { pwned?: number }).pwned, document.images.length, document.querySelectorAll('.decision script').length])).toEqual([undefined, 0, 0]);
    expect((await stack.respond('script-1', { decision: 'reject' })).status).toBe(200);
    await bob.close();
  });

  it('names what the server refuses, field by field, and takes every pattern\'s form', async () => {
    const alice = await open('alice');
    const { page } = alice;
    const decide = async (id: string, interaction: object, fill: () => Promise<void>, expected: object) => {
      await ask(step(id, { assignees: { users: ['alice'] }, ...interaction }));
      await page.goto(`/e/${id}`);
      await page.getByRole('heading', { name: 'Your answer' }).waitFor();
      await fill();
      await page.getByRole('button', { name: 'Submit' }).click();
      await expect.poll(() => outcomeOf(id)).toMatchObject(expected);
    };
    await decide('form-input', { pattern: 'input', ui_schema: { fields: [{ name: 'account', type: 'select', options: ['A', 'B'], required: true }, { name: 'amount', type: 'number', min: 1, max: 10 }] } }, async () => {
      await page.getByLabel('Amount').fill('99');
      await page.getByRole('button', { name: 'Submit' }).click();
      await page.locator('[data-field="account"]').getByText('an answer is required').waitFor();
      await page.locator('[data-field="amount"]').getByText('must be at most 10').waitFor();
      await page.getByLabel('Account').selectOption('B');
      await page.getByLabel('Amount').fill('7');
    }, { response: { account: 'B', amount: 7 } });
    await decide('form-review', { pattern: 'review' }, async () => {
      expect(await page.getByRole('radio', { checked: true }).count()).toBe(0);
      await page.getByRole('radio', { name: 'Request changes' }).check();
      await page.getByLabel('Suggested Changes').fill('Shorter');
    }, { verdict: 'request_changes', response: { suggested_changes: 'Shorter' } });
    await decide('form-collaborative', { pattern: 'collaborative' }, () => page.getByRole('radio', { name: 'Approve' }).check(), { verdict: 'approve' });
    await decide('form-approval', { pattern: 'approval' }, () => page.getByRole('radio', { name: 'Reject' }).check(), { verdict: 'reject' });
    await decide('form-manual', { pattern: 'manual' }, async () => {
      await page.getByLabel('Manual Processing Result').fill('Invoice 7');
      await page.getByLabel('Confidence Level').fill('0.7');
    }, { response: { manual_result: 'Invoice 7', confidence: 0.7 } });
    await decide('form-timed', { pattern: 'timed_decision' }, async () => {
      await page.getByRole('radio', { name: 'Abort' }).check();
      await page.getByRole('checkbox', { name: /I understand/ }).check();
    }, { verdict: 'abort' });
    await decide('form-refinement', { pattern: 'refinement' }, async () => {
      await page.getByLabel('Refine Result (Iteration 1)').fill('one\ntwo');
      await page.getByRole('checkbox', { name: /Continue/ }).check();
      await page.getByRole('button', { name: 'Submit' }).click();
      const second = page.getByLabel('Refine Result (Iteration 2)');
      await second.waitFor();
      expect(await second.inputValue()).toBe('one\ntwo');
      await page.locator('.diff-line[data-kind="new"]').first().waitFor();
      await second.fill('one\nthree');
    }, { iterations: 2, response: { refined_result: 'one\nthree' } });
    await alice.close();
  });

  it('sorts by deadline, priority and age, and filters by text, reason, pattern and group', async () => {
    expect((await stack.post('/identity/groups', stack.connection.keys.admin, { name: 'desk', members: ['carol'] })).status).toBe(201);
    await ask(loan('sieve-1', { assignees: { groups: ['desk'] }, pattern: 'review', timeout_seconds: 3_600, prompt: 'Sieve one' }));
    await ask(step('sieve-2', { assignees: { users: ['carol'] }, pattern: 'input', priority: 'critical', timeout_seconds: 7_200, prompt: 'Sieve two' }));
    await ask(step('sieve-3', { pattern: 'review', priority: 'low', timeout_seconds: 600, prompt: 'Sieve three' }));
    const carol = await open('carol');
    const { page } = carol;
    await row(page, 'sieve-3').waitFor();
    await page.getByLabel('Search in the inbox').fill('sieve');
    const shown = (ids: string[]) => expect.poll(() => page.locator('.row').evaluateAll((rows) => rows.map((one) => one.dataset['id']))).toEqual(ids.map((id) => `sieve-${id}`));
    await shown(['3', '1', '2']);
    await page.getByLabel('Sort by').selectOption('By priority');
    await shown(['2', '1', '3']);
    await page.getByLabel('Sort by').selectOption('By age');
    await shown(['1', '2', '3']);
    for (const [label, option, ids] of [['Reason', 'Hard disagreement', ['1']], ['Pattern', 'Input', ['2']], ['Group', 'group desk', ['1']], ['Group', 'me by name', ['2']], ['Group', 'role reviewer', ['3']]] as const) {
      await page.getByLabel(label, { exact: true }).selectOption(option);
      await shown([...ids]);
      await page.getByLabel(label, { exact: true }).selectOption({ index: 0 });
    }
    await page.getByLabel('Search in the inbox').fill('nowhere');
    await page.getByText('Nothing fits these filters').waitFor();
    for (const id of ['sieve-1', 'sieve-2', 'sieve-3']) expect((await stack.post(`/hitl/escalations/${id}/cancel`, stack.connection.keys.admin, {})).status).toBe(200);
    await carol.close();
  });

  it('counts down by the server\'s clock, marks who dissents, shows the votes so far, and sends the revision seen', async () => {
    await ask(loan('clock-1', { assignees: { users: ['alice', 'bob'] }, pattern: 'approval', quorum: 'all', timeout_seconds: 7_200, prompt: 'By whose clock?' }));
    expect((await stack.respond('clock-1', { decision: 'approve' }, stack.connection.keys.reviewers.bob)).status).toBe(200);
    // This machine believes that it is five hours later.
    const alice = await open('alice', '/e/clock-1', async (window) => {
      await window.addInitScript(() => {
        const now = Date.now.bind(Date);
        Date.now = () => now() + 5 * 3_600_000;
      });
    });
    const { page } = alice;
    await page.locator('.decision-head .countdown').getByText(/^1 h 5\d min left$/).waitFor();
    expect(await page.locator('.agent[data-dissents="true"] .agent-name').allTextContents()).toEqual(['collateral']);
    expect(await page.getByRole('meter', { name: 'Confidence of collateral' }).getAttribute('aria-valuenow')).toBe('94');
    await page.getByRole('group', { name: 'Votes so far' }).getByRole('row', { name: /^bob Approve/ }).waitFor();
    await page.locator('.why').getByText(/Waiting for alice/).waitFor();
    const sent = page.waitForRequest((request) => request.url().endsWith('/hitl/respond'));
    await page.getByRole('radio', { name: 'Approve' }).check();
    await page.getByRole('button', { name: 'Submit' }).click();
    expect((await sent).postDataJSON()).toMatchObject({ interaction_id: 'clock-1', user_input: { decision: 'approve' }, revision: 1 });
    await expect.poll(() => outcomeOf('clock-1')).toMatchObject({ verdict: 'approve', decided_by: ['bob', 'alice'] });
    await alice.close();
  });

  it('is worked by keys alone', async () => {
    for (const name of ['keys-1', 'keys-2']) await ask(step(name, { assignees: { users: ['carol'] }, pattern: 'review', prompt: name }));
    const carol = await open('carol');
    const { page } = carol;
    await row(page, 'keys-2').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'keys-1', level: 2 }).waitFor();
    await page.keyboard.press('2');
    await page.keyboard.press('Control+Enter');
    // The next one opens by itself.
    await page.getByRole('heading', { name: 'keys-2', level: 2 }).waitFor();
    await page.keyboard.press('1');
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => outcomeOf('keys-2')).toMatchObject({ verdict: 'approve', decided_by: ['carol'] });
    expect(await outcomeOf('keys-1')).toMatchObject({ verdict: 'reject', decided_by: ['carol'] });
    await carol.close();
  });

  it('lets people comment, snooze, raise, delegate and reassign, by keys, and says what the server refuses', async () => {
    await ask(step('hands-1', { ...PEOPLE, pattern: 'review', prompt: 'Who does it?' }));
    const alice = await open('alice', '/e/hands-1');
    const { page } = alice;
    const dialog = page.getByRole('dialog');
    // As fast as the keys come: none may fall beside the menu that the first one opens.
    const choose = async (offer: number) => {
      await page.keyboard.press('a');
      for (let at = 1; at < offer; at += 1) await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
    };
    const done = () => dialog.waitFor({ state: 'detached' });
    const facts = async () => (await stack.get('/hitl/escalations/hands-1', stack.connection.keys.admin)).body;
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    await page.getByLabel('Comment', { exact: true }).fill('Waiting for the order');
    await page.getByRole('button', { name: 'Add comment' }).click();
    await page.locator('.comment', { hasText: 'Waiting for the order' }).waitFor();
    // Delegating to somebody who has a vote here already is refused, and what was typed stays.
    await choose(1);
    await page.keyboard.type('bob');
    await page.keyboard.press('Enter');
    await dialog.getByRole('alert').getByText('bob has a vote here already').waitFor();
    expect(await dialog.getByLabel('Person', { exact: true }).inputValue()).toBe('bob');
    await dialog.getByLabel('Person', { exact: true }).fill('carol');
    await dialog.getByLabel('For', { exact: true }).selectOption({ label: 'an hour' });
    await dialog.getByRole('button', { name: 'Delegate' }).click();
    await done();
    await page.getByText('carol (for alice)').waitFor();
    await choose(1);
    await dialog.getByRole('button', { name: 'Delegate' }).click();
    await done();
    await page.getByText('carol (for alice)').waitFor({ state: 'detached' });
    await choose(4);
    await dialog.getByRole('button', { name: 'Snooze' }).click();
    await done();
    await page.locator('.entry', { hasText: 'Snoozed' }).waitFor();
    await choose(3);
    await dialog.getByRole('button', { name: 'Raise' }).click();
    await dialog.getByRole('alert').getByText('there is no further level').waitFor();
    await dialog.getByLabel('People').fill('carol');
    await dialog.getByRole('button', { name: 'Raise' }).click();
    await done();
    await expect.poll(async () => (await facts()).electorate.users).toEqual(['alice', 'bob', 'carol']);
    await choose(2);
    await dialog.getByLabel('People').fill('dave');
    await dialog.getByLabel('Note').fill('Off until Monday');
    await dialog.getByRole('button', { name: 'Reassign' }).click();
    await done();
    await expect.poll(async () => (await facts()).electorate.users).toEqual(['dave', 'bob', 'carol']);
    await row(page, 'hands-1').waitFor({ state: 'detached' });
    await alice.close();
  });

  it('lets an administrator free a claim, ask others, see what was sent, and cancel', async () => {
    await ask(step('freed-1', { ...PEOPLE, pattern: 'review', prompt: 'Freed and cancelled' }));
    expect((await stack.post('/hitl/escalations/freed-1/claim', stack.connection.keys.reviewers.bob, {})).status).toBe(200);
    const window = await Window.open(browser, stack.origin);
    windows.push(window);
    const { page } = window;
    await window.signIn(stack.connection.keys.admin, '/e/freed-1');
    await page.getByRole('button', { name: 'Release bob\'s claim' }).click();
    await page.getByRole('button', { name: 'Release bob\'s claim' }).waitFor({ state: 'detached' });
    // Claiming, answering and delegating are for people.
    expect(await page.getByRole('button', { name: /^(Claim|Submit)$/ }).count()).toBe(0);
    await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
    await page.getByRole('button', { name: 'More…' }).click();
    expect(await page.getByRole('menuitem').allTextContents()).toEqual(['Ask other people instead…', 'Raise: ask more people…', 'Cancel it…']);
    await page.getByRole('menuitem', { name: 'Ask other people' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Instead of').selectOption('bob');
    await dialog.getByLabel('People').fill('carol');
    await dialog.getByRole('button', { name: 'Reassign' }).click();
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(async () => (await stack.get('/hitl/escalations/freed-1', stack.connection.keys.admin)).body.electorate.users).toEqual(['alice', 'carol']);
    await page.getByRole('button', { name: 'More…' }).click();
    await page.getByRole('menuitem', { name: 'Cancel it…' }).click();
    await dialog.getByLabel('Note').fill('Asked twice');
    await dialog.getByRole('button', { name: 'Cancel for everybody' }).click();
    await page.locator('.settled').getByText('Cancelled').waitFor();
    expect(await page.getByRole('button', { name: 'More…' }).count()).toBe(0);
    expect(await outcomeOf('freed-1')).toMatchObject({ state: 'cancelled', source: 'cancel' });
    await window.close();
  });

  it('answers many at once after naming them', async () => {
    for (const name of ['bulk-1', 'bulk-2', 'bulk-3']) await ask(step(name, { assignees: { users: ['carol'] }, pattern: 'review', prompt: `Question ${name}` }));
    const carol = await open('carol');
    const { page } = carol;
    for (const name of ['bulk-1', 'bulk-2']) await page.getByRole('checkbox', { name: `Mark Question ${name}` }).check();
    await page.getByRole('button', { name: 'Approve all' }).click();
    const requests: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && requests.push(new URL(request.url()).pathname));
    const dialog = page.getByRole('dialog', { name: 'Answer “Approve” on 2 items?' });
    await dialog.getByText('Question bulk-1').waitFor();
    await dialog.getByRole('button', { name: 'Approve 2 items' }).click();
    await row(page, 'bulk-2').waitFor({ state: 'detached' });
    expect(await row(page, 'bulk-3').count()).toBe(1);
    expect([(await outcomeOf('bulk-1')).verdict, (await outcomeOf('bulk-2')).verdict, await outcomeOf('bulk-3')]).toEqual(['approve', 'approve', undefined]);
    expect(requests).toEqual(['/hitl/bulk/respond']);
    await carol.close();
  });

  it('tells which of many were not taken, and why', async () => {
    for (const name of ['bulk-4', 'bulk-5']) await ask(step(name, { assignees: { users: ['alice', 'carol'] }, pattern: 'review', prompt: `Question ${name}` }));
    const carol = await open('carol');
    const { page } = carol;
    for (const name of ['bulk-4', 'bulk-5']) await page.getByRole('checkbox', { name: `Mark Question ${name}` }).check();
    await page.getByRole('button', { name: 'Approve all' }).click();
    expect((await stack.respond('bulk-4', { decision: 'reject' })).status).toBe(200);
    await row(page, 'bulk-4').waitFor({ state: 'detached' });
    await page.getByRole('dialog').getByRole('button', { name: 'Approve 2 items' }).click();
    const alert = page.getByRole('dialog').getByRole('alert');
    await alert.getByText('1 of 2 were answered').waitFor();
    expect(await alert.getByRole('listitem').allTextContents()).toEqual([expect.stringMatching(/^Question bulk-4: /)]);
    expect([(await outcomeOf('bulk-4')).decided_by, (await outcomeOf('bulk-5')).decided_by]).toEqual([['alice'], ['carol']]);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('group', { name: 'Marked items' }).waitFor({ state: 'detached' });
    await carol.close();
  });

  // The seed names its own address, which the browser finds here.
  it.skipIf(seedPath === null)('serves the seed\'s own page, unchanged, to whoever has a session', async () => {
    const script = await buildSeedScript('alice');
    const there = await startBrowser(`--host-resolver-rules=MAP ${new URL(SEED_ORIGIN).host} ${new URL(stack.origin).host}`);
    try {
      const window = await Window.open(there, SEED_ORIGIN);
      await window.signIn(stack.connection.keys.reviewers.alice);
      await ask(step('seed-1', { assignees: { users: ['alice'] }, pattern: 'review' }));
      // Any page of the origin that has no content policy of its own.
      await window.page.goto('/healthz');
      await window.page.evaluate(() => document.body.replaceChildren(Object.assign(document.createElement('div'), { id: 'root' })));
      await window.page.addScriptTag({ type: 'module', content: script });
      // The list that a socket begins with, what is new after it, and an answer.
      await window.page.getByText('seed-1: pending').waitFor();
      await ask(step('seed-2', { assignees: { users: ['alice'] }, pattern: 'review' }));
      await window.page.getByText('seed-2: pending').waitFor();
      const heading = await window.page.getByRole('heading').textContent();
      await window.page.getByRole('button', { name: 'Approve seed-2' }).click();
      await window.page.getByText('seed-2: pending').waitFor({ state: 'detached' });
      expect(await window.page.getByRole('heading').textContent()).not.toBe(heading);
      await expect.poll(() => outcomeOf('seed-2')).toMatchObject({ verdict: 'approve', decided_by: ['alice'] });
      expect(await outcomeOf('seed-1')).toBeUndefined();
      expect((await stack.respond('seed-1', { decision: 'reject' })).status).toBe(200);
      expect(window.faults).toEqual([]);
    } finally {
      await there.close();
    }
  });
});
