/** Does what the product does, and is not the product. */
import { runEnclave } from '../../../supervisor/enclave.ts';
import { enclavePlatform } from '../../../supervisor/machine/platform.ts';

await runEnclave(enclavePlatform());
