import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { AttestationError } from '../../../attestation/errors.ts';
import { digestFiles, folderDigest } from '../../../attestation/runtime/folder-digest.ts';
import { PROJECT } from '../../project/imports.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Names whose order is another in most locales, and by UTF-16. */
const FILES = [
  'enclave.yaml',
  'a/b',
  'a.b',
  'a b',
  'A',
  '-x',
  'ä',
  '\u{ff5e}',
  '\u{1f512}',
  'k/.poison/key',
  'k/c_hmac',
];

function folderOf(t: Test, names: readonly string[] = FILES): string {
  const folder = temporaryFolder(t);
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), `content of ${name}`);
  }
  return folder;
}

const digestOf = async (folder: string) => folderDigest(await digestFiles(folder));

/** As the doc comment of the module says. */
function shellLine(): string {
  const source = readFileSync(join(PROJECT, 'attestation/runtime/folder-digest.ts'), 'utf8');
  return /^ \* +(find .* sha256sum)$/m.exec(source)?.[1] ?? '';
}

t.test('gives what the documented shell line prints', async (t) => {
  const folder = folderOf(t);
  mkdirSync(join(folder, 'empty'));
  const printed = execFileSync('sh', ['-c', shellLine()], { cwd: folder, encoding: 'utf8' });
  t.equal(printed, `${await digestOf(folder)}  -\n`);
});

t.test('gives the same as sha256sum of lines written by hand', async (t) => {
  const folder = folderOf(t, ['b', 'a/c']);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const lines = `${sha256('content of a/c')}  a/c\n${sha256('content of b')}  b\n`;
  t.equal(await digestOf(folder), sha256(lines));
});

t.test('keeps to content and names: modes and empty folders change nothing', async (t) => {
  const folder = folderOf(t);
  const before = await digestOf(folder);
  chmodSync(join(folder, 'a/b'), 0o600);
  mkdirSync(join(folder, 'empty'));
  t.equal(await digestOf(folder), before);
});

t.test('changes with every byte, every name and every file', async (t) => {
  const changes: readonly ((folder: string) => void)[] = [
    () => undefined,
    (folder) => writeFileSync(join(folder, 'a.b'), 'content of a.c'),
    (folder) => writeFileSync(join(folder, 'another'), ''),
    (folder) => execFileSync('mv', [join(folder, 'A'), join(folder, 'B')]),
    (folder) => execFileSync('rm', [join(folder, 'A')]),
  ];
  const digests = changes.map(async (change) => {
    const folder = folderOf(t);
    change(folder);
    return digestOf(folder);
  });
  t.equal(new Set(await Promise.all(digests)).size, changes.length);
});

t.test('rejects what is no plain file, and what cannot be read (ATTESTATION_FOLDER_UNREADABLE)', async (t) => {
  const linked = folderOf(t);
  symlinkSync('A', join(linked, 'link'));
  const socketed = folderOf(t);
  const server = createServer().listen(join(socketed, 's'));
  t.teardown(() => server.close());
  for (const folder of [linked, socketed, join(linked, 'missing')]) {
    await rejectsCode(() => digestFiles(folder), AttestationError, 'ATTESTATION_FOLDER_UNREADABLE');
  }
});

t.test('rejects names that sha256sum would write otherwise (ATTESTATION_FOLDER_UNREADABLE)', async (t) => {
  for (const name of ['back\\slash', 'line\nfeed', 'carriage\rreturn', 'bell\x07']) {
    const folder = folderOf(t, [name]);
    await rejectsCode(() => digestOf(folder), AttestationError, 'ATTESTATION_FOLDER_UNREADABLE');
  }
});
