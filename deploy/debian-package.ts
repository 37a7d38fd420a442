/** `make deb`: the Debian package of what a parent instance needs (docs/releases.md). */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildDebianPackage } from './debian/build.ts';
import { MAINTAINER, releaseAt } from './debian/release.ts';
import { commitOf } from './release/commit.ts';
import { orTellError } from './tell-error.ts';

const PROJECT = fileURLToPath(new URL('../', import.meta.url));

await orTellError(() => {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', default: join(PROJECT, 'build/packages') },
      maintainer: { type: 'string', default: MAINTAINER },
    },
  });
  const folder = resolve(values.output);
  mkdirSync(folder, { recursive: true });
  const name = buildDebianPackage(PROJECT, folder, releaseAt(commitOf(PROJECT).date, values.maintainer));
  process.stdout.write(`${join(folder, name)}\n`);
});
