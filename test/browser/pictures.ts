/** `node test/browser/pictures.ts FOLDER`: the page as PNG files, to be looked at; those that docs/status-page.md shows are among them. */
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { Registry } from 'prom-client';
import { AdminServer } from '../../host-proxy/operator/admin/server.ts';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import { DEGRADED, FULL } from '../host-proxy/operator/support/statuses.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from './support/chromium.ts';
import { CALM } from './support/statuses.ts';

interface Picture {
  readonly name: string;
  readonly status: HostStatus;
  readonly width: number;
  readonly height?: number;
  readonly dark: boolean;
  readonly isDaemonGone?: boolean;
}

const PICTURES: readonly Picture[] = [
  { name: 'status-page-light', status: CALM, width: 1100, height: 760, dark: false },
  { name: 'status-page-dark', status: DEGRADED, width: 1100, height: 760, dark: true },
  { name: 'whole-light', status: CALM, width: 1280, dark: false },
  { name: 'whole-dark-alarms', status: DEGRADED, width: 1280, dark: true },
  { name: 'whole-light-alarms', status: FULL, width: 1440, dark: false },
  { name: 'whole-360', status: DEGRADED, width: 360, dark: false },
  { name: 'whole-360-dark', status: CALM, width: 360, dark: true },
  { name: 'whole-768', status: FULL, width: 768, dark: false },
  { name: 'daemon-gone', status: CALM, width: 1280, height: 1000, dark: false, isDaemonGone: true },
  { name: 'daemon-gone-dark-360', status: CALM, width: 360, height: 800, dark: true, isDaemonGone: true },
  {
    name: 'enclave-lost',
    status: { ...CALM, state: 'lost', ready: false, connected: false, silentMs: 95_000, publicAddress: null },
    width: 1280,
    height: 1000,
    dark: true,
  },
];

const wanted = process.argv[2];
const folder = resolve(wanted ?? 'docs/pictures');
/** Those that are committed. */
const shown = PICTURES.filter(({ name }) => wanted !== undefined || name.startsWith('status-page-'));
const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
for (const { name, status, width, height, dark, isDaemonGone = false } of shown) {
  const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const server = new AdminServer({ listen, status: () => status, metrics: new Registry() });
  await server.start(new AbortController().signal);
  const page = await browser.newPage({
    viewport: { width, height: height ?? 900 },
    colorScheme: dark ? 'dark' : 'light',
  });
  await page.goto(`http://127.0.0.1:${server.address.port}/`);
  await page.waitForSelector('body[data-fresh=yes]');
  if (isDaemonGone) {
    await server.stop();
    await page.waitForSelector('body[data-fresh=no]');
  }
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: height === undefined });
  await page.close();
  await server.stop();
}
await browser.close();
