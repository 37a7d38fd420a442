/**
 * `make install` and `make uninstall`: puts what a parent instance needs under PREFIX, self-contained, and takes exactly
 * that away again. Needs neither root (with DESTDIR) nor the network.
 *
 * Conventions: GNU Coding Standards, "DESTDIR" and "Directory Variables".
 */

import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DeployError } from './errors.ts';
import { install, uninstall } from './install/apply.ts';
import type { Layout } from './install/plan.ts';
import { libraryFolder, planInstallation } from './install/plan.ts';
import { orTellError } from './tell-error.ts';

const PROJECT = fileURLToPath(new URL('../', import.meta.url));
const MIB = 1024 * 1024;
const print = (text: string) => process.stdout.write(`${text}\n`);

function absolute(name: string, path: string): string {
  if (isAbsolute(path)) return resolve(path);
  throw new DeployError('INSTALL_PATH', `${name} must be an absolute path`, { found: path });
}

function nextSteps({ prefix, sysconfdir }: Layout): string {
  return `Next, as root:
  systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload
  edit ${sysconfdir}/acra-enclave/host-proxy.yaml; reserve memory and CPUs, as in ${prefix}/share/acra-enclave/examples/allocator.yaml
  acra-enclave doctor
  systemctl enable --now acra-enclave`;
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      destdir: { type: 'string', default: '' },
      prefix: { type: 'string', default: '/usr/local' },
      sysconfdir: { type: 'string', default: '/etc' },
    },
  });
  const root = values.destdir === '' ? '' : resolve(values.destdir);
  const layout = { prefix: absolute('PREFIX', values.prefix), sysconfdir: absolute('SYSCONFDIR', values.sysconfdir) };
  const place = join(root, libraryFolder(layout));
  if (positionals[0] === 'uninstall') {
    const { files, left } = uninstall(root, layout);
    print(files === 0 ? `nothing is installed in ${place}` : `removed ${files} files`);
    for (const path of left) print(`left, because it is not only ours: ${join(root, path)}`);
    return;
  }
  const { files, bytes } = install(root, layout, planInstallation(PROJECT, layout));
  print(`installed ${files} files, ${(bytes / MIB).toFixed(0)} MiB, in ${place}`);
  if (root === '') print(nextSteps(layout));
}

await orTellError(main);
