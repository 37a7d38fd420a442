/** What is in an image and beside it; and what happens when something is wrong. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { digestFiles } from '../../../attestation/runtime/folder-digest.ts';
import { stateRuntime } from '../../../attestation/runtime/state-runtime.ts';
import { enclaveSchema } from '../../../config/enclave.ts';
import { loadConfig } from '../../../config/load.ts';
import { EifBuildError } from '../../../eif/build-errors.ts';
import { writeBootstrapRamdisk } from '../../../eif/cpio/bootstrap.ts';
import { readCpio } from '../../../eif/cpio/reader.ts';
import { readExpectedPcrs } from '../../../eif/expected-pcrs.ts';
import { extractImage } from '../../../eif/extract.ts';
import { compressionFor } from '../../../eif/image/ramdisks.ts';
import { readFilePieces } from '../../../eif/input-file.ts';
import { awsBlobs } from '../../../eif/kernel/aws-blobs.ts';
import { verifyImage } from '../../../eif/verify.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { collect } from '../support/bytes.ts';
import { chainOf, keyOf, NOW_MS } from '../support/vectors.ts';
import { ARCHITECTURE, buildIn, ENTRY_POINTS, requestIn } from './support/build.ts';

interface BomPart {
  readonly name: string;
  readonly hashes?: readonly { readonly content: string }[];
  readonly components?: readonly BomPart[];
}

function json<Result>(path: string): Result {
  return JSON.parse(readFileSync(path, 'utf8')) as Result;
}

async function extracted(t: Test, folder: string): Promise<string> {
  const parts = join(temporaryFolder(t), 'parts');
  await extractImage(join(folder, 'build/acra-enclave.eif'), parts);
  return parts;
}

t.test('lists every file of the image, with the digest of what is really in it', async (t) => {
  const folder = temporaryFolder(t);
  const measurements = await buildIn(folder);
  const parts = await extracted(t, folder);
  const files = new Map<string, string>();
  for (const index of [0, 1]) {
    for await (const { name, sha256, header } of readCpio(readFilePieces(join(parts, `ramdisk-${index}`)))) {
      if (sha256 !== undefined) files.set(`/${name}`, sha256);
      t.equal(header.mtimeS, 0, name);
    }
  }
  const bill = json<{ components: readonly BomPart[] }>(join(folder, 'build/bom.json'));
  const listed = bill.components.flatMap(({ components = [] }) => components);
  t.same(Object.fromEntries(listed.map(({ name, hashes }) => [name, hashes?.[0]?.content])), Object.fromEntries(files));
  t.same(Object.assign({}, ...measurements.ramdisks.map((ramdisk) => ramdisk.files)), Object.fromEntries(files));
  for (const name of ['/usr/bin/node', '/acra-enclave/init', '/acra/acra-server', '/enclave/enclave.yaml']) {
    t.ok(files.has(name), name);
  }
  const strange = [...files.keys()].filter((name) => /^\/(etc|bin|sbin)\/|\/(sh|bash|npm|ld\.so\.cache)$/.test(name));
  t.same(strange, [], 'no shell, no package manager, no certificates of the system');
});

t.test('measures what verify finds, and every digest of the results', async (t) => {
  const folder = temporaryFolder(t);
  const measurements = await buildIn(folder);
  const path = join(folder, 'build/measurements.json');
  t.same(json(path), measurements);
  const image = join(folder, 'build/acra-enclave.eif');
  const { isValid } = await verifyImage(image, NOW_MS, await readExpectedPcrs(path));
  t.ok(isValid);
  const digest = (name: string) => createHash('sha256').update(readFileSync(name)).digest('hex');
  t.equal(measurements.image.sha256, digest(image));
  t.equal(measurements.billOfMaterials.sha256, digest(join(folder, 'build/bom.json')));
  t.equal(measurements.kernel.sha256, createHash('sha256').update('KERNEL').digest('hex'));
});

t.test('states what the enclave will state of the same folder, in both layouts', async (t) => {
  const folder = temporaryFolder(t);
  const { runtime, Measurements } = await buildIn(folder);
  const config = loadConfig(enclaveSchema, join(folder, 'enclave/enclave.yaml'));
  const stated = stateRuntime({ config, files: await digestFiles(join(folder, 'enclave')), release: '1.2.3' });
  t.same(runtime, { statement: stated.statement, PCR16: stated.pcr16.toString('hex') });
  t.same(Object.keys(Measurements), ['HashAlgorithm', 'PCR0', 'PCR1', 'PCR2', 'PCR8'], 'as nitro-cli has them');
  const { kernel } = await requestIn(join(folder, 'aws'));
  const blob = join(folder, 'blob');
  writeFileSync(blob, 'init or module');
  const bootstrap = { kind: 'aws', init: blob, nsmModule: blob } as const;
  t.same((await buildIn(join(folder, 'aws'), { kernel: { ...kernel, bootstrap } })).runtime, runtime);
});

t.test('keeps PCR1 when only the application changes, and PCR2 when only the runtime does', async (t) => {
  const [folder, other] = [temporaryFolder(t), temporaryFolder(t)];
  const before = (await buildIn(folder)).Measurements;
  const request = await requestIn(other);
  writeFileSync(join(other, 'enclave/encryptor.yaml'), 'schemas: [] # another\n');
  const { buildEnclaveImage } = await import('../../../eif/image/build-image.ts');
  const application = (await buildEnclaveImage(request)).Measurements;
  t.equal(application.PCR1, before.PCR1);
  t.not(application.PCR2, before.PCR2);
  t.not(application.PCR0, before.PCR0);
  const entryPoints = { ...ENTRY_POINTS, init: 'supervisor/main.ts' };
  const runtime = (await buildIn(join(other, 'runtime'), { entryPoints })).Measurements;
  t.equal(runtime.PCR2, before.PCR2);
  t.not(runtime.PCR1, before.PCR1);
});

function hasCpio(): boolean {
  try {
    execFileSync('cpio', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const cannotChroot = process.getuid?.() !== 0 || !hasCpio() ? 'needs root, to change the root folder, and cpio' : false;

t.test(
  'runs from where it lies: Node, its libraries, the addon, the programs and acra-server',
  { skip: cannotChroot },
  async (t) => {
    const folder = temporaryFolder(t);
    await buildIn(folder);
    const parts = await extracted(t, folder);
    const root = join(folder, 'root');
    mkdirSync(root);
    for (const index of [0, 1]) {
      const input = readFileSync(join(parts, `ramdisk-${index}`));
      execFileSync('cpio', ['-idm', '--quiet', '--no-preserve-owner'], { cwd: root, input });
    }
    // A child whose input is ignored gets this; devtmpfs has the real one.
    writeFileSync(join(root, 'dev/null'), '');
    const inside = (...command: readonly string[]) =>
      // The test runner adds options for Node to every child's environment; inside, the files that they name are not there.
      execFileSync('env', ['--ignore-environment', 'PATH=/usr/sbin:/usr/bin', 'chroot', root, ...command], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    t.match(JSON.parse(inside('/usr/bin/node', '/acra-enclave/init')), {
      koffi: /^\d/,
      keystore: /^KEYSTORE_|^ENCRYPTOR_|^CONFIG_/,
      launched: process.version,
      supervisor: 'function',
      relay: 'stopped',
    });
    const { program, leadingArguments } = json<{ program: string; leadingArguments: string[] }>(
      join(root, 'acra/program.json'),
    );
    t.match(inside(program, ...leadingArguments, '--version'), /env|coreutils/);
  },
);

t.test("keeps AWS's own layout with the blobs of nitro-cli", async (t) => {
  const folder = temporaryFolder(t);
  const blobs = join(folder, 'blobs');
  mkdirSync(blobs);
  const cmdline = 'reboot=k panic=30\n';
  const name = ARCHITECTURE === 'x86_64' ? 'bzImage' : 'Image';
  const contents = { [name]: 'KERNEL', init: 'INIT', 'nsm.ko': 'MODULE', cmdline };
  for (const [file, text] of Object.entries(contents)) writeFileSync(join(blobs, file), text);
  writeFileSync(join(blobs, `${name}.config`), '#\n# Automatic\n# Linux/x86_64 4.14.256 Kernel Configuration\n#\n');
  const kernel = await awsBlobs(blobs, ARCHITECTURE);
  const measurements = await buildIn(folder, { kernel, compression: undefined });
  t.equal(measurements.kernel.release, '4.14.256');
  t.equal(measurements.kernel.cmdline, 'reboot=k panic=30');
  const parts = await extracted(t, folder);
  const bootstrap = writeBootstrapRamdisk({
    init: { bytes: Buffer.from('INIT') },
    nsmModule: { bytes: Buffer.from('MODULE') },
  });
  t.ok(readFileSync(join(parts, 'ramdisk-0')).equals(await collect(bootstrap)));
  const entries = await Array.fromAsync(readCpio(readFilePieces(join(parts, 'ramdisk-1'))));
  const top = new Set(entries.map((entry) => entry.name.split('/')[0]));
  t.same([...top], ['cmd', 'env', 'rootfs']);
  const names = entries.map((entry) => entry.name);
  for (const each of ['dev', 'run', 'sys', 'var', 'proc', 'tmp']) t.ok(names.includes(`rootfs/${each}`), each);
});

t.test('rejects zstd for a kernel that cannot unpack it (EIF_BUILD_COMPRESSION)', async (t) => {
  const folder = temporaryFolder(t);
  const request = await requestIn(folder);
  const { buildEnclaveImage } = await import('../../../eif/image/build-image.ts');
  for (const release of ['4.14.256', '5.8.18'])
    for (const compression of ['zstd', { zstd: 3 }] as const) {
      const build = () => buildEnclaveImage({ ...request, kernel: { ...request.kernel, release }, compression });
      await rejectsCode(build, EifBuildError, 'EIF_BUILD_COMPRESSION');
    }
  const kernel = { ...request.kernel, bootstrap: { kind: 'aws', init: '', nsmModule: '' } } as const;
  t.equal(compressionFor({ ...kernel, release: '4.14.256' }, undefined), 'none');
  t.equal(compressionFor({ ...kernel, release: '4.14.256' }, 'gzip'), 'gzip');
  for (const release of ['5.9.0', '5.10.220', '6.1.0-rc1', '10.0', 'unknown'])
    t.equal(compressionFor({ ...kernel, release }, 'zstd'), 'zstd', release);
});

t.test('signs in the same go', async (t) => {
  const folder = temporaryFolder(t);
  const signer = { key: await keyOf('es384'), chain: await chainOf('es384'), nowMs: NOW_MS };
  const measurements = await buildIn(folder, { signer });
  const expected = await readExpectedPcrs(join(folder, 'build/measurements.json'));
  const { isValid, pcrs } = await verifyImage(join(folder, 'build/acra-enclave.eif'), NOW_MS, expected);
  t.ok(isValid);
  t.equal(measurements.Measurements.PCR8, pcrs.PCR8);
});

t.test('rejects the stand-in unless it is allowed (EIF_BUILD_STAND_IN)', async (t) => {
  const folder = temporaryFolder(t);
  const acraServer = { kind: 'stand-in', program: process.execPath, leadingArguments: [], sha256: '0' } as const;
  const request = await requestIn(folder, { acraServer });
  const { buildEnclaveImage } = await import('../../../eif/image/build-image.ts');
  await rejectsCode(() => buildEnclaveImage(request), EifBuildError, 'EIF_BUILD_STAND_IN');
  const { ramdisks } = await buildEnclaveImage({ ...request, allowStandIn: true });
  const files = Object.keys(ramdisks[1]?.files ?? {});
  t.ok(files.includes('/acra/stand-in.mjs'));
  t.ok(files.some((name) => name.endsWith('libpg-query.wasm')));
});

t.test('keeps the stand-in out even when our own code refers to it (EIF_BUILD_STAND_IN)', async (t) => {
  const entryPoints = { ...ENTRY_POINTS, init: 'emulator/acra-server/command.ts' };
  const build = () => buildIn(temporaryFolder(t), { entryPoints });
  await rejectsCode(build, EifBuildError, 'EIF_BUILD_STAND_IN');
});

t.test('rejects an acra-server that is not the one that was found (EIF_BUILD_ACRA_SERVER)', async (t) => {
  const folder = temporaryFolder(t);
  const request = await requestIn(folder);
  const acraServer = {
    kind: 'path',
    program: process.execPath,
    leadingArguments: [],
    ...request.acraServer,
    sha256: '0'.repeat(64),
  } as const;
  const { buildEnclaveImage } = await import('../../../eif/image/build-image.ts');
  for (const compression of ['none', { zstd: 1 }] as const) {
    const build = () => buildEnclaveImage({ ...request, acraServer, compression });
    await rejectsCode(build, EifBuildError, 'EIF_BUILD_ACRA_SERVER');
    t.same(readdirSync(join(folder, 'build')), []);
  }
});

t.test('leaves the results of an earlier build, and nothing else, when a build fails', async (t) => {
  const folder = temporaryFolder(t);
  const request = await requestIn(folder);
  const build = join(folder, 'build');
  mkdirSync(build);
  writeFileSync(join(build, 'acra-enclave.eif'), 'earlier');
  const { buildEnclaveImage } = await import('../../../eif/image/build-image.ts');
  const broken = { ...request, entryPoints: { ...ENTRY_POINTS, init: 'test/eif/image/support/nothing.ts' } };
  await rejectsCode(() => buildEnclaveImage(broken), EifBuildError, 'EIF_BUILD_BUNDLE');
  const controller = new AbortController();
  const stopped = buildEnclaveImage({
    ...request,
    signal: controller.signal,
    onProgress: (step) => {
      if (step.startsWith('writing')) controller.abort(new Error('stopped by the test'));
    },
  });
  await t.rejects(stopped, { message: 'stopped by the test' });
  t.same(readdirSync(build), ['acra-enclave.eif']);
  t.equal(readFileSync(join(build, 'acra-enclave.eif'), 'utf8'), 'earlier');
});

t.test('rejects a project without the pinned Node (EIF_BUILD_NODE_MISSING)', async (t) => {
  const folder = temporaryFolder(t);
  const build = async () => buildIn(folder, { projectFolder: folder });
  await rejectsCode(build, EifBuildError, 'EIF_BUILD_NODE_MISSING');
});

t.test('rejects a place that cannot be written to (EIF_BUILD_OUTPUT)', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  const build = async () => buildIn(folder, { outputFolder: join(folder, 'file', 'build') });
  await rejectsCode(build, EifBuildError, 'EIF_BUILD_OUTPUT');
});
