import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const PATHS = [process.env['UMPIRE_BROWSER'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Where a Chromium is; undefined where there is none (`npm test` brings it, or says why not). */
export const browserPath = PATHS.find((path) => path !== undefined && path !== '' && existsSync(path));

const SCREENSHOTS = fileURLToPath(new URL('../screenshots/', import.meta.url));
const FLAGS = ['--disable-quic', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

/** @param flags more of Chromium's own */
export const startBrowser = (...flags: string[]): Promise<Browser> => chromium.launch({ executablePath: browserPath!, chromiumSandbox: false, args: [...FLAGS, ...flags] });

export const VIEWS = {
  light: { viewport: { width: 1600, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  tablet: { viewport: { width: 768, height: 1024 }, colorScheme: 'dark', hasTouch: true },
  phone: { viewport: { width: 380, height: 780 }, colorScheme: 'light', hasTouch: true, isMobile: true },
} as const;
export type View = keyof typeof VIEWS;

/** A window of its own: cookies, storage, and what its console said. */
export class Window {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors that the page reported, breaches of its own policy among them. */
  readonly faults: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => {
      // Refusals by the server are told to the person; the browser logs them as well.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource') && !message.text().includes('WebSocket connection to')) this.faults.push(message.text());
    });
  }

  static async open(browser: Browser, origin: string, view: View = 'light'): Promise<Window> {
    const context = await browser.newContext({ ...VIEWS[view], baseURL: origin, reducedMotion: 'reduce' });
    context.setDefaultTimeout(15_000);
    return new Window(context, await context.newPage());
  }

  async signIn(key: string, path = '/'): Promise<void> {
    await this.page.goto(path);
    await this.page.getByLabel('Key', { exact: true }).fill(key);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('navigation', { name: 'Pages' }).waitFor();
  }

  async screenshot(name: string): Promise<void> {
    await mkdir(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
  }

  /** With everything that one would scroll to: the window grows for it, and shrinks again. */
  async screenshotWhole(name: string): Promise<void> {
    const size = this.page.viewportSize()!;
    const hidden = await this.page.evaluate(() => Math.max(0, ...[...document.querySelectorAll('.content, .decision-pane')].map((one) => one.scrollHeight - one.clientHeight)));
    await this.page.setViewportSize({ width: size.width, height: size.height + hidden });
    await this.screenshot(name);
    await this.page.setViewportSize(size);
  }

  /** To another page of the console, as its links go there: nothing is loaded anew. */
  async go(path: string): Promise<void> {
    await this.page.evaluate((to) => {
      history.pushState(null, '', to);
      dispatchEvent(new PopStateEvent('popstate'));
    }, path);
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
