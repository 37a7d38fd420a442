/** Sets limits of its own process; prints the kernel's view of them, then the code of the error that argv[2] leads to. */
import { readFileSync } from 'node:fs';
import { errorCode } from '../../../../runtime/errors.ts';
import { RLIMIT_CORE, RLIMIT_NOFILE, setLimit } from '../../../../system/libc/machine-calls.ts';

const NO_SUCH_LIMIT = 99;

setLimit(RLIMIT_CORE, 0);
setLimit(RLIMIT_NOFILE, 200);
let refusal: unknown;
try {
  setLimit(NO_SUCH_LIMIT, 1);
} catch (error) {
  refusal = error;
}
const limits = readFileSync('/proc/self/limits', 'utf8');
console.log(
  JSON.stringify({
    core: /^Max core file size\s+(\S+)\s+(\S+)/m.exec(limits)?.slice(1),
    openFiles: /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits)?.slice(1),
    refusal: errorCode(refusal),
    found: refusal instanceof Error && 'found' in refusal ? refusal.found : undefined,
  }),
);
