/** Steps of a test whose failure tells what became of the enclave meanwhile: the application's error alone hardly ever does. */
import type { Test as TapTest } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { describeError } from '../../../runtime/errors.ts';
import { type EnclaveStack, type LogLine, step } from './enclave-stack.ts';

const NEWEST = 6;
const NEWEST_OF_KERNEL = 2;
/** What went wrong in the enclave is told a moment later than its consequences are felt. Only a failed test waits. */
const SETTLE_MS = 3_000;
const LEVELS: ReadonlySet<unknown> = new Set(['warn', 'error', 'fatal']);

/** Not acra-server's own lines: each health probe makes one. */
function isTelling({ level, event }: LogLine): boolean {
  return event === 'relay.reset' || (LEVELS.has(level) && event !== 'acra.log');
}

function summarize({ source, event, fields, ...record }: LogLine): string {
  const { code, reason, detail, signal, exitCode } = { ...record, ...fields };
  return [source, event, code, reason, detail, signal, exitCode].filter((part) => part != null).join(' ');
}

type Body = (t: TapTest) => Promise<void>;
interface Options {
  /** Why. */
  readonly skip?: string | false;
}

/** @returns `t.test`, whose bodies' errors carry the newest warnings of the enclave, the parent and the kernel. */
export function explaining(t: TapTest, stack: EnclaveStack) {
  return (name: string, body: Body, options: Options = {}): Promise<unknown> =>
    t.test(name, options, (child) => body(child).catch((error: unknown) => explain(stack, error)));
}

async function explain(stack: EnclaveStack, error: unknown): Promise<never> {
  await systemClock.sleep(SETTLE_MS, step());
  const told = [
    ...stack.records().filter(isTelling).slice(-NEWEST).map(summarize),
    ...stack.kernelWords(NEWEST_OF_KERNEL),
  ];
  throw new Error(`${describeError(error)}; the logs say: ${told.join(' | ')}`, { cause: error });
}
