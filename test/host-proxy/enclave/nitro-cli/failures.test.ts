/** Texts as aws-nitro-enclaves-cli 1.5 composes them (src/common/mod.rs, construct_error_message) with BACKTRACE=1. */
import t from 'tap';
import { explainFailure } from '../../../../host-proxy/enclave/nitro-cli/failures.ts';

function compose(number: number, text: string, step: string | undefined): string {
  const code = `E${String(number).padStart(2, '0')}`;
  const steps = step === undefined ? '' : `\n    Failed to execute command\n    ${step}`;
  const backtrace = `  Action: Run Enclave\n  Subactions:${steps}\n  Root error file: src/x.rs\n  Root error line: 1\n  Version: 1.5.0`;
  const link = `https://docs.aws.amazon.com/enclaves/latest/user/cli-errors.html#${code}`;
  const log = 'If you open a support ticket, please provide the error log found at "/var/log/nitro_enclaves/err1.log"';
  return `[ ${code} ] ${text}\n\nFor more details, please visit ${link}\n\nBacktrace:\n${backtrace}\n\n${log}`;
}

const explain = (stderr: string) => explainFailure('run-enclave', { code: 1, stdout: '', stderr });

/** Code, text and innermost step as the real source has them; resource_manager.rs where the step decides. */
const FAILURES = [
  ['ENCLAVE_BOOT_BUSY', 36, 'Enclave boot failure.', 'Enclave boot heartbeat vsock connection - vsock bind error'],
  [
    'ENCLAVE_BOOT_FAILED',
    36,
    'Enclave boot failure.',
    'Waiting on enclave to boot failed with error SocketPollingError',
  ],
  ['ENCLAVE_CPUS_UNAVAILABLE', 22, 'Insufficient CPUs available in the pool.', undefined],
  [
    'ENCLAVE_CPUS_UNAVAILABLE',
    29,
    'Ioctl failure.',
    'The enclave cannot be created because no CPUs are available in the pool',
  ],
  [
    'ENCLAVE_CPUS_UNAVAILABLE',
    29,
    'Ioctl failure.',
    'The enclave cannot start because full CPU cores have not been set',
  ],
  [
    'ENCLAVE_DEVICE_MISSING',
    19,
    "File operation failure.\nFile: '/dev/nitro_enclaves', failing operation: 'Open'.",
    'Failed to open device file',
  ],
  [
    'ENCLAVE_HEARTBEAT_TIMEOUT',
    36,
    'Enclave boot failure.',
    'Waiting on enclave to boot failed with error VsockTimeoutError',
  ],
  [
    'ENCLAVE_HEARTBEAT_WRONG',
    36,
    'Enclave boot failure.',
    'Waiting on enclave to boot failed with error VsockReceivingError',
  ],
  ['ENCLAVE_IMAGE_INVALID', 35, 'EIF file parsing error.', undefined],
  ['ENCLAVE_IMAGE_UNREADABLE', 19, 'File operation failure.', 'Failed to open the EIF file: Os { code: 13 }'],
  ['ENCLAVE_MEMORY_TOO_SMALL', 26, 'Insufficient memory requested.', undefined],
  ['ENCLAVE_MEMORY_UNAVAILABLE', 27, 'Insufficient memory available.', undefined],
  [
    'ENCLAVE_MEMORY_UNAVAILABLE',
    29,
    'Ioctl failure.',
    'The memory region is not backed by contiguous physical huge page(s)',
  ],
  ['ENCLAVE_NITRO_CLI_ENVIRONMENT', 7, 'Read from disk failure.', undefined],
  ['ENCLAVE_NITRO_CLI_FAILED', 17, 'Serde error.', undefined],
  ['ENCLAVE_SIGNATURE_INVALID', 59, 'EIF signature checker error.', 'Invalid signing certificate: "expired"'],
  ['ENCLAVE_START_REFUSED', 29, 'Ioctl failure.', 'An error has occurred: 22 (rc: -1)'],
] as const;

for (const [code, number, text, step] of FAILURES) {
  t.test(`explains E${number}, ${step ?? text} (${code})`, async (t) => {
    const error = explain(compose(number, text, step));
    t.equal(error.code, code);
    t.match(error.found, `[ E${String(number).padStart(2, '0')} ] ${text.split('\n')[0]}`);
    if (step !== undefined) t.match(error.found, step);
    t.match(error.found, 'its log: /var/log/nitro_enclaves/err1.log');
  });
}

t.test('takes the first of several errors for the cause', async (t) => {
  const failed = 'Failed connections: 1\n';
  const text = `${compose(27, 'Insufficient memory available.', undefined)}${failed}${compose(39, 'Connection failure.', undefined)}`;
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
