/** acra-server reads only a keystore of its own user: who is another one gets a copy that is. */
import { chmodSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keystoreFor } from '../../../../supervisor/workloads/acra/keystore-copy.ts';
import { writeKeystore } from '../../../acra/support/at-rest.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const OTHER = 65534;
const needsRoot = process.getuid?.() === 0 ? false : 'needs root, to give files away';

t.test('keeps the keystore where its user owns it, or nobody is changed to', async (t) => {
  const keystore = writeKeystore(temporaryFolder(t));
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  for (const user of [undefined, own]) t.equal(keystoreFor({ user, folder: '/nonexistent' }, keystore), keystore);
});

t.test('gives another user a copy with the modes that acra-server demands', { skip: needsRoot }, async (t) => {
  const keystore = writeKeystore(temporaryFolder(t));
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o700);
  const copy = keystoreFor({ user: { uid: OTHER, gid: OTHER }, folder }, keystore);
  t.equal(copy, join(folder, 'keystore'));
  const entries = (root: string) => ['.', ...readdirSync(root, { recursive: true, encoding: 'utf8' })].toSorted();
  t.same(entries(copy), entries(keystore));
  for (const entry of entries(copy)) {
    const [made, original] = [lstatSync(join(copy, entry)), lstatSync(join(keystore, entry))];
    t.same([made.uid, made.gid, made.mode], [OTHER, OTHER, original.mode], entry);
    if (made.isFile()) t.ok(readFileSync(join(copy, entry)).equals(readFileSync(join(keystore, entry))), entry);
  }
});
