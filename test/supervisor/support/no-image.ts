/** What an enclave image runs, on a machine that is none: the measured files are not there. */
import { runEnclave } from '../../../supervisor/enclave.ts';
import type { Platform } from '../../../supervisor/platform.ts';

await runEnclave({ simulated: true, runtimeFolder: '/' } as Platform);
