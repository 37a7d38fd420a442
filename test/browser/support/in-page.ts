/**
 * What tests ask of a document, as expressions that run in the browser. They are texts because the types of a browser and those of Node, which
 * the rest of a test is checked with, do not go together. The debugger evaluates them, which no policy of a page holds.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds, as `rule: element`. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target)))`);
}

/** Texts whose contrast with what lies behind them is below 4.5:1 (WCAG 2.2, 1.4.3), those that axe cannot judge too. */
export function lowContrasts(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = (color) => {
      const [r, g, b] = channels(color).slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      for (let each = element; each; each = each.parentElement) {
        const color = getComputedStyle(each).backgroundColor;
        if ((channels(color)[3] ?? 1) === 1) return color;
      }
      return 'rgb(255, 255, 255)';
    };
    return [...document.body.querySelectorAll('*')].flatMap((element) => {
      const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
      if (own.length === 0 || element.closest('noscript')) return [];
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      return ratio >= 4.5 ? [] : [ratio.toFixed(2) + ': ' + own[0].data];
    });
  })()`);
}

/** How much wider the document is than the window. */
export const overhang = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Where the focus is, and whether that can be seen; null where it is nowhere. */
export const focused = (page: Page): Promise<{ readonly name: string; readonly isSeen: boolean } | null> =>
  page.evaluate(`(() => {
    const on = document.activeElement;
    if (on === null || on === document.body) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(on);
    const name = on.getAttribute('aria-label') ?? on.textContent ?? '';
    return { name: name.trim(), isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 };
  })()`);

/** From now on; read by `spokenIn`. */
export const listenAsScreenReader = (page: Page): Promise<void> =>
  page.evaluate(`(() => {
    window.spoken = [];
    for (const live of document.querySelectorAll('[role=status], [role=alert], [aria-live]'))
      new MutationObserver(() => window.spoken.push(live.textContent)).observe(live, { childList: true, characterData: true, subtree: true });
  })()`);

export const spokenIn = (page: Page): Promise<readonly string[]> => page.evaluate('window.spoken');

/** Tries what a defect could do. @returns what was refused */
export const refusedIn = (page: Page, elsewhere: string): Promise<readonly string[]> =>
  page.evaluate(`(async () => {
    const attempts = {
      markup: () => { document.body.innerHTML = '<b>x</b>'; },
      script: () => { document.createElement('script').text = 'x'; },
      evaluation: () => new Function('return 1')(),
      request: () => fetch(${JSON.stringify(elsewhere)}),
    };
    const refused = [];
    for (const [name, attempt] of Object.entries(attempts)) {
      // What the debugger evaluates itself may do more than the page.
      await new Promise((resolve) => setTimeout(resolve));
      try { await attempt(); } catch { refused.push(name); }
    }
    return refused;
  })()`);

/** Waits until a part of the page says that. */
export function untilText(page: Page, selector: string, text: string | RegExp): Promise<void> {
  return page.locator(selector).filter({ hasText: text }).waitFor({ timeout: 60_000 });
}
