/** The product as PID 1, with a saboteur inside. */
import { runEnclave } from '../../../supervisor/enclave.ts';
import { enclavePlatform } from '../../../supervisor/machine/platform.ts';
import { sabotaged } from '../support/saboteur.ts';

await runEnclave(sabotaged(enclavePlatform()));
