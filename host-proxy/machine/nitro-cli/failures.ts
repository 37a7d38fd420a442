/**
 * nitro-cli's own errors, explained. It prints `[ E26 ] …` on standard error, the cause first: what it prints after that
 * (E39: no answer from the enclave's process) only follows from it. Many causes share E29, `ioctl failed`, and tell
 * themselves apart only in the backtrace, which it prints when BACKTRACE=1.
 *
 * Codes and texts: aws-nitro-enclaves-cli 1.5, src/common/document_errors.rs, src/enclave_proc/resource_manager.rs.
 */
import { TextLines } from '../../../system/lines/text-lines.ts';
import type { CommandResult } from '../../../system/processes/run-command.ts';
import type { EnclaveErrorCode } from '../errors.ts';
import { EnclaveError } from '../errors.ts';

interface Rule {
  readonly codes: readonly string[];
  /** Of the whole text, where the code alone does not tell. */
  readonly says?: RegExp;
  readonly means: EnclaveErrorCode;
}

/** Steps of the backtrace: E19's own text speaks of the EIF file whatever the file was. */
const IMAGE_STEP =
  /Failed to (?:open the EIF file|get enclave image file metadata|obtain EIF file metadata|seek to the beginning of the EIF file)/;

/** The first that fits. */
const RULES: readonly Rule[] = [
  { codes: ['E19'], says: IMAGE_STEP, means: 'ENCLAVE_IMAGE_UNREADABLE' },
  { codes: ['E19'], says: /^File: '\/(?:dev|sys\/module)\/nitro_enclaves['/]/m, means: 'ENCLAVE_DEVICE_MISSING' },
  { codes: ['E19'], says: /^File: '\/(?:run|var\/log)\/nitro_enclaves['/]/m, means: 'ENCLAVE_NITRO_CLI_ENVIRONMENT' },
  { codes: ['E20', 'E21', 'E22', 'E23', 'E24', 'E32'], means: 'ENCLAVE_CPUS_UNAVAILABLE' },
  { codes: ['E29'], says: /vCPU|no CPUs|full CPU cores/, means: 'ENCLAVE_CPUS_UNAVAILABLE' },
  { codes: ['E26'], means: 'ENCLAVE_MEMORY_TOO_SMALL' },
  { codes: ['E25', 'E27', 'E31', 'E42'], means: 'ENCLAVE_MEMORY_UNAVAILABLE' },
  { codes: ['E29'], says: /memory region/i, means: 'ENCLAVE_MEMORY_UNAVAILABLE' },
  { codes: ['E28', 'E29', 'E30', 'E33'], means: 'ENCLAVE_START_REFUSED' },
  { codes: ['E34', 'E35'], means: 'ENCLAVE_IMAGE_INVALID' },
  { codes: ['E36'], says: /vsock bind error/, means: 'ENCLAVE_BOOT_BUSY' },
  { codes: ['E36'], says: /VsockTimeoutError/, means: 'ENCLAVE_HEARTBEAT_TIMEOUT' },
  { codes: ['E36'], says: /VsockReceivingError/, means: 'ENCLAVE_HEARTBEAT_WRONG' },
  { codes: ['E36'], means: 'ENCLAVE_BOOT_FAILED' },
  { codes: ['E07', 'E18', 'E40', 'E56'], means: 'ENCLAVE_NITRO_CLI_ENVIRONMENT' },
  { codes: ['E59'], means: 'ENCLAVE_SIGNATURE_INVALID' },
];

function safeLines(text: string): readonly string[] {
  const lines: string[] = [];
  const splitter = new TextLines((line) => lines.push(line));
  splitter.push(Buffer.from(text));
  splitter.end();
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}

/** The error's first line, the file that it names, and the innermost step of the backtrace: the last of its sub-actions. */
function summarise(stderr: string, code: string | undefined): string {
  const lines = safeLines(stderr);
  const first = lines.find((line) => line.includes(`[ ${code} ]`)) ?? lines.at(-1) ?? 'it said nothing';
  const file = lines.find((line) => line.startsWith("File: '"));
  const end = lines.findIndex((line) => line.startsWith('Root error file:'));
  const step = end > 0 ? lines[end - 1] : undefined;
  const log = /error log found at "([^"]+)"/.exec(stderr)?.[1];
  return [first, file, step, log === undefined ? undefined : `its log: ${log}`]
    .filter((part) => part !== undefined)
    .join('; ');
}

/** The error that a failed nitro-cli command stands for. */
export function explainFailure(command: string, { code, stderr }: CommandResult): EnclaveError {
  const errorCode = /\[ (E\d{2}) \]/.exec(stderr)?.[1];
  const rule = RULES.find(
    ({ codes, says }) => errorCode !== undefined && codes.includes(errorCode) && (says?.test(stderr) ?? true),
  );
  return new EnclaveError(rule?.means ?? 'ENCLAVE_NITRO_CLI_FAILED', `nitro-cli ${command} failed`, {
    found: `${summarise(stderr, errorCode)} (exit code ${code})`,
  });
}
