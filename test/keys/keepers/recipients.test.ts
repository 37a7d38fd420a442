import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { KeyError } from '../../../keys/errors.ts';
import { rawPublicKey } from '../../../keys/keepers/operator-keys.ts';
import { checkRecipients, readRecipients } from '../../../keys/keepers/recipients.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const NAMES = ['alice', 'bob', 'carol'];
const config = {
  keys: {
    source: 'parent' as const,
    operators: [
      ...NAMES.map((name) => ({ name, key: `${name}.pem`, encryptionKey: `operators/${name}.pem` })),
      { name: 'dave', key: 'dave.pem', encryptionKey: 'operators/dave.pem' },
      { name: 'erin', key: 'erin.pem' },
    ],
    keeper: { kind: 'operators' as const, k: 2, operators: NAMES },
  },
};

function folderWithKeys(t: TapTest) {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'operators'));
  const write = (name: string, key: KeyObject) =>
    writeFileSync(join(folder, `operators/${name}.pem`), key.export({ type: 'spki', format: 'pem' }));
  const keys = NAMES.map((name) => {
    const { publicKey } = generateKeyPairSync('x25519');
    write(name, publicKey);
    return [name, rawPublicKey(publicKey)] as const;
  });
  return { folder, keys, write };
}

t.test('reads the keys of those who keep data keys, and of no others', async (t) => {
  const { folder, keys } = folderWithKeys(t);
  t.same([...readRecipients(folder, config)], keys);
  t.equal(readRecipients(folder, { keys: { ...config.keys, keeper: { kind: 'kms' } } }).size, 0);
  t.equal(readRecipients(folder, { keys: { source: 'image' } }).size, 0);
});

t.test('rejects one key of two operators, who would be one person with two shares (KEY_OPERATOR_TWICE)', async (t) => {
  const { folder, write } = folderWithKeys(t);
  const { publicKey } = generateKeyPairSync('x25519');
  for (const name of ['alice', 'carol']) write(name, publicKey);
  throwsCode(() => readRecipients(folder, config), KeyError, 'KEY_OPERATOR_TWICE');
});

t.test('rejects a key that signs, and one that is not there (KEY_OPERATOR_INVALID)', async (t) => {
  const { folder, write } = folderWithKeys(t);
  write('bob', generateKeyPairSync('ed25519').publicKey);
  throwsCode(() => readRecipients(folder, config), KeyError, 'KEY_OPERATOR_INVALID');
  rmSync(join(folder, 'operators/bob.pem'));
  throwsCode(() => readRecipients(folder, config), KeyError, 'KEY_OPERATOR_INVALID');
  t.match(checkRecipients(folder, config), { findings: [], missing: [{ name: 'bob', file: 'operators/bob.pem' }] });
});
