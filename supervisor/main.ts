/** What an enclave image runs: the supervisor on the machine that it was booted on. */
import { runEnclave } from './enclave.ts';
import { enclavePlatform } from './machine/platform.ts';

await runEnclave(enclavePlatform());
