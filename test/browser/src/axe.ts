import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** @returns what breaks WCAG 2.2 AA on the page as it stands, one line each */
export async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe: engine } = globalThis as unknown as { axe: typeof import('axe-core') };
    const result = await engine.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
    return result.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1]?.trim() ?? ''}`));
  });
}

/** @returns what a finger can hardly hit: controls in sight that are smaller than 44 px one way, their label counted in */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const controls = [...document.querySelectorAll<HTMLElement>('button, select, summary, textarea, input:not([type=hidden]), nav a, .row-link, .back')];
    const inSight = controls.filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().width > 0 && one.tabIndex >= 0);
    return inSight
      .map((one) => (one instanceof HTMLInputElement && ['radio', 'checkbox'].includes(one.type) ? (one.closest<HTMLElement>('.choice, label') ?? one) : one))
      .filter((one) => one.getBoundingClientRect().height < 43.5 || one.getBoundingClientRect().width < 43.5)
      .map((one) => `${one.outerHTML.slice(0, 120)} ${Math.round(one.getBoundingClientRect().width)}×${Math.round(one.getBoundingClientRect().height)}`);
  });
}
