/** A container image of one Node program with nothing beside it: Node, the libraries that it loads, and the program in one file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { hostArchitecture } from '../../cli/eif/provide-kernel.ts';
import type { RootfsFile } from '../../eif/rootfs/content.ts';
import { nodeRuntime } from '../../eif/rootfs/node-runtime.ts';
import { writeLayout } from '../../test/eif/oci/support/layout.ts';
import type { TestEntry } from '../../test/eif/oci/support/tar.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** Packages in CommonJS call `require` for modules of Node; an ES module has none. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export const NODE_IN_IMAGE = '/usr/bin/node';

async function bytesOf({ source }: RootfsFile): Promise<Uint8Array> {
  if ('path' in source) return readFileSync(source.path);
  if ('bytes' in source) return source.bytes;
  const pieces: Uint8Array[] = [];
  for await (const piece of source.pieces) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function nodeEntries(): Promise<readonly TestEntry[]> {
  const { files } = await nodeRuntime({ architecture: hostArchitecture(), projectFolder: PROJECT, system: '/' });
  const wanted = files.filter(({ name }) => !name.includes('koffi'));
  return Promise.all(
    wanted.map(async (file) => ({
      name: file.name.endsWith('/node') ? NODE_IN_IMAGE.slice(1) : file.name,
      mode: 0o755,
      bytes: await bytesOf(file),
    })),
  );
}

/**
 * @param program a source file @param files what lies beside the program in /srv, by name
 * @returns an OCI layout in `folder`, with the program as /srv/program.mjs
 */
export async function nodeApplication(
  folder: string,
  program: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const outfile = join(folder, 'program.mjs');
  await build({
    entryPoints: [program],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: REQUIRE },
  });
  const own = Object.entries(files).map(([name, text]): TestEntry => ({ name: `srv/${name}`, text }));
  const layer = [...(await nodeEntries()), { name: 'srv/program.mjs', text: readFileSync(outfile, 'utf8') }, ...own];
  return writeLayout(join(folder, 'oci'), {
    layers: [layer],
    run: { Entrypoint: [NODE_IN_IMAGE, '/srv/program.mjs'] },
  });
}
