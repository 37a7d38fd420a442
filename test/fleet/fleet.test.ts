/** A small fleet under load: what must hold whatever happens to a part of it. Needs root, for network namespaces, and HAProxy. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lacks } from '../../bench/fleet/lacks.ts';
import type { Reasons } from '../../bench/fleet/measure.ts';
import { runFleet } from '../../bench/fleet/run.ts';
import { processesNaming } from '../support/processes.ts';
import { acraUnderTest } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const lack = lacks();
const LIMIT_MS = 700_000;
/** From a session that is lost to the next answer; of a machine that does other work besides, the slowest client gets more. */
const NEW_SESSION_MS = 1_000;
const GAP_MS = 3_000;
const OPTIONS = { hosts: 2, clients: 8, checkSeconds: 5, checks: 2, isWritten: false, mayReplace: false };

const sum = (reasons: Reasons) => [...reasons.values()].reduce((all, count) => all + count, 0);

t.test('a fleet under load', { skip: lack ?? false }, async (t) => {
  const acraProgram = await acraUnderTest();
  t.comment(`acra-server under test: ${acraProgram.description}`);
  const events = ['host-killed', 'host-frozen', 'balancer-restarted', 'drain', 'upgrade', 'database-failover'];
  const { measured, acknowledged, faults } = await runFleet(
    acraProgram,
    { ...OPTIONS, events },
    AbortSignal.timeout(LIMIT_MS),
  );
  const of = (name: string) => measured.find(({ event }) => event.name === name);

  t.test('answers rightly, keeps what it acknowledged, and stores no plaintext', async (t) => {
    t.ok(acknowledged > 100, `${acknowledged} rows`);
    t.same(faults, []);
  });

  t.test('stores nothing of an INSERT that it answered with an error', async (t) => {
    for (const { event, refusedButStored } of measured) t.same([...refusedButStored], [], event.name);
  });

  t.test('serves all clients while a host is dead', async (t) => {
    const killed = of('host-killed');
    t.ok(killed && sum(killed.lost) > 0, 'sessions were lost');
    t.ok(killed && sum(killed.lost) <= OPTIONS.clients, 'those of one host');
    t.ok((killed?.firstAgainMs ?? Number.NaN) < NEW_SESSION_MS, `the first again after ${killed?.firstAgainMs} ms`);
    t.ok((killed?.longestGapMs ?? Number.NaN) < GAP_MS, `nobody waited longer than ${killed?.longestGapMs} ms`);
  });

  for (const name of ['drain', 'upgrade'])
    t.test(`loses no session that ends within the time of a drain (${name})`, async (t) => {
      const event = of(name);
      t.equal(event?.lostOfPool, 0);
      t.same(
        [...(event?.lost.keys() ?? [])].filter((reason) => reason !== '57P01'),
        [],
        'the others are told',
      );
    });

  t.test('serves again from a standby that was promoted', async (t) => {
    t.ok((of('database-failover')?.answered ?? 0) > 0);
  });
});

t.test('leaves nothing behind when it is interrupted', { skip: lack ?? false }, async (t) => {
  const main = join(import.meta.dirname, '../../bench/fleet/main.ts');
  const TMPDIR = temporaryFolder(t);
  const child = spawn(process.execPath, [main, '--hosts', '2'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR },
  });
  let told = '';
  let isUp = false;
  child.stderr.on('data', (chunk) => {
    told += chunk;
    if (isUp || !/nothing: nothing/.test(told)) return;
    isUp = true;
    child.kill('SIGINT');
  });
  const [code] = await once(child, 'close');
  t.equal(code, 130, told);
  const namespaces = readdirSync('/run/netns').filter((name) => name.startsWith(`acra-fleet-${child.pid}-`));
  t.same(namespaces, []);
  t.notOk(readdirSync('/sys/class/net').includes(`acrafl${child.pid}`), 'no bridge');
  t.same(readdirSync(TMPDIR), [], 'no file');
  t.same(processesNaming(TMPDIR), [], 'no process');
});
