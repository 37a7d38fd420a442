/** A changed byte anywhere in the image makes another enclave, and KMS gives that one nothing. */
import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { changedAcraServer, changedKernel } from './support/changed-parts.ts';
import { EnclaveStack } from './support/enclave-stack.ts';
import type { BuiltImage } from './support/images.ts';
import { usualParts } from './support/images.ts';

interface Change {
  readonly what: string;
  readonly build: (stack: EnclaveStack) => Promise<BuiltImage>;
}

const CHANGES: readonly Change[] = [
  {
    what: 'a comment more in the encryptor configuration',
    build: (stack) => {
      const folder = join(stack.root, 'altered');
      cpSync(stack.enclaveFolder, folder, { recursive: true });
      appendFileSync(join(folder, 'encryptor.yaml'), '# altered\n');
      return stack.build({}, folder);
    },
  },
  { what: 'another program for PID 1', build: (stack) => stack.build({ init: 'test/enclave/images/twin.ts' }) },
  { what: 'a word more on the kernel command line', build: (stack) => stack.build({ cmdlineSuffix: ' quiet' }) },
  {
    what: 'a changed byte of the kernel',
    build: async (stack) => stack.build({ kernel: changedKernel((await usualParts()).kernel, stack.root) }),
  },
  {
    what: 'a changed acra-server',
    build: async (stack) => {
      const { acraServer } = await usualParts();
      return acraServer.kind === 'stand-in'
        ? stack.build({ standIn: 'test/enclave/images/other-stand-in.ts' })
        : stack.build({ acraServer: changedAcraServer(acraServer, stack.root) });
    },
  },
];

t.test('an altered image gets no key', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  await stack.allow(await stack.build());
  for (const { what, build } of CHANGES) {
    await t.test(`rejects ${what} (KMS_ACCESS_DENIED)`, async (t) => {
      const daemon = await stack.run(await build(stack));
      const failed = await stack.until(({ enclave }) => enclave?.state === 'failed');
      t.match(failed.enclave, { phase: 'master-key', errorCode: 'KMS_ACCESS_DENIED' });
      t.equal(failed.publicAddress, null, 'the public port stays closed');
      t.not((await daemon.exited).code, 0, 'the daemon says that it failed');
      t.notOk(
        stack.records().some(({ event }) => event === 'child.launched'),
        'acra-server was not launched',
      );
    });
  }
});
