/** Texts in full, as aws-nitro-enclaves-cli 1.5 composes them with BACKTRACE=1 (support/nitro-cli-errors.cjs). */
import { createRequire } from 'node:module';
import t from 'tap';
import { explainFailure } from '../../../../host-proxy/machine/nitro-cli/failures.ts';

const { errorMessage } = createRequire(import.meta.url)('../support/nitro-cli-errors.cjs') as {
  errorMessage: (number: number, info?: readonly string[], steps?: readonly string[]) => string;
};

const NONE = 'Os { code: 2, kind: NotFound, message: "No such file or directory" }';
const DENIED = 'Os { code: 13, kind: PermissionDenied, message: "Permission denied" }';

const explain = (stderr: string) => explainFailure('run-enclave', { code: 1, stdout: '', stderr });

/** Code, error, innermost step as the real source has it, and what stands in the error's text. */
const FAILURES: readonly (readonly [string, number, string, ...string[]])[] = [
  ['ENCLAVE_BOOT_BUSY', 36, 'Enclave boot heartbeat vsock connection - vsock bind error'],
  ['ENCLAVE_BOOT_FAILED', 36, 'Waiting on enclave to boot failed with error SocketPollingError'],
  ['ENCLAVE_CPUS_UNAVAILABLE', 22, 'Insufficient CPUs available in the pool (requested 4, have 2)', 'cpu-count', '4'],
  ['ENCLAVE_CPUS_UNAVAILABLE', 29, 'The enclave cannot be created because no CPUs are available in the pool'],
  ['ENCLAVE_CPUS_UNAVAILABLE', 29, 'The enclave cannot start because full CPU cores have not been set'],
  ['ENCLAVE_DEVICE_MISSING', 19, `Failed to open device file: ${NONE}`, '/dev/nitro_enclaves', 'Open'],
  [
    'ENCLAVE_DEVICE_MISSING',
    19,
    'Failed to open CPU pool file: No such file or directory (os error 2)',
    '/sys/module/nitro_enclaves/parameters/ne_cpus',
    'Open',
  ],
  ['ENCLAVE_HEARTBEAT_TIMEOUT', 36, 'Waiting on enclave to boot failed with error VsockTimeoutError'],
  ['ENCLAVE_HEARTBEAT_WRONG', 36, 'Waiting on enclave to boot failed with error VsockReceivingError'],
  ['ENCLAVE_IMAGE_INVALID', 35, 'Error while reading from enclave image: Error { kind: UnexpectedEof }'],
  ['ENCLAVE_IMAGE_UNREADABLE', 19, `Failed to open the EIF file: ${DENIED}`, '/var/lib/image.eif', 'Open'],
  ['ENCLAVE_IMAGE_UNREADABLE', 19, `Failed to open the EIF file: ${DENIED}`, '/run/nitro_enclaves/image.eif', 'Open'],
  ['ENCLAVE_IMAGE_UNREADABLE', 19, 'Failed to obtain EIF file metadata'],
  ['ENCLAVE_MEMORY_TOO_SMALL', 26, 'At least 64 MB must be allocated', 'memory', '8', '64'],
  ['ENCLAVE_MEMORY_UNAVAILABLE', 27, 'Failed to allocate entire memory (64 MB remained)', 'memory', '64'],
  ['ENCLAVE_MEMORY_UNAVAILABLE', 29, 'The memory region is not backed by contiguous physical huge page(s)'],
  ['ENCLAVE_NITRO_CLI_ENVIRONMENT', 7, `Failed to access sockets directory: ${NONE}`],
  [
    'ENCLAVE_NITRO_CLI_ENVIRONMENT',
    19,
    `Failed to open log file: ${DENIED}`,
    '/var/log/nitro_enclaves/nitro_enclaves.log',
    'Open',
  ],
  [
    'ENCLAVE_NITRO_CLI_ENVIRONMENT',
    19,
    `Failed to remove socket file from disk: ${DENIED}`,
    '/run/nitro_enclaves/1.sock',
    'Remove',
  ],
  ['ENCLAVE_NITRO_CLI_FAILED', 17, 'Failed to display RunEnclaves data'],
  ['ENCLAVE_NITRO_CLI_FAILED', 19, 'Failed to close enclave descriptor'],
  ['ENCLAVE_SIGNATURE_INVALID', 59, 'Invalid signing certificate: "expired"'],
  ['ENCLAVE_START_REFUSED', 29, 'An error has occurred: 22 (rc: -1)'],
];

for (const [code, number, step, ...info] of FAILURES) {
  t.test(`explains E${number}, ${step}, ${info[0] ?? 'no file'} (${code})`, async (t) => {
    const error = explain(errorMessage(number, info, ['Failed to execute command', step]));
    t.equal(error.code, code);
    t.match(error.found, `[ E${String(number).padStart(2, '0')} ] `);
    t.match(error.found, step);
    if (number === 19 && info[0] !== undefined) t.match(error.found, `File: '${info[0]}'`);
    t.match(error.found, 'its log: /var/log/nitro_enclaves/err1.log');
  });
}

t.test('takes the first of several errors for the cause', async (t) => {
  const failed = 'Failed connections: 1\n';
  const text = `${errorMessage(27, ['memory', '64'])}${failed}${errorMessage(39)}`;
  t.equal(explain(text).code, 'ENCLAVE_MEMORY_UNAVAILABLE');
});

t.test('keeps what nitro-cli said when it is no error of its catalogue', async (t) => {
  const error = explain("error: unexpected argument '--enclave-name' found\n");
  t.equal(error.code, 'ENCLAVE_NITRO_CLI_FAILED');
  t.match(error.found, 'unexpected argument');
  t.match(explain('').found, 'it said nothing');
});

t.test('makes what nitro-cli said safe to show', async (t) => {
  t.notMatch(explain('[ E17 ] \u001b]0;title\u0007Serde error.').found, /\p{Cc}/u);
});
