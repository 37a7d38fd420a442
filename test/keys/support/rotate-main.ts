/** Rotates or forgets the data keys of a measured folder, with the master key of the tests: `rotate-main.ts rotate|forget FOLDER CLIENT…`. */
import { join } from 'node:path';
import { enclaveSchema } from '../../../config/enclave.ts';
import { loadConfig } from '../../../config/load.ts';
import { forgetDataKeys, rotateDataKeys } from '../../../keys/data-keys.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { masterKeyBytes } from '../../acra/support/at-rest.ts';

const [, , what, folder = '', ...clientIds] = process.argv;
const common = {
  folder,
  config: loadConfig(enclaveSchema, join(folder, 'enclave.yaml')),
  clientIds,
  decrypt: () => Promise.resolve(masterKeyBytes()),
  signal: new AbortController().signal,
};
if (what === 'rotate') await rotateDataKeys({ ...common, nowMs: Date.now(), random: systemRandom });
else await forgetDataKeys({ ...common, keepsPairs: false, requireProof: () => undefined });
