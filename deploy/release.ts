/** `make release` and `make release-verify` (docs/releases.md). */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MAINTAINER } from './debian/release.ts';
import { DeployError } from './errors.ts';
import { publicKeyIn, signingKeyIn } from './release/key.ts';
import { makeRelease } from './release/make.ts';
import { verifyRelease } from './release/verify.ts';
import { orTellError } from './tell-error.ts';

/** For `make` a clone of what is released, below which its packages are installed anew (deploy/release.sh). */
const PROJECT = fileURLToPath(new URL('../', import.meta.url));
const NOT_SIGNED =
  '*** NOT SIGNED: nobody vouches for this release. KEY=FILE signs it, KEY=FILE of release-verify demands it. ***';
const print = (text: string) => process.stdout.write(`${text}\n`);

interface Values {
  readonly version?: string | undefined;
  readonly key?: string | undefined;
  readonly output?: string | undefined;
  readonly maintainer: string;
  readonly measurements: readonly string[];
}

async function make({ version, key, output, maintainer, measurements }: Values): Promise<void> {
  if (version === undefined)
    throw new DeployError('RELEASE_VERSION', 'which release is not said', { allowed: 'VERSION=x.y.z' });
  const outputFolder = resolve(output ?? join('build/release', version));
  const signingKey = key === undefined ? undefined : signingKeyIn(key);
  const { hash } = await makeRelease({
    ...{ projectFolder: PROJECT, version, maintainer, key: signingKey, measurements, outputFolder },
    onProgress: print,
  });
  print(`${outputFolder}: release ${version} of commit ${hash}`);
  print(signingKey === undefined ? NOT_SIGNED : `signed by the key with SHA-256 ${signingKey.keyId}`);
}

function verify(folder: string | undefined, key: string | undefined): void {
  if (folder === undefined)
    throw new DeployError('RELEASE_FOLDER', 'which release is not said', { allowed: 'FOLDER=…' });
  const verifyingKey = key === undefined ? undefined : publicKeyIn(key);
  const { version, gitCommit, files, components } = verifyRelease(resolve(folder), verifyingKey);
  print(
    `release ${version} of commit ${gitCommit}: ${files} files as listed, ${components} components in the bill of materials`,
  );
  print(
    verifyingKey === undefined
      ? NOT_SIGNED
      : `sums and provenance are signed by the key with SHA-256 ${verifyingKey.keyId}`,
  );
  if (verifyingKey === undefined) process.exitCode = 2;
}

await orTellError(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      version: { type: 'string' },
      key: { type: 'string' },
      output: { type: 'string' },
      maintainer: { type: 'string', default: MAINTAINER },
      measurements: { type: 'string', multiple: true, default: [] },
    },
  });
  const [action, folder] = positionals;
  if (action === 'verify') verify(folder, values.key);
  else await make(values);
});
