import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../e2e/src/stack.ts';
import { smallTargets, violations } from './axe.ts';
import { browserPath, startBrowser, VIEWS, Window, type View } from './browser.ts';
import { loan, step } from './questions.ts';

const FIRST_VIEW_BYTES = 250_000;
const MANY = 5_000;
const OPERATORS = ['stats', 'oversight', 'webhooks', 'policies', 'rejected', 'access', 'try'];

describe.skipIf(browserPath === undefined)('the look of the console', () => {
  let stack: Stack;
  let browser: Browser;
  beforeAll(async () => {
    [stack, browser] = await Promise.all([Stack.start('all'), startBrowser()]);
    const submit = (message: object) => stack.post('/api/escalations', stack.connection.keys.producer, message);
    await submit(loan('loan-1', { priority: 'high' }));
    await submit(step('stop-1', { pattern: 'timed_decision', priority: 'critical', timeout_seconds: 280, default_action: 'abort', prompt: 'Stop the rollout in eu-west?' }));
    await submit(step('sign-1', { pattern: 'approval', assignees: { users: ['alice', 'bob', 'carol'] }, prompt: 'Approve the payment of 12,400 EUR to Zażółć sp. z o.o.' }));
    await submit(step('edit-1', { pattern: 'review', prompt: 'Is the rewritten clause right?', review_data: { content: 'The parties agree.\nThe term is one year.', suggestions: 'The parties agree.\nThe term is two years.' } }));
    await stack.respond('sign-1', { decision: 'approve', comments: 'Checked against the order' }, stack.connection.keys.reviewers.bob);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  it.each(Object.keys(VIEWS) as View[])('has no fault that axe finds, nothing too small to hit, nothing beyond the edge: %s', async (view) => {
    const found: string[] = [];
    const look = async (window: Window, name: string) => {
      await window.screenshot(`${name}-${view}`);
      // What axe finds depends on colours and words, hardly on width: three views are enough for it.
      const rules = view === 'tablet' ? [] : await violations(window.page);
      found.push(...rules.map((one) => `${name}: ${one}`), ...(await smallTargets(window.page)).map((one) => `${name}: ${one}`));
      expect(await window.page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `${name} is wider than the window`).toBeLessThanOrEqual(0);
    };
    const stranger = await Window.open(browser, stack.origin, view);
    await stranger.page.goto('/');
    await stranger.page.getByLabel('Key', { exact: true }).waitFor();
    await look(stranger, 'sign-in');
    await stranger.signIn(stack.connection.keys.reviewers.alice);
    await stranger.page.getByText('Stop the rollout').waitFor();
    await look(stranger, 'inbox');
    for (const id of ['loan-1', 'sign-1', 'edit-1']) {
      await stranger.page.goto(`/e/${id}`);
      await stranger.page.getByRole('heading', { name: 'Timeline' }).waitFor();
      await look(stranger, `decision-${id}`);
    }
    const operator = await Window.open(browser, stack.origin, view);
    await operator.signIn(stack.connection.keys.admin);
    for (const name of OPERATORS) {
      await operator.page.goto(`/console/${name}`);
      await operator.page.locator('[data-ready="true"]').waitFor();
      await look(operator, name);
    }
    expect([...stranger.faults, ...operator.faults]).toEqual([]);
    await stranger.close();
    await operator.close();
    expect([...new Set(found)]).toEqual([]);
  });

  it('loads the first view with less than 250 kB', async () => {
    const page = await (await fetch(stack.origin)).text();
    const assets = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]!);
    expect(assets.length).toBeGreaterThanOrEqual(2);
    const sizes = await Promise.all(assets.map(async (path) => {
      const { headers } = await fetch(`${stack.origin}${path}`, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } });
      expect([headers.get('content-encoding'), headers.get('cache-control')]).toEqual(['gzip', 'public, max-age=31536000, immutable']);
      return Number(headers.get('content-length'));
    }));
    const total = sizes.reduce((sum, size) => sum + size, Buffer.byteLength(page));
    expect(total).toBeGreaterThan(50_000);
    expect(total).toBeLessThan(FIRST_VIEW_BYTES);
  });

  it('stays smooth with 5,000 pending', async () => {
    const { js } = await stack.producer();
    const bodies = Array.from({ length: MANY }, (_, index) => JSON.stringify(step(`many-${index}`, { assignees: { users: ['bob'] }, timeout_seconds: 90_000 + index })));
    for (let at = 0; at < MANY; at += 500) await Promise.all(bodies.slice(at, at + 500).map((body) => js.publish('hitl.default.review.custom_rule', body, { timeout: 60_000 })));
    const bob = await Window.open(browser, stack.origin);
    await bob.signIn(stack.connection.keys.reviewers.bob);
    await expect.poll(async () => Number((await bob.page.locator('.count').textContent())?.split(' ')[0]), { timeout: 150_000 }).toBeGreaterThanOrEqual(MANY);
    expect(await bob.page.locator('.row').count()).toBeLessThan(60);
    // The time between frames while it scrolls through the whole list, drawn without a graphics card: with every row in the page it takes seconds.
    const slowest = await bob.page.locator('.rows').evaluate(async (list) => {
      const times: number[] = [];
      for (let at = 0; at < 60; at += 1) {
        list.scrollTop = (list.scrollHeight / 60) * at;
        const began = performance.now();
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        times.push(performance.now() - began);
      }
      return times.sort((a, b) => a - b)[54]!;
    });
    expect(slowest).toBeLessThan(400);
    expect(bob.faults).toEqual([]);
    await bob.close();
  }, 240_000);
});
