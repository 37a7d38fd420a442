/** `make package`: the archive from which npm installs the command, the demo and the verifier (docs/releases.md). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { npmArchive } from './npm/archive.ts';
import { orTellError } from './tell-error.ts';

const PROJECT = fileURLToPath(new URL('../', import.meta.url));

await orTellError(async () => {
  const { values } = parseArgs({ options: { output: { type: 'string', default: join(PROJECT, 'build/packages') } } });
  const folder = resolve(values.output);
  mkdirSync(folder, { recursive: true });
  const { name, content } = await npmArchive(PROJECT);
  writeFileSync(join(folder, name), content);
  process.stdout.write(`${join(folder, name)}\n`);
});
