/** The status page in a real browser: whom it must not let in, and who must be able to use it. */
import type { Page } from 'playwright-core';
import t, { type Test as TapTest } from 'tap';
import { DEGRADED, FULL, QUIET } from '../host-proxy/operator/support/statuses.ts';
import { openPage, startBrowser } from './support/browser.ts';
import {
  axeFindings,
  focused,
  listenAsScreenReader,
  lowContrasts,
  overhang,
  refusedIn,
  spokenIn,
  untilText,
} from './support/in-page.ts';
import { servePage } from './support/served-page.ts';
import { HOSTILE, withHostileTexts, withIdentities } from './support/statuses.ts';

const WIDTHS = [320, 360, 768, 1280, 1440] as const;

const browser = await startBrowser(t);

async function isForEverybody(t: TapTest, page: Page, what: string): Promise<void> {
  t.same(await axeFindings(page), [], `${what}: axe`);
  t.same(await lowContrasts(page), [], `${what}: contrast`);
  t.equal(await overhang(page), 0, `${what}: nothing lies beside the page`);
}

for (const dark of [false, true])
  for (const width of WIDTHS)
    t.test(`is usable by everybody at ${width} pixels, ${dark ? 'dark' : 'light'}`, async (t) => {
      const { origin } = await servePage(t, DEGRADED);
      const { page, complaints, strangers } = await openPage(t, browser, origin, { width, dark });
      await isForEverybody(t, page, `${width}`);
      t.same([complaints, strangers], [[], []]);
    });

t.test('is usable by everybody on a quiet day, with a silent enclave, and when the daemon is gone', async (t) => {
  for (const dark of [false, true]) {
    const served = await servePage(t, QUIET);
    const { page } = await openPage(t, browser, served.origin, { dark });
    await isForEverybody(t, page, 'quiet');
    served.status = { ...FULL, state: 'lost', ready: false, connected: false, silentMs: 95_000 };
    await page.waitForSelector('body[data-tone=bad]');
    await isForEverybody(t, page, 'lost');
    await served.stop();
    await page.waitForSelector('body[data-fresh=no]');
    await isForEverybody(t, page, 'no daemon');
  }
});

t.test('is usable at 200 % zoom and with text twice as large', async (t) => {
  const { origin } = await servePage(t, FULL);
  const { page } = await openPage(t, browser, origin, { width: 640 });
  t.equal(await overhang(page), 0);
  const { page: large } = await openPage(t, browser, origin, { width: 1280 });
  await large.evaluate(`document.documentElement.style.fontSize = '200%'`);
  t.equal(await overhang(large), 0);
});

t.test('shows hostile texts as texts, wherever they come from', async (t) => {
  const { origin } = await servePage(t, withHostileTexts(FULL));
  const { page, complaints, strangers } = await openPage(t, browser, origin);
  const shown = await page.locator('body').textContent();
  t.ok((shown?.split(HOSTILE).length ?? 0) > 60, 'they are shown');
  t.equal(await page.locator('main').locator('img, script, iframe, b, [onerror], [onmouseover]').count(), 0);
  const links: readonly string[] = await page.evaluate(
    `[...document.querySelectorAll('main a')].map(({ href }) => href)`,
  );
  t.ok(
    links.length > 0 && links.every((href) => href.startsWith(`${origin}/runbooks/`)),
    'links lead to runbooks alone',
  );
  t.equal(await overhang(page), 0);
  t.same([complaints, strangers], [[], []]);
});

t.test('lets the browser refuse what a defect of the page could do', async (t) => {
  const { origin } = await servePage(t, FULL);
  const { page, complaints } = await openPage(t, browser, origin);
  t.same(await refusedIn(page, 'http://127.0.0.1:9/'), ['markup', 'script', 'evaluation', 'request']);
  t.match(complaints.join('\n'), /Content Security Policy|Trusted ?(Type|HTML)/);
});

