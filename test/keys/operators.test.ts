/** The operators' public keys in a measured folder: each under the name of enclave.yaml, none of them twice. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KeyError } from '../../keys/errors.ts';
import { checkOperators, readOperators } from '../../keys/operators.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { keysConfig } from './support/keys-config.ts';

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' });
const anna = generateKeyPairSync('ed25519');
const boris = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const clara = generateKeyPairSync('ec', { namedCurve: 'P-384' });

const config = keysConfig({
  operators: ['anna', 'boris', 'clara'].map((name) => ({ name, key: `operators/${name}.pem` })),
});

function folderOf(
  test: Parameters<typeof temporaryFolder>[0],
  files: Readonly<Record<string, string | Buffer>>,
): string {
  const folder = temporaryFolder(test);
  mkdirSync(join(folder, 'operators'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, 'operators', `${name}.pem`), content);
  return folder;
}

const ALL = { anna: pem(anna.publicKey), boris: pem(boris.publicKey), clara: pem(clara.publicKey) };

function refusal(folder: string): KeyError {
  try {
    readOperators(folder, config);
  } catch (error) {
    if (error instanceof KeyError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

t.test('gives each key the name that enclave.yaml gives it, in its order', async (t) => {
  const keys = readOperators(folderOf(t, ALL), config);
  t.strictSame(
    keys.map(({ name, hash }) => ({ name, hash })),
    [
      { name: 'anna', hash: undefined },
      { name: 'boris', hash: 'sha256' },
      { name: 'clara', hash: 'sha384' },
    ],
  );
  t.ok(keys[0]?.key.equals(anna.publicKey));
});

t.test('knows of none where keys lie in the image', async (t) => {
  t.strictSame(readOperators(folderOf(t, {}), keysConfig('image')), []);
});

t.test('rejects a key under two names: one person would count as two (KEY_OPERATOR_TWICE)', async (t) => {
  const { code, message } = refusal(folderOf(t, { ...ALL, clara: ALL.anna }));
  t.equal(code, 'KEY_OPERATOR_TWICE');
  t.match(message, 'operators/clara.pem: holds the key of operators/anna.pem again');
  t.match(message, 'of anna and clara');
});

t.test('rejects what is no public key that signs (KEY_OPERATOR_INVALID)', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const x25519 = generateKeyPairSync('x25519');
  const wrong: Readonly<Record<string, string | Buffer>> = {
    'a private key': boris.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'two keys': `${ALL.anna}${ALL.clara}`,
    'an RSA key': pem(rsa.publicKey),
    'a key that agrees and does not sign': pem(x25519.publicKey),
    nothing: '',
    'too much': Buffer.concat([Buffer.from(ALL.boris), Buffer.alloc(16 * 1024, '\n')]),
  };
  for (const [what, content] of Object.entries(wrong)) {
    const { code, message } = refusal(folderOf(t, { ...ALL, boris: content }));
    t.equal(code, 'KEY_OPERATOR_INVALID', what);
    t.match(message, 'operators/boris.pem: ', what);
    t.notMatch(message, 'anna', what);
  }
});

t.test('tells a file that is not there from a wrong one, and boots with neither', async (t) => {
  const { clara: _, ...others } = ALL;
  const folder = folderOf(t, others);
  t.match(checkOperators(folder, config), { findings: [], missing: [{ name: 'clara', file: 'operators/clara.pem' }] });
  const { code, message } = refusal(folder);
  t.equal(code, 'KEY_OPERATOR_INVALID');
  t.match(message, 'the public key of operator clara is not in the measured folder');
});

t.test('tells all that is wrong at once', async (t) => {
  const { message } = refusal(folderOf(t, { anna: 'x', boris: 'y', clara: ALL.clara }));
  t.match(message, '2 things are wrong');
  t.match(message, 'operators/anna.pem');
  t.match(message, 'operators/boris.pem');
});
