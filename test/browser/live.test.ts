/** The page of a real daemon, while its enclave is killed and comes back, and while the daemon itself goes. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { freePort } from '../../emulator/free-port.ts';
import { servingStack, step } from '../support/stack.ts';
import { openPage, startBrowser } from './support/browser.ts';
import { untilText } from './support/in-page.ts';

const text = (page: Page, selector: string) => page.locator(selector).textContent();

t.test('follows an enclave that is killed and comes back, and a daemon that goes and comes back', async (t) => {
  const hostSettings = { admin: { listen: `tcp://127.0.0.1:${await freePort()}` } };
  const { stack } = await servingStack(t, { hostSettings });
  const { enclave } = stack;
  const browser = await startBrowser(t);
  const { page, complaints, strangers } = await openPage(t, browser, enclave.adminUrl);
  await untilText(page, '#state', /^Serving\. No alarm/);
  // The enclave tells its numbers every few seconds.
  await untilText(page, 'tbody[data-rows=programs]', /front.*guard-.*acra-/);

  t.match(await text(page, 'tbody[data-rows=boot]'), /master-key/);
  t.notMatch(await text(page, 'tbody[data-rows=boot]'), /runs/);
  t.match(await text(page, 'tbody[data-rows=routes]'), /ingress[\s\S]*database/);
  t.match(await text(page, 'tbody[data-rows=measurements]'), /PCR0[0-9a-f]{96}/);
  t.match(await text(page, 'tbody[data-rows=identities]'), /[0-9a-f]{12}…serving/);
  t.match(await text(page, 'tbody[data-rows=certificates]'), /server20\d\d-/);

  enclave.supervisor?.kill('SIGKILL');
  await untilText(page, '#state', /^Lost/);
  t.match(await text(page, '#measurements .note'), /silent for .*: this is what it said before/);
  t.match(await text(page, 'tbody[data-rows=programs]'), 'None is known now.');
  t.match(await text(page, 'dl[data-pairs=service]'), /cannot connect/);
  enclave.startSupervisor();
  await enclave.untilServing(step());
  await untilText(page, '#state', /^Serving\./);
  t.equal(await text(page, '#measurements .note'), '');
  t.same([complaints, strangers], [[], []]);

  await enclave.hostProxy?.stop();
  await page.waitForSelector('body[data-fresh=no]');
  t.match(
    await text(page, '#lost'),
    /No connection to the daemon \(.*\)\. The figures below are of 20\d\d-.* and not of now\./,
  );
  t.equal(await text(page, '#state'), 'Not known now');
  t.match(await text(page, '#reason'), /^It was: Serving/);
  t.equal(await page.title(), 'No connection · acra-enclave');
  await enclave.startHostProxy();
  await page.waitForSelector('body[data-fresh=yes]', { timeout: 60_000 });
  t.equal(await text(page, '#lost'), '');
});
