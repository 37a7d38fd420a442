/** Runs the command as a user does: another process, with its real exit code. */
import { type ChildProcess, type ExecFileException, execFile } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from '../../project/imports.ts';

export interface Outcome {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The test runner's own options for Node are not for the command. */
export function start(words: readonly string[], environment: Environment = {}): Run {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const options = { env: { ...process.env, NODE_OPTIONS: undefined, ...environment } };
  const child = execFile(join(PROJECT, 'bin/acra-enclave'), words, options, (error, stdout, stderr) => {
    resolve({ code: codeOf(error), stdout, stderr });
  });
  return { child, outcome: promise };
}

export function acraEnclave(words: readonly string[], environment: Environment = {}): Promise<Outcome> {
  return start(words, environment).outcome;
}

function codeOf(error: ExecFileException | null): number | undefined {
  if (error === null) return 0;
  return typeof error.code === 'number' ? error.code : undefined;
}
