import { idToken } from '@umpire/contract';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../e2e/src/stack.ts';
import { smallTargets, violations } from './axe.ts';
import { browserPath, startBrowser, VIEWS, Window, type View } from './browser.ts';
import { fillDay, LONG_ID } from './full-day.ts';
import { Hook } from './hook.ts';
import { step } from './questions.ts';

const FIRST_VIEW_BYTES = 250_000;
const MANY = 5_000;
/** One of each pattern, one that is over, one whose texts are as long as they get. */
const DECISIONS = ['loan-1', 'sign-1', 'edit-1', 'stop-1', 'round-1', 'field-1', 'hand-1', 'again-1', LONG_ID];
/** What differs from view to view is seen on these already. */
const FEWER = ['loan-1', 'sign-1', 'edit-1', 'again-1', LONG_ID];
const SEEN: Record<View, string[]> = { light: DECISIONS, dark: FEWER, tablet: FEWER, phone: DECISIONS };
const OPERATORS = { stats: 'Statistics', oversight: 'Oversight', webhooks: 'Webhooks', policies: 'Policies', rejected: 'Rejected messages', access: 'Keys and groups', try: 'Try it' };

describe.skipIf(browserPath === undefined)('the look of the console', () => {
  let stack: Stack;
  let browser: Browser;
  const hooks = [new Hook(), new Hook()] as const;
  beforeAll(async () => {
    [stack, browser] = await Promise.all([Stack.start('all'), startBrowser()]);
    await fillDay(stack, ...hooks);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    await Promise.all(hooks.map((hook) => hook.stop()));
  });

  it.each(Object.keys(VIEWS) as View[])('has no fault that axe finds, nothing too small to hit, nothing beyond the edge: %s', async (view) => {
    const found: string[] = [];
    const look = async (window: Window, name: string) => {
      await window.screenshotWhole(`${name}-${view}`);
      // What axe finds depends on colours and words, hardly on width: three views are enough for it.
      const rules = view === 'tablet' ? [] : await violations(window.page);
      found.push(...rules.map((one) => `${name}: ${one}`), ...(await smallTargets(window.page)).map((one) => `${name}: ${one}`));
      expect(await window.page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `${name} is wider than the window`).toBeLessThanOrEqual(0);
    };
    const stranger = await Window.open(browser, stack.origin, view);
    const { page } = stranger;
    await page.goto('/');
    await page.getByLabel('Key', { exact: true }).waitFor();
    await look(stranger, 'sign-in');
    await stranger.signIn(stack.connection.keys.reviewers.alice);
    await page.getByText('Stop the rollout').waitFor();
    await look(stranger, 'inbox');
    for (const prompt of ['Is the rewritten clause right?', 'Agents fundamentally disagree']) await page.getByRole('checkbox', { name: `Mark ${prompt}` }).first().check();
    await page.getByRole('button', { name: 'Approve all' }).click();
    await page.getByRole('dialog').waitFor();
    await look(stranger, 'bulk');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Unmark' }).click();
    for (const id of SEEN[view]) {
      await stranger.go(`/e/~${idToken(id)}`);
      const decision = page.locator(`[data-request=${JSON.stringify(id)}]`);
      for (const name of ['Timeline', 'Where it stands']) await decision.getByRole('heading', { name }).waitFor();
      await look(stranger, `decision-${id === LONG_ID ? 'long' : id}`);
    }
    const operator = await Window.open(browser, stack.origin, view);
    await operator.signIn(stack.connection.keys.admin);
    for (const [name, title] of Object.entries(OPERATORS)) {
      await operator.go(`/console/${name}`);
      await operator.page.locator('[data-ready="true"]', { has: operator.page.getByRole('heading', { name: title, level: 1 }) }).waitFor();
      if (name === 'webhooks') await operator.page.getByRole('button', { name: 'Deliveries' }).last().click();
      if (name === 'webhooks') await operator.page.locator('details.delivery').first().waitFor();
      await look(operator, name);
    }
    expect([...stranger.faults, ...operator.faults]).toEqual([]);
    await stranger.close();
    await operator.close();
    expect([...new Set(found)]).toEqual([]);
  });

  it('loads the first view with less than 250 kB', async () => {
    const answer = await fetch(stack.origin);
    const page = await answer.text();
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

  it('is held to its own files: no script, style, frame or connection from elsewhere', async () => {
    const policy = (await fetch(stack.origin)).headers.get('content-security-policy')!.split(';').map((part) => part.trim());
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "object-src 'none'", "require-trusted-types-for 'script'"]));
    expect(policy.join(' ')).not.toMatch(/unsafe-eval|\*|https?:/);
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
