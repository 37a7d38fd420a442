/** `make library`: the verifier as a package of its own. `npm pack` in that folder makes the archive. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BUILT, buildLibrary } from './npm/library.ts';
import { orTellError } from './tell-error.ts';

const PROJECT = fileURLToPath(new URL('../', import.meta.url));

await orTellError(() => {
  const { values } = parseArgs({ options: { output: { type: 'string', default: join(PROJECT, BUILT) } } });
  buildLibrary(resolve(values.output));
});
