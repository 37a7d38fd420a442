/** The frame of an example: a folder of its own, an end in order whatever happens, and `--keep`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bold, green, printLine, progress } from '../../cli/output.ts';
import { untilStopped } from '../../cli/until-signal.ts';
import { whenAborted } from '../../runtime/abort.ts';
import { describeError } from '../../runtime/errors.ts';
import { Steps } from './steps.ts';

/** Of sysexits.h: what the example needs cannot be had here. Tests skip it, by the reason. */
export const EX_UNAVAILABLE = 69;
/** 128 + SIGINT, as a shell reports it. */
const EXIT_INTERRUPTED = 130;
const EXAMPLE_TIMEOUT_MS = 600_000;

/** What is missing on this machine. */
export class Unavailable extends Error {}

const DRIVERS = ['simulated', 'qemu'] as const;
type Driver = (typeof DRIVERS)[number];

export interface ExampleContext {
  /** Everything lies here; short, for unix sockets lie in it too. */
  readonly root: string;
  readonly steps: Steps;
  readonly signal: AbortSignal;
  readonly driver: Driver;
  /** Undone in reverse order at the end. */
  readonly cleanups: AsyncDisposableStack;
}

interface ExampleOptions {
  readonly title: string;
  /** simulated first; default: simulated alone. */
  readonly drivers?: readonly Driver[];
  /** @returns what to tell whoever keeps it running */
  readonly run: (context: ExampleContext) => Promise<string>;
}

interface Flags {
  readonly keep: boolean;
  readonly driver: Driver;
}

/** @throws Unavailable */
function flagsOf({ drivers = ['simulated'] }: ExampleOptions): Flags {
  const { values } = parseArgs({
    options: { keep: { type: 'boolean', default: false }, driver: { type: 'string', default: 'simulated' } },
  });
  const driver = drivers.find((each) => each === values.driver);
  if (driver === undefined) throw new Unavailable(`--driver is one of ${drivers.join(', ')} for this example`);
  return { keep: values.keep, driver };
}

async function runOnce({ title, run }: ExampleOptions, { keep, driver }: Flags, stop: AbortSignal): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'aex-'));
  let failed = true;
  const cleanups = new AsyncDisposableStack();
  try {
    printLine(bold(title));
    const signal = AbortSignal.any([stop, AbortSignal.timeout(EXAMPLE_TIMEOUT_MS)]);
    const where = await run({ root, steps: new Steps(), signal, driver, cleanups });
    printLine(`\n${green('Every step held.')}`);
    failed = false;
    if (keep) {
      printLine(`\n${bold('It keeps running.')} ${where} Ctrl-C ends it.`);
      await whenAborted(stop);
    }
  } finally {
    await cleanups.disposeAsync();
    if (failed && !stop.aborted) progress(`logs are kept in ${root}`);
    else rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** `node examples/NAME/run.ts [--keep] [--driver qemu]` */
export async function runExample(options: ExampleOptions): Promise<void> {
  await untilStopped(async (stop) => {
    try {
      await runOnce(options, flagsOf(options), stop);
    } catch (error) {
      if (stop.aborted) process.exitCode = EXIT_INTERRUPTED;
      else {
        progress(error instanceof Unavailable ? `skipped: ${error.message}` : describeError(error));
        process.exitCode = error instanceof Unavailable ? EX_UNAVAILABLE : 1;
      }
    }
  });
}