t.test('cannot be framed by another page', async (t) => {
  const { origin } = await servePage(t, FULL);
  const framing = await servePage(t, FULL);
  const context = await browser.newContext();
  t.teardown(() => context.close());
  const page = await context.newPage();
  await page.route(`${framing.origin}/frame`, (route) =>
    route.fulfill({ contentType: 'text/html', body: `<iframe src="${origin}/"></iframe>` }),
  );
  await page.goto(`${framing.origin}/frame`);
  await page.waitForSelector('iframe');
  const inner = page.frames().find((frame) => frame !== page.mainFrame());
  await inner?.waitForLoadState();
  t.not(await inner?.title().catch(() => 'refused'), 'acra-enclave');
  t.equal(page.frames().filter((frame) => frame.url() === `${origin}/`).length, 0);
});

t.test('can be walked by keyboard, and shows where one is', async (t) => {
  const { origin } = await servePage(t, FULL);
  const { page } = await openPage(t, browser, origin, { width: 360 });
  const stops: string[] = [];
  for (let stop = 0; stop < 80; stop += 1) {
    await page.keyboard.press('Tab');
    const told = await focused(page);
    if (told === null) break;
    t.ok(told.isSeen, `focus is seen on ${told.name}`);
    stops.push(told.name);
  }
  t.equal(stops[0], 'Skip to the figures');
  t.same(stops.slice(1, 4), ['Alarms', 'Service', 'Sessions']);
  t.ok(stops.includes('Runbook: sheds') && stops.includes('/status'), 'runbooks and the end are reached');
  t.ok(
    stops.some((name) => name.endsWith('scrollable')),
    'what scrolls is reached',
  );
  t.equal(new Set(stops).size, stops.length, 'no stop comes twice');
});

t.test('keeps focus and selection where they are while figures change', async (t) => {
  const served = await servePage(t, FULL);
  const { page } = await openPage(t, browser, served.origin);
  await page.focus('tbody[data-rows=alarms] a');
  await page.evaluate(`getSelection().selectAllChildren(document.querySelector('tbody[data-rows=measurements] td'))`);
  const { figures } = FULL;
  served.status = { ...FULL, figures: { ...figures, sessions: { open: 777, pending: 0, evicted: 0, refused: {} } } };
  await untilText(page, 'dl[data-pairs=sessions]', '777');
  t.match(await focused(page), { name: 'Runbook: sheds' });
  t.match(String(await page.evaluate('getSelection().toString()')), /^3e3e/);
});

t.test('tells a screen reader of a change of state once, and of no figure', async (t) => {
  const served = await servePage(t, QUIET);
  const { page } = await openPage(t, browser, served.origin);
  await listenAsScreenReader(page);
  served.status = { ...QUIET, nowMs: QUIET.nowMs + 2_000, logs: { received: 5, dropped: 0 } };
  await untilText(page, 'dl[data-pairs=daemon]', '5 received');
  t.same(await spokenIn(page), []);
  served.status = { ...DEGRADED };
  await page.waitForSelector('body[data-tone=bad]');
  t.equal((await spokenIn(page)).length, 1);
  t.match((await spokenIn(page))[0], /^Degraded/);
});

t.test('shows 500 identities, and stays quick', async (t) => {
  const served = await servePage(t, withIdentities(500));
  const { page, complaints } = await openPage(t, browser, served.origin);
  t.equal(await page.locator('tbody[data-rows=identities] tr').count(), 500);
  await isForEverybody(t, page, '500');
  served.status = { ...withIdentities(500), nowMs: FULL.nowMs + 1, logs: { received: 5, dropped: 0 } };
  await untilText(page, 'dl[data-pairs=daemon]', '5 received');
  t.same(complaints, []);
});

t.test('says that it needs JavaScript where there is none, and where the figures are', async (t) => {
  const { origin } = await servePage(t, FULL);
  const context = await browser.newContext({ javaScriptEnabled: false });
  t.teardown(() => context.close());
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  t.match(await page.locator('noscript').textContent(), /needs JavaScript/);
});
