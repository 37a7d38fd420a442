/** What `acra-enclave demo` says to whoever asks for what it cannot do, before it starts anything. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { PROJECT } from '../../project/imports.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { linkPrograms } from '../qemu/support/fake-program.ts';

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  /** What is in its temporary folder then. */
  readonly left: readonly string[];
}

function demo(t: TapTest, words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const TMPDIR = temporaryFolder(t);
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const env = { ...process.env, TMPDIR, ...environment };
  const child = execFile(join(PROJECT, 'bin/acra-enclave'), ['demo', ...words], { env }, (_, __, stderr) =>
    resolve({ code: child.exitCode, stderr, left: readdirSync(TMPDIR) }),
  );
  return promise;
}

t.test('rejects a driver that it has not, an unknown option and a word too many (CLI_USAGE)', async (t) => {
  for (const [words, told] of [
    [['--driver', 'nitro-cli'], /nitro-cli.*simulated, qemu/s],
    [['--driver'], /--driver <driver>.*argument missing/],
    [['--drive', 'qemu'], /unknown option '--drive'/],
    [['qemu'], /too many arguments/],
  ] as const) {
    const { code, stderr, left } = await demo(t, words);
    t.equal(code, 1, words.join(' '));
    t.match(stderr, told);
    t.same(left, []);
  }
});

t.test('rejects a folder for endpoints.json that nobody would write (CLI_OPTION)', async (t) => {
  const { code, stderr } = await demo(t, ['--driver', 'qemu', '--folder', 'somewhere']);
  t.equal(code, 1);
  t.match(stderr, /CLI_OPTION.*--folder somewhere without --keep; allowed: --keep --folder FOLDER/);
});

t.test('names the command that brings what QEMU is built with (VM_TOOL_COMPILER)', async (t) => {
  const programs = join(temporaryFolder(t), 'bin');
  mkdirSync(programs);
  linkPrograms(programs, ['bash', 'sh', 'env', 'dirname', 'readlink', 'uname', 'sed']);
  const environment = { PATH: `${programs}:${dirname(process.execPath)}`, XDG_CACHE_HOME: temporaryFolder(t) };
  const { code, stderr, left } = await demo(t, ['--driver', 'qemu'], environment);
  t.equal(code, 1);
  t.match(stderr, /VM_TOOL_COMPILER/);
  t.match(stderr, /what to do: .*scripts\/vm-packages\.sh --install/);
  t.same(left, []);
});
