/** Node's libraries and its loader come from the system that was named, whatever its links say. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { EifBuildError } from '../../../eif/build-errors.ts';
import { ARCHITECTURES } from '../../../eif/rootfs/architecture.ts';
import { nodeRuntime } from '../../../eif/rootfs/node-runtime.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { tinyElf } from './support/tiny-elf.ts';

const LOADER = '/lib64/ld-linux-x86-64.so.2';
const { nodePackage, koffiPackage, koffiFolder } = ARCHITECTURES.x86_64;

function write(root: string, files: Readonly<Record<string, Buffer | string>>): string {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), bytes);
  }
  return root;
}

function project(t: Test): string {
  const manifest = (name: string) => JSON.stringify({ name, version: '1.0.0' });
  return write(temporaryFolder(t), {
    [`node_modules/${nodePackage}/package.json`]: manifest(nodePackage),
    [`node_modules/${nodePackage}/bin/node`]: tinyElf({ interpreter: LOADER, needed: ['liba.so', 'libb.so'] }),
    [`node_modules/${koffiPackage}/package.json`]: manifest(koffiPackage),
    [`node_modules/${koffiPackage}/${koffiFolder}/koffi.node`]: tinyElf({ needed: ['liba.so'] }),
  });
}

/** Loader and libraries lie in `folder` of the system and are linked to by absolute paths; so do this machine's. */
function linkedSystem(t: Test): { readonly system: string; readonly folder: string } {
  const folder = join(temporaryFolder(t), 'lib');
  const own = { 'ld.so': 'the loader of this machine', 'liba.so': tinyElf({}), 'libb.so': tinyElf({}) };
  write(folder, own);
  const system = temporaryFolder(t);
  write(join(system, folder), {
    'ld.so': 'the loader of the system',
    'liba.so': tinyElf({ unloaded: 1 }),
    'libb.so': tinyElf({ unloaded: 2 }),
  });
  mkdirSync(join(system, 'lib64'));
  mkdirSync(join(system, 'usr/lib'), { recursive: true });
  symlinkSync(join(folder, 'ld.so'), join(system, LOADER));
  symlinkSync(join(folder, 'liba.so'), join(system, 'lib64/liba.so'));
  symlinkSync(`${'../'.repeat(20)}${folder.slice(1)}/libb.so`, join(system, 'usr/lib/libb.so'));
  return { system, folder };
}

t.test('takes loader and libraries from the system that was named, where links lead elsewhere too', async (t) => {
  const { system, folder } = linkedSystem(t);
  const { files, nodeSha256 } = await nodeRuntime({ architecture: 'x86_64', projectFolder: project(t), system });
  nodeSha256.catch(() => undefined);
  for (const [name, linked] of [
    ['lib64/ld-linux-x86-64.so.2', 'ld.so'],
    ['lib64/liba.so', 'liba.so'],
    ['usr/lib/libb.so', 'libb.so'],
  ] as const) {
    const source = files.find((file) => file.name === name)?.source;
    t.ok(source !== undefined && 'path' in source, name);
    if (source === undefined || !('path' in source)) continue;
    t.same(readFileSync(source.path), readFileSync(join(system, folder, linked)), name);
  }
});

t.test("rejects a system whose links lead only to this machine's files (EIF_BUILD_LIBRARY_MISSING)", async (t) => {
  const projectFolder = project(t);
  for (const missing of ['ld.so', 'liba.so', 'libb.so']) {
    const { system, folder } = linkedSystem(t);
    rmSync(join(system, folder, missing));
    const find = () => nodeRuntime({ architecture: 'x86_64', projectFolder, system });
    await rejectsCode(find, EifBuildError, 'EIF_BUILD_LIBRARY_MISSING');
  }
});
