/** The product with a boot phase that never ends. */
import { runEnclave } from '../../../supervisor/enclave.ts';
import { enclavePlatform } from '../../../supervisor/machine/platform.ts';

await runEnclave({ ...enclavePlatform(), addEntropy: () => new Promise(() => undefined) });
