/** The ways in, with a real relay: one that must close while it opens is closed in the end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { Relay } from '../../relay/relay.ts';
import { silentLogger } from '../../runtime/log.ts';
import { PublicRoutes } from '../../supervisor/public-routes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const LIMITS = {
  maxConnections: 4,
  maxPending: 4,
  connectTimeoutMs: 1_000,
  prefaceTimeoutMs: 1_000,
  idleTimeoutMs: 1_000,
};

async function surroundings(t: TapTest) {
  const folder = temporaryFolder(t);
  const relay = new Relay({ logger: silentLogger });
  await relay.start(AbortSignal.timeout(20_000));
  t.teardown(() => relay.stop());
  const paths = ['one', 'two'].map((label) => join(folder, label));
  const routes = paths.map((path, index) => ({
    label: `route-${index}`,
    listen: { kind: 'unix', path } as const,
    connect: { kind: 'unix', path: join(folder, 'none') } as const,
    preface: { kind: 'none' } as const,
    limits: LIMITS,
  }));
  const listening = () => paths.filter((path) => existsSync(path)).length;
  return { publicRoutes: new PublicRoutes(relay, routes), listening };
}

t.test('opens all of them, and closes them again', async (t) => {
  const { publicRoutes, listening } = await surroundings(t);
  t.equal(await publicRoutes.open(), true);
  t.equal(listening(), 2);
  t.equal(await publicRoutes.close(1), 0);
  t.equal(listening(), 0);
});

t.test('leaves none open when they must close while they are being opened', async (t) => {
  const { publicRoutes, listening } = await surroundings(t);
  const opening = publicRoutes.open();
  const closing = publicRoutes.close(1);
  t.equal(await opening, false);
  await closing;
  t.equal(listening(), 0);
});

t.test('opens none after they were closed, however often that was said', async (t) => {
  const { publicRoutes, listening } = await surroundings(t);
  await Promise.all([publicRoutes.close(1), publicRoutes.close(1)]);
  t.equal(await publicRoutes.open(), false);
  t.equal(listening(), 0);
});
