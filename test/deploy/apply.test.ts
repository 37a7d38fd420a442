import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { install, uninstall } from '../../deploy/install/apply.ts';
import type { PlannedEntry } from '../../deploy/install/plan.ts';
import { planInstallation } from '../../deploy/install/plan.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { filesIn, PROJECT } from './make-install.ts';

const LAYOUT = { prefix: '/usr', sysconfdir: '/etc' };
const LIBRARY = '/usr/lib/acra-enclave';
const CONFIG = '/etc/acra-enclave/host-proxy.yaml';

const file = (target: string, text: string, mode = 0o644): PlannedEntry => ({
  kind: 'file',
  target,
  mode,
  content: { text },
});
const PLAN: readonly PlannedEntry[] = [
  file(`${LIBRARY}/main.ts`, 'first'),
  file(`${LIBRARY}/bin/command`, '#!/bin/sh', 0o755),
  { kind: 'link', target: '/usr/bin/command', to: '../lib/acra-enclave/bin/command' },
  { kind: 'config', target: CONFIG, text: 'example: true\n' },
];

t.test('places files, links and configuration, and takes them away', async (t) => {
  const root = temporaryFolder(t);
  install(root, LAYOUT, PLAN);
  t.same(filesIn(root), [
    CONFIG,
    '/usr/bin/command',
    `${LIBRARY}/bin/command`,
    `${LIBRARY}/main.ts`,
    `${LIBRARY}/manifest.json`,
  ]);
  t.equal(readFileSync(join(root, '/usr/bin/command'), 'utf8'), '#!/bin/sh');
  t.same(uninstall(root, LAYOUT), { files: 4, left: [] });
  t.same(filesIn(root), []);
  t.notOk(existsSync(join(root, 'usr')));
});

t.test('never overwrites or removes configuration that was changed', async (t) => {
  const root = temporaryFolder(t);
  install(root, LAYOUT, PLAN);
  writeFileSync(join(root, CONFIG), 'changed: true\n');
  install(root, LAYOUT, PLAN);
  t.equal(readFileSync(join(root, CONFIG), 'utf8'), 'changed: true\n');
  t.same(uninstall(root, LAYOUT).left, [CONFIG, '/etc/acra-enclave', '/etc']);
  t.same(filesIn(root), [CONFIG]);
});

t.test('keeps configuration that was there before, even if it is what would be installed', async (t) => {
  const root = temporaryFolder(t);
  mkdirSync(join(root, 'etc/acra-enclave'), { recursive: true });
  writeFileSync(join(root, CONFIG), 'example: true\n');
  install(root, LAYOUT, PLAN);
  t.same(uninstall(root, LAYOUT).left, []);
  t.same(filesIn(root), [CONFIG]);
});

t.test('removes configuration that an earlier release wrote and nobody changed', async (t) => {
  const root = temporaryFolder(t);
  install(root, LAYOUT, PLAN);
  install(root, LAYOUT, [...PLAN.slice(0, 3), { kind: 'config', target: CONFIG, text: 'newer: true\n' }]);
  t.equal(readFileSync(join(root, CONFIG), 'utf8'), 'example: true\n');
  uninstall(root, LAYOUT);
  t.same(filesIn(root), []);
});

t.test('removes what an older release put there and this one does not, and nothing of others', async (t) => {
  const root = temporaryFolder(t);
  install(root, LAYOUT, [...PLAN, file(`${LIBRARY}/old/dropped.ts`, '')]);
  writeFileSync(join(root, '/usr/bin/other'), '');
  install(root, LAYOUT, PLAN);
  t.notOk(existsSync(join(root, LIBRARY, 'old')));
  t.same(uninstall(root, LAYOUT).left, ['/usr/bin', '/usr']);
  t.same(filesIn(root), ['/usr/bin/other']);
});

t.test('replaces a file that runs, instead of writing into it', async (t) => {
  const root = temporaryFolder(t);
  install(root, LAYOUT, PLAN);
  const path = join(root, LIBRARY, 'main.ts');
  const before = lstatSync(path).ino;
  install(root, LAYOUT, [file(`${LIBRARY}/main.ts`, 'second'), ...PLAN.slice(1)]);
  t.equal(readFileSync(path, 'utf8'), 'second');
  t.not(lstatSync(path).ino, before);
});

t.test('mends a mode that was changed', async (t) => {
  const root = temporaryFolder(t);
  install(root, LAYOUT, PLAN);
  chmodSync(join(root, LIBRARY, 'main.ts'), 0o777);
  install(root, LAYOUT, PLAN);
  t.equal(lstatSync(join(root, LIBRARY, 'main.ts')).mode & 0o777, 0o644);
});

t.test('respects PREFIX and SYSCONFDIR in paths and in texts', async (t) => {
  const plan = planInstallation(PROJECT, { prefix: '/opt/acra', sysconfdir: '/opt/etc' });
  t.same(
    plan.filter(({ target }) => !/^\/opt\/(acra|etc)\//.test(target)),
    [],
  );
  const unit = plan.find(({ target }) => target === '/opt/acra/lib/systemd/system/acra-enclave.service');
  const text = unit?.kind === 'file' && 'text' in unit.content ? unit.content.text : '';
  t.match(
    text,
    /^ExecStart=\/opt\/acra\/lib\/acra-enclave\/bin\/acra-enclave run --config \/opt\/etc\/acra-enclave\/host-proxy\.yaml$/m,
  );
});
