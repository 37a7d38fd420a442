/** Kernels are built once, kept under the hash of their inputs, and never trusted blindly. The recipe here is a small one. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { KernelError } from '../../../eif/build-errors.ts';
import { awsBlobs } from '../../../eif/kernel/aws-blobs.ts';
import { KERNEL_CMDLINE } from '../../../eif/kernel/cmdline.ts';
import { type DebianKernelOptions, debianKernel } from '../../../eif/kernel/debian.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const RECIPE = `set -eu
echo building >&2
echo x >>"$CACHE/runs"
mkdir "$3.new"; cat "$2" >"$3.new/bzImage"; echo 6.12.1 >"$3.new/release"; mv "$3.new" "$3"
`;

function options(t: Test, recipe: string, changes: Partial<DebianKernelOptions> = {}): DebianKernelOptions {
  const projectFolder = temporaryFolder(t);
  mkdirSync(join(projectFolder, 'scripts'));
  mkdirSync(join(projectFolder, 'eif/kernel'), { recursive: true });
  writeFileSync(join(projectFolder, 'scripts/build-kernel.sh'), recipe);
  writeFileSync(join(projectFolder, 'eif/kernel/enclave-hardened.config'), 'CONFIG_A=y\n');
  return {
    architecture: 'x86_64',
    version: '6.12.1-1',
    projectFolder,
    cacheFolder: temporaryFolder(t),
    environment: { PATH: process.env['PATH'] },
    packages: [],
    tools: async () => ({ compiler: 'cc 1', linker: 'ld 1' }),
    signal: AbortSignal.timeout(60_000),
    onProgress: () => undefined,
    ...changes,
  };
}

function runs({ cacheFolder }: DebianKernelOptions): number {
  const file = join(cacheFolder, 'runs');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

t.test('builds once and again only when an input changed', async (t) => {
  const wanted = options(t, RECIPE);
  const kernel = await debianKernel(wanted);
  t.match(kernel, { release: '6.12.1', cmdline: KERNEL_CMDLINE, bootstrap: { kind: 'own' } });
  t.equal(kernel.origin.purl, 'pkg:deb/debian/linux-source-6.12@6.12.1-1');
  t.equal((await debianKernel(wanted)).path, kernel.path);
  t.equal(runs(wanted), 1);
  appendFileSync(join(wanted.projectFolder, 'eif/kernel/enclave-hardened.config'), 'CONFIG_B=y\n');
  t.not((await debianKernel(wanted)).path, kernel.path);
  t.equal(runs(wanted), 2);
  await debianKernel({ ...wanted, version: '6.12.2-1' });
  t.equal(runs(wanted), 3);
});

t.test('rejects a cached kernel that was changed (KERNEL_CACHE_CHANGED)', async (t) => {
  const wanted = options(t, RECIPE);
  const { path } = await debianKernel(wanted);
  appendFileSync(path, 'x');
  await rejectsCode(() => debianKernel(wanted), KernelError, 'KERNEL_CACHE_CHANGED');
  writeFileSync(join(path, '../kernel.json'), '{');
  await rejectsCode(() => debianKernel(wanted), KernelError, 'KERNEL_CACHE_CHANGED');
});

t.test('tells a version that is gone from a build that failed (KERNEL_SOURCE, KERNEL_BUILD)', async (t) => {
  const gone = options(t, 'echo "on the mirror: 6.12.9-1" >&2; exit 3\n');
  const { found } = await rejectsCode(() => debianKernel(gone), KernelError, 'KERNEL_SOURCE');
  t.match(found, /6\.12\.9-1/);
  const broken = options(t, 'echo "cc1: out of memory" >&2; mkdir "$3"; exit 1\n');
  const { message } = await rejectsCode(() => debianKernel(broken), KernelError, 'KERNEL_BUILD');
  t.match(message, /out of memory/);
  t.same(readdirSync(broken.cacheFolder), ['kernel.lock'], 'nothing half-built is left');
});

t.test('builds once when two ask at the same time', async (t) => {
  const wanted = options(t, RECIPE);
  const [first, second] = await Promise.all([debianKernel(wanted), debianKernel(wanted)]);
  t.equal(first.path, second.path);
  t.equal(runs(wanted), 1);
});

t.test('removes what a killed build left, and nothing else', async (t) => {
  const wanted = options(t, RECIPE);
  for (const name of ['kernel-build.Xy12', 'kernel-abc.123.partial', 'kernel-abc.123.partial.new', 'kernel-old', 'apt'])
    mkdirSync(join(wanted.cacheFolder, name));
  const { path } = await debianKernel(wanted);
  const left = readdirSync(wanted.cacheFolder).filter((name) => name !== basename(dirname(path)));
  t.same(left.sort(), ['apt', 'kernel-old', 'kernel.lock', 'runs']);
});

t.test('ends the whole build when it is told to stop', async (t) => {
  const controller = new AbortController();
  const wanted = options(t, 'echo started >&2\nsleep 60 & echo $! >"$CACHE/child"; wait\n', {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('stopped by the test')),
  });
  await t.rejects(debianKernel(wanted), { message: 'stopped by the test' });
});

t.test('names the packages that are missing (KERNEL_PACKAGES_MISSING)', async (t) => {
  const wanted = options(t, RECIPE, { packages: ['no-such-package-a', 'no-such-package-b'] });
  const { message } = await rejectsCode(() => debianKernel(wanted), KernelError, 'KERNEL_PACKAGES_MISSING');
  t.match(message, /no-such-package-a no-such-package-b/);
});

t.test('rejects a processor without a configuration (KERNEL_ARCHITECTURE)', async (t) => {
  const wanted = options(t, RECIPE, { architecture: 'aarch64' });
  await rejectsCode(() => debianKernel(wanted), KernelError, 'KERNEL_ARCHITECTURE');
});

t.test("rejects a folder without all of nitro-cli's blobs (KERNEL_BLOBS_INVALID)", async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['bzImage', 'init', 'cmdline']) writeFileSync(join(folder, name), name);
  await rejectsCode(() => awsBlobs(folder, 'x86_64'), KernelError, 'KERNEL_BLOBS_INVALID');
});

t.test('keeps the command line free of what init would never see', async (t) => {
  const [, afterInit = ''] = KERNEL_CMDLINE.split(/ rdinit=\S+ /);
  t.notMatch(afterInit, /[.=]|(^| )--( |$)/, 'the kernel keeps arguments with a dot or an equals sign for itself');
  t.notMatch(KERNEL_CMDLINE, / -- /, 'the hypervisor appends its devices, which must stay the kernel’s');
});
