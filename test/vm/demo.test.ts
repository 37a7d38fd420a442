/** `acra-enclave demo --driver qemu`, as somebody at a terminal runs it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { PROJECT } from '../project/imports.ts';
import { processesNaming } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const COMMAND = join(PROJECT, 'bin/acra-enclave');
const WORDS = ['demo', '--driver', 'qemu'];

t.test('shows the whole story with measured images, and what only they show', async (t) => {
  const TMPDIR = temporaryFolder(t);
  const { promise, resolve } = Promise.withResolvers<string>();
  const child = execFile(COMMAND, WORDS, { env: { ...process.env, TMPDIR } }, (_, out, err) =>
    resolve(`${out}\n${err}`),
  );
  const output = await promise;
  t.equal(child.exitCode, 0, output);
  for (const line of [
    '✓ PCR0, PCR1 and PCR2 of the attestation document are those of the image',
    '✓ PCR16 too',
    '✓ KMS decrypted the master key for this measurement',
    '✓ the database holds ciphertext only',
    'host-proxy says: KMS_ACCESS_DENIED',
    '✓ KMS refused it the master key',
    'Every step held.',
  ])
    t.ok(output.includes(line), line);
  t.same(readdirSync(TMPDIR), [], 'nothing is left');
});

t.test('leaves neither a machine nor a folder behind when it is interrupted while it boots', async (t) => {
  const TMPDIR = join(temporaryFolder(t), 'of-the-demo');
  mkdirSync(TMPDIR);
  const child = spawn(COMMAND, WORDS, { env: { ...process.env, TMPDIR }, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('boot phase: ')) continue;
    t.not(processesNaming(TMPDIR).length, 0, 'a machine runs');
    child.kill('SIGINT');
    break;
  }
  t.same(await ended, [130, null]);
  t.same(processesNaming(TMPDIR), []);
  t.same(readdirSync(TMPDIR), []);
});
