/** An example as a user runs it: every step holds, or the machine lacks what it needs, which is told. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Test } from 'tap';
import { EX_UNAVAILABLE } from '../../../examples/support/example.ts';
import { PROJECT } from '../../project/imports.ts';

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(name: string, flags: readonly string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const env = { ...process.env, NODE_OPTIONS: undefined };
  const child = execFile(
    process.execPath,
    [join(PROJECT, 'examples', name, 'run.ts'), ...flags],
    { env },
    (_, out, err) => {
      resolve({ code: child.exitCode, output: `${out}\n${err}` });
    },
  );
  return promise;
}

/** @returns its output; undefined where it was skipped */
export async function exampleRuns(t: Test, name: string, ...flags: readonly string[]): Promise<string | undefined> {
  const { code, output } = await run(name, flags);
  if (code === EX_UNAVAILABLE) {
    t.pass(name, { skip: /skipped: .*/.exec(output)?.[0] ?? 'without a reason' });
    return undefined;
  }
  t.equal(code, 0, output);
  t.match(output, 'Every step held.');
  return output;
}
