/** Which programs the virtual machine tests get: named ones, else built ones. The recipes and compilers here are small ones. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { userCacheFolder } from '../../../cli/cache-folder.ts';
import { findAdvice } from '../../../cli/error-advice.ts';
import type { ToolContext } from '../../../cli/qemu/cached-tool.ts';
import { VmToolError } from '../../../cli/qemu/errors.ts';
import { provideVmTools } from '../../../cli/qemu/vm-tools.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fakeProgram, linkPrograms } from './support/fake-program.ts';

const BUILD_QEMU = `set -eu
mkdir -p "$2/bin" "$2/share"; echo "$1" >"$2/bin/qemu-system-x86_64"
for f in qboot.rom linuxboot_dma.bin pvh.bin kvmvapic.bin; do echo "$f" >"$2/share/$f"; done
`;
const BUILD_VSOCK = `set -eu
if [ "$1" = --compiler ]; then echo "rustc 1.90.0"; exit; fi
mkdir -p "$1/bin"; echo vsock >"$1/bin/vhost-device-vsock"
`;

/** A project with recipes, and a PATH with a compiler; `environment` adds to it. */
function context(t: Test, environment: NodeJS.ProcessEnv = {}): ToolContext {
  const projectFolder = temporaryFolder(t);
  mkdirSync(join(projectFolder, 'scripts/patches'), { recursive: true });
  writeFileSync(join(projectFolder, 'scripts/build-qemu.sh'), BUILD_QEMU);
  writeFileSync(join(projectFolder, 'scripts/build-vhost-device-vsock.sh'), BUILD_VSOCK);
  for (const name of ['vhost-device-vsock-nitro', 'qemu-virtio-nsm']) {
    writeFileSync(join(projectFolder, `scripts/patches/${name}.patch`), 'patch\n');
  }
  const programs = join(projectFolder, 'bin');
  linkPrograms(programs, ['bash', 'mkdir', 'cat']);
  fakeProgram(join(programs, 'gcc'), 'echo "gcc 12"; echo more');
  return {
    projectFolder,
    cacheFolder: temporaryFolder(t),
    environment: { PATH: programs, ...environment },
    onProgress: () => undefined,
    signal: AbortSignal.timeout(60_000),
  };
}

t.test('builds both, and again what a changed version, patch or compiler makes another', async (t) => {
  const wanted = context(t);
  const first = await provideVmTools(wanted);
  t.match(first, {
    qemu: { program: /\/qemu-[0-9a-f]{24}\/bin\/qemu-system-x86_64$/, firmwareFolder: /\/share$/ },
    vhostDeviceVsock: /\/vhost-device-vsock-[0-9a-f]{24}\/bin\/vhost-device-vsock$/,
  });
  t.same(await provideVmTools(wanted), first);
  appendFileSync(join(wanted.projectFolder, 'scripts/patches/vhost-device-vsock-nitro.patch'), 'more\n');
  const patched = await provideVmTools(wanted);
  t.not(patched.vhostDeviceVsock, first.vhostDeviceVsock);
  t.equal(patched.qemu.program, first.qemu.program);
  appendFileSync(join(wanted.projectFolder, 'scripts/patches/qemu-virtio-nsm.patch'), 'more\n');
  t.not((await provideVmTools(wanted)).qemu.program, first.qemu.program);
  for (const name of ['QEMU_VERSION', 'MESON_VERSION']) {
    const other = await provideVmTools({ ...wanted, environment: { ...wanted.environment, [name]: '9' } });
    t.not(other.qemu.program, first.qemu.program, name);
  }
  fakeProgram(join(wanted.projectFolder, 'bin/gcc'), 'echo "gcc 13"');
  t.not((await provideVmTools(wanted)).qemu.program, first.qemu.program);
});

t.test('takes programs that the environment names', async (t) => {
  const folder = temporaryFolder(t);
  const qemu = fakeProgram(join(folder, 'bin/qemu'), 'echo "microvm"; echo "nitro-enclave  AWS Nitro Enclave"');
  const vsock = fakeProgram(join(folder, 'bin/vsock'), 'echo 0.3.0');
  mkdirSync(join(folder, 'share/qemu'), { recursive: true });
  writeFileSync(join(folder, 'share/qemu/qboot.rom'), '');
  const named = context(t, { QEMU_NITRO: qemu, VHOST_DEVICE_VSOCK: vsock });
  const tools = await provideVmTools(named);
  t.match(tools, {
    qemu: { program: qemu, firmwareFolder: join(folder, 'share/qemu') },
    vhostDeviceVsock: vsock,
  });
  const elsewhere = { ...named.environment, QEMU_NITRO_FIRMWARE: temporaryFolder(t) };
  await rejectsCode(() => provideVmTools({ ...named, environment: elsewhere }), VmToolError, 'VM_TOOL_PROGRAM');
});

t.test('rejects a named program that cannot serve (VM_TOOL_PROGRAM)', async (t) => {
  const folder = temporaryFolder(t);
  const old = fakeProgram(join(folder, 'old'), 'echo "microvm"');
  const broken = fakeProgram(join(folder, 'broken'), 'exit 1');
  for (const environment of [
    { QEMU_NITRO: old },
    { QEMU_NITRO: broken },
    { QEMU_NITRO: join(folder, 'nothing') },
    { VHOST_DEVICE_VSOCK: broken },
    { VHOST_DEVICE_VSOCK: join(folder, 'nothing') },
  ]) {
    await rejectsCode(() => provideVmTools(context(t, environment)), VmToolError, 'VM_TOOL_PROGRAM');
  }
});

t.test('rejects a machine without a compiler (VM_TOOL_COMPILER)', async (t) => {
  const noRust = context(t);
  writeFileSync(join(noRust.projectFolder, 'scripts/build-vhost-device-vsock.sh'), 'echo "no cargo" >&2; exit 1\n');
  const noGcc = context(t);
  fakeProgram(join(noGcc.projectFolder, 'bin/gcc'), 'exit 127');
  for (const wanted of [noRust, noGcc]) {
    const { code } = await rejectsCode(() => provideVmTools(wanted), VmToolError, 'VM_TOOL_COMPILER');
    t.match(findAdvice(code), /vm-packages\.sh --install/);
  }
});

t.test('keeps its cache where the user keeps caches', async (t) => {
  t.equal(userCacheFolder({ XDG_CACHE_HOME: '/c' }, 'vm'), '/c/acra-enclave/vm');
  t.match(userCacheFolder({ XDG_CACHE_HOME: '' }, 'vm'), /\/\.cache\/acra-enclave\/vm$/);
});
