/** `keys verifier`: the line that ceremony and database get, of a password that nobody is told. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { deriveKeys } from '../../postgres/scram/keys.ts';
import { parseVerifier } from '../../postgres/scram/verifier.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const PASSWORD = 'pässword of app';

function file(t: Parameters<typeof temporaryFolder>[0], content: string): string {
  const path = join(temporaryFolder(t), 'password');
  writeFileSync(path, content);
  return path;
}

t.test('prints one line, which is right for this password and another each time', async (t) => {
  const path = file(t, `${PASSWORD}\n`);
  const [one, two] = [await acraEnclave(['keys', 'verifier', path]), await acraEnclave(['keys', 'verifier', path])];
  t.equal(one.code, 0, one.stderr);
  t.not(one.stdout, two.stdout);
  t.match(one.stdout, /^SCRAM-SHA-256\$4096:[^\n]+\n$/);
  const reading = parseVerifier(Buffer.from(one.stdout.trimEnd()));
  if (reading.kind === 'refused') throw new RangeError(reading.reason);
  const { salt, iterations, storedKey } = reading.verifier;
  const keys = await deriveKeys(SecretBuffer.take(Buffer.from(PASSWORD)), salt, iterations);
  t.ok(storedKey.use((key) => key.equals(keys.storedKey)));
});

t.test('rejects what is no password, and tells nothing of it', async (t) => {
  for (const [path, code] of [
    [file(t, ''), 'KEY_PASSWORD_INVALID'],
    [file(t, `${PASSWORD}\n\n`), 'KEY_PASSWORD_INVALID'],
    [PASSWORD, 'KEY_PASSWORD_READ'],
  ] as const) {
    const { code: exit, stdout, stderr } = await acraEnclave(['keys', 'verifier', path]);
    t.equal(exit, 78);
    t.match(stderr, `error ${code}:`);
    t.equal(stdout, '');
    t.notMatch(stderr, PASSWORD);
  }
});
