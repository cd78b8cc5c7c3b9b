import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../e2e/src/stack.ts';
import { browserPath, startBrowser, Window } from './browser.ts';
import { CLIENT, Issuer } from './issuer.ts';
import { step } from './questions.ts';

/** On four processes behind the gateway: what works here needs no process to hold anything for another. */
describe.skipIf(browserPath === undefined)('signing in at an issuer, with a process for each service', () => {
  let stack: Stack;
  let browser: Browser;
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await Issuer.start();
    const settings = { UMPIRE_OIDC_ISSUER: issuer.url, UMPIRE_OIDC_CLIENT_ID: CLIENT, UMPIRE_OIDC_NAME: 'Example' };
    Object.assign(process.env, settings);
    try {
      [stack, browser] = await Promise.all([Stack.start('split'), startBrowser()]);
    } finally {
      for (const name of Object.keys(settings)) delete process.env[name];
    }
    issuer.serve(stack.origin, { dana: ['reviewer'] });
    await stack.post('/api/escalations', stack.connection.keys.producer, step('sso-1', { assignees: { users: ['dana'] }, pattern: 'review', prompt: 'Asked of dana alone' }));
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    await issuer?.stop();
  });

  /** Through the issuer's own pages: a name, then its consent. */
  const signInAs = async (page: Page, name: string) => {
    await page.getByRole('link', { name: 'Sign in with Example' }).click();
    await page.waitForURL(`${issuer.url}/interaction/**`);
    await page.locator('input[name="login"]').fill(name);
    await page.locator('input[name="password"]').fill('any');
    await page.locator('button[type="submit"]').click();
    await page.getByRole('button', { name: 'Continue' }).click();
  };

  it('goes there and comes back to the page it left, with a session that decides', async () => {
    const window = await Window.open(browser, stack.origin);
    const { page } = window;
    await page.goto('/e/sso-1');
    await page.getByRole('link', { name: 'Sign in with Example' }).waitFor();
    await window.screenshot('sign-in-issuer-light');
    await signInAs(page, 'dana');
    await page.getByRole('heading', { name: 'Asked of dana alone' }).waitFor();
    expect(page.url()).toBe(`${stack.origin}/e/sso-1`);
    const cookies = await window.context.cookies(stack.origin);
    expect(cookies.filter(({ name }) => name.startsWith('umpire')).map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }))).toEqual([{ name: 'umpire_session', httpOnly: true, sameSite: 'Strict' }]);
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0]);
    await page.locator('.line[data-line="live"]').waitFor();
    await page.getByRole('radio', { name: 'Approve' }).check();
    await page.getByRole('button', { name: 'Submit' }).click();
    await expect.poll(async () => (await stack.get('/hitl/status/sso-1', stack.connection.keys.producer)).body.outcome).toMatchObject({ verdict: 'approve', decided_by: ['dana'] });
    await page.getByRole('button', { name: 'dana' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in with Example' }).waitFor();
    expect(window.faults).toEqual([]);
    await window.close();
  });

  it('says why it does not let somebody in', async () => {
    const window = await Window.open(browser, stack.origin);
    const { page } = window;
    await page.goto('/');
    await signInAs(page, 'stranger');
    await page.getByText('You are known there, but have no place here yet').waitFor();
    expect(page.url()).toBe(`${stack.origin}/`);
    expect((await window.context.cookies(stack.origin)).filter(({ name }) => name.startsWith('umpire'))).toEqual([]);
    // Somebody who turns back at the issuer's page.
    await window.context.clearCookies();
    await page.getByRole('link', { name: 'Sign in with Example' }).click();
    await page.waitForURL(`${issuer.url}/interaction/**`);
    await page.getByRole('link', { name: 'Cancel' }).click();
    await page.getByText('The sign-in was not completed').waitFor();
    expect(window.faults).toEqual([]);
    await window.close();
  });

  it('shows every page, whichever process answers for it', async () => {
    const operator = await Window.open(browser, stack.origin);
    await operator.signIn(stack.connection.keys.admin);
    const pages = { stats: 'Pending by reason', webhooks: 'No endpoint is told of anything yet', policies: 'Simulation', rejected: 'Nothing was rejected', access: 'Groups', try: 'Submit an escalation' };
    for (const [name, text] of Object.entries(pages)) {
      await operator.page.goto(`/console/${name}`);
      await operator.page.getByText(text).first().waitFor();
    }
    expect(operator.faults).toEqual([]);
    await operator.close();
  });
});
