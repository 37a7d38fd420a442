/** An acra-server that cannot be started: what the operator reads on the parent says why, and what to do. */
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { failedBoot, launchedPids, prepareStack } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HOST_PROGRAM = readFileSync(realpathSync('/usr/bin/env'));
const isGlibc = HOST_PROGRAM.includes('libc.so.6\0');

/** A program of this machine that needs a library which nobody has. */
function withoutLibrary(): Buffer {
  const bytes = Buffer.from(HOST_PROGRAM);
  bytes.write('libX.so.6', bytes.indexOf('libc.so.6\0'), 'latin1');
  return bytes;
}

const PROGRAMS = [
  ['lacks a library', withoutLibrary, /libX\.so\.6: cannot open shared object file/],
  ['is no program', () => Buffer.from('text\n'), /execve failed: ENOEXEC/],
] as const;

for (const [what, bytes, reason] of PROGRAMS)
  t.test(
    `tells why an acra-server that ${what} does not start, and starts it no second time (CHILD_LAUNCH_FAILED)`,
    { skip: isGlibc ? false : 'programs of this machine are not linked with glibc' },
    async (t) => {
      const program = join(temporaryFolder(t), 'acra-server');
      writeFileSync(program, bytes(), { mode: 0o755 });
      const sha256 = await sha256OfFile(program);
      const acraProgram = { kind: 'path', program, leadingArguments: [], sha256, description: what } as const;
      const stack = await prepareStack(t, { acraProgram, environment: { ACRA_SERVER: program } });
      await stack.allowMeasuredEnclave();
      const { enclave } = await failedBoot(stack.enclave);
      t.match(enclave, { phase: 'acra', errorCode: 'CHILD_LAUNCH_FAILED', detail: /ACRA_EXIT_NOT_EXECUTED/ });
      t.match(enclave?.detail, reason);
      t.equal(launchedPids(stack.enclave, 'acra').length, 1);
    },
  );

t.test(
  'tells why an acra-server that ran did not start, by the code of its end (ACRA_EXIT_CONFIGURATION)',
  async (t) => {
    const program = join(temporaryFolder(t), 'acra-server');
    const record = JSON.stringify({ level: 'error', code: 532, msg: 'TLS', error: 'x509: invalid ECDSA parameters' });
    const script = `#!${process.execPath}\nprocess.stderr.write(${JSON.stringify(`${record}\n`)});process.exitCode = 1;\n`;
    writeFileSync(program, script, { mode: 0o755 });
    const sha256 = await sha256OfFile(program);
    const acraProgram = { kind: 'path', program, leadingArguments: [], sha256, description: 'a script' } as const;
    const stack = await prepareStack(t, { acraProgram, environment: { ACRA_SERVER: program } });
    await stack.allowMeasuredEnclave();
    const { enclave, reason } = await failedBoot(stack.enclave);
    const code = 'ACRA_EXIT_CONFIGURATION';
    t.match(enclave, {
      phase: 'acra',
      errorCode: code,
      detail: /last error in its log: x509: invalid ECDSA parameters/,
    });
    t.equal(reason?.code, code, 'the advice that `acra-enclave status` gives is of this code');
  },
);
