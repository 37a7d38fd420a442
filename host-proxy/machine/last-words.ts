/** What an enclave said last, of itself and on its console: the reason of most failures stands there. */
import { ReportedError } from '../../wire/errors.ts';
import type { EnclaveView } from '../enclave/view.ts';
import type { EnclaveErrorCode } from './errors.ts';
import { EnclaveError } from './errors.ts';

const CONSOLE_LINES = 8;
/** The kernel's call traces (indented after the time) push what matters out of sight. */
const CALL_TRACE = /^\[ *\d+\.\d+\] (Call Trace| \s*\S|Kernel Offset)/;

function describeStatus({ status }: EnclaveView): string {
  if (!status) return 'it never reported';
  const { state, phase, detail, errorCode } = status;
  return [`${state}, phase ${phase}`, errorCode === null ? detail : null].filter((part) => part !== null).join('; ');
}

/** What it said was wrong, with its own code: the operator gets that code's advice, not only ours. */
function reportOf({ status }: EnclaveView): ReportedError | undefined {
  if (!status || status.errorCode === null) return undefined;
  return new ReportedError(status.errorCode, status.detail ?? 'without a reason');
}

export class LastWords {
  readonly #view: EnclaveView;
  readonly #made = new WeakSet<EnclaveError>();
  #lines: readonly string[] = [];

  constructor(view: EnclaveView) {
    this.#view = view;
  }

  keep(line: string): void {
    if (CALL_TRACE.test(line) || line.trim() === '') return;
    this.#lines = [...this.#lines.slice(1 - CONSOLE_LINES), line];
  }

  /** Whether the error has the last words already. */
  made(error: EnclaveError): boolean {
    return this.#made.has(error);
  }

  /** The error with the enclave's own last status, and the end of its console. */
  error(code: EnclaveErrorCode, message: string, found?: string): EnclaveError {
    const console = this.#lines.length === 0 ? undefined : `its console: ${this.#lines.join(' | ')}`;
    const words = [found, `its last status: ${describeStatus(this.#view)}`, console];
    const cause = reportOf(this.#view);
    const error = new EnclaveError(code, message, {
      found: words.filter((part) => part !== undefined).join('; '),
      ...(cause && { cause }),
    });
    this.#made.add(error);
    return error;
  }
}
