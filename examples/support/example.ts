/** The frame of an example: a folder of its own, an end in order whatever happens, and `--keep`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Steps } from '../../cli/demo/steps.ts';
import { bold, green, printError, printLine, progress } from '../../cli/output.ts';
import { type Machine, provideMachine } from '../../cli/qemu/provide-machine.ts';
import { untilStopped } from '../../cli/until-signal.ts';
import { whenAborted } from '../../runtime/abort.ts';
import { describeError } from '../../runtime/errors.ts';

/** Of sysexits.h: what the example needs cannot be had here. Tests skip it, by the reason. */
export const EX_UNAVAILABLE = 69;
/** Of sysexits.h too. */
const EX_USAGE = 64;
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
  /** With `--driver qemu`; undefined: the enclave is simulated. */
  readonly machine: Machine | undefined;
  /** Undone in reverse order at the end. */
  readonly cleanups: AsyncDisposableStack;
}

interface ExampleOptions<Found> {
  readonly title: string;
  /** What cannot be had everywhere; asked before anything long begins. @throws Unavailable */
  readonly find: (signal: AbortSignal) => Promise<Found>;
  /** @returns what to tell whoever keeps it running */
  readonly run: (context: ExampleContext, found: Found) => Promise<string>;
}

interface Flags {
  readonly keep: boolean;
  readonly driver: Driver;
}

/** What the command line should have been. */
class WrongUse extends Error {}

/** @throws WrongUse */
function readFlags(): Flags {
  const options = {
    keep: { type: 'boolean', default: false },
    driver: { type: 'string', default: 'simulated' },
  } as const;
  try {
    const { keep, driver: named } = parseArgs({ options }).values;
    const driver = DRIVERS.find((each) => each === named);
    if (driver !== undefined) return { keep, driver };
    throw new WrongUse(`--driver: found ${named}; allowed: ${DRIVERS.join(', ')}`);
  } catch (error) {
    if (error instanceof WrongUse) throw error;
    throw new WrongUse(`${describeError(error)}; allowed: --keep, --driver ${DRIVERS.join('|')}`);
  }
}

async function runOnce<Found>(options: ExampleOptions<Found>, flags: Flags, stop: AbortSignal): Promise<void> {
  const { title, find, run } = options;
  const { keep, driver } = flags;
  printLine(bold(title));
  const found = await find(stop);
  const machine = driver === 'qemu' ? await provideMachine(stop) : undefined;
  const root = mkdtempSync(join(tmpdir(), 'aex-'));
  let failed = true;
  const cleanups = new AsyncDisposableStack();
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(EXAMPLE_TIMEOUT_MS)]);
    const where = await run({ root, steps: new Steps(root, signal), signal, machine, cleanups }, found);
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

/** @returns the exit code */
async function explain(error: unknown): Promise<number> {
  if (error instanceof Unavailable) {
    progress(`skipped: ${error.message}`);
    return EX_UNAVAILABLE;
  }
  await printError(error, false);
  return error instanceof WrongUse ? EX_USAGE : 1;
}

/** `node examples/NAME/run.ts [--keep] [--driver qemu]` */
export async function runExample<Found>(options: ExampleOptions<Found>): Promise<void> {
  await untilStopped(async (stop) => {
    try {
      await runOnce(options, readFlags(), stop);
    } catch (error) {
      process.exitCode = stop.aborted ? EXIT_INTERRUPTED : await explain(error);
    }
  });
}
