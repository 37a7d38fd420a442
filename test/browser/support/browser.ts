/** A browser with the page in it, and what the page did there that it must not. */
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Test as TapTest } from 'tap';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from './chromium.ts';

export async function startBrowser(t: TapTest): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
  t.teardown(() => browser.close());
  return browser;
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, violations of the policy. */
  readonly complaints: string[];
  /** Requests to anywhere but the page's own origin. */
  readonly strangers: string[];
}

/** Opens the page and waits until it shows figures. */
export async function openPage(t: TapTest, browser: Browser, origin: string, look: Look = {}): Promise<Opened> {
  const { width = 1280, height = 900, dark = false } = look;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  t.teardown(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const strangers: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) strangers.push(request.url());
  });
  await page.goto(`${origin}/`);
  await page.waitForSelector('body[data-fresh=yes]');
  return { page, complaints, strangers };
}
