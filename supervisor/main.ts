/** What an enclave image runs: the supervisor on the machine that it was booted on. */
import { keepNewSpaceSmall } from '../runtime/small-heap.ts';

keepNewSpaceSmall();
const { runEnclave } = await import('./enclave.ts');
const { enclavePlatform } = await import('./machine/platform.ts');
await runEnclave(enclavePlatform());
