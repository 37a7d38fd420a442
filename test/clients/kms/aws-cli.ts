/** The AWS CLI goes through the checks of the KMS proxy (kms.test.ts). Arguments: the program, and what goes before its own arguments. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const [, , program = '', ...first] = process.argv;
const [KEY, SIGNING, AGREEMENT, OTHER] = ['SYMMETRIC', 'SIGNING', 'AGREEMENT', 'OTHER'].map(
  (name) => process.env[`KMS_${name}_KEY`] ?? '',
) as [string, string, string, string];

const tell = (fields: object) => process.stdout.write(`${JSON.stringify(fields)}\n`);

function aws(...args: readonly string[]): Record<string, string> {
  return JSON.parse(
    execFileSync(program, [...first, 'kms', ...args, '--output', 'json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    }).toString(),
  );
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function check(name: string, run: () => string | undefined): void {
  try {
    tell({ check: name, ok: true, detail: run() ?? '' });
  } catch (error) {
    tell({ check: name, ok: false, detail: String(error).slice(0, 500) });
  }
}

function file(name: string, content: Buffer | string): string {
  writeFileSync(name, content);
  return `fileb://${name}`;
}

const bytesOf = (text: string | undefined) => Buffer.from(text ?? '', 'base64');

function sealed(secret: string): string {
  const { CiphertextBlob } = aws('encrypt', '--key-id', KEY, '--plaintext', file('secret', secret));
  return file('sealed', bytesOf(CiphertextBlob));
}

/** The CLI names the type in its error, and ends with 254 (255 in version 1). */
function refused(args: readonly string[], type: string, words: string): string {
  const { status, stderr } = spawnSync(program, [...first, 'kms', ...args]);
  const said = stderr.toString();
  demand(status === 254 || status === 255, `ended with ${status}`);
  demand(said.includes(`An error occurred (${type})`) && said.includes(words), said);
  return type;
}

tell({
  version: execFileSync(program, [...first, '--version'])
    .toString()
    .split(' ')[0],
  runtime: 'its own',
});
check('encrypt-decrypt', () => {
  const { Plaintext, KeyId } = aws('decrypt', '--key-id', KEY, '--ciphertext-blob', sealed('a secret'));
  demand(bytesOf(Plaintext).toString() === 'a secret' && KeyId === KEY, 'another answer');
  return undefined;
});
check('decrypt-without-key', () => {
  demand(
    bytesOf(aws('decrypt', '--ciphertext-blob', sealed('x'))['Plaintext']).toString() === 'x',
    'another plaintext',
  );
  return undefined;
});
check('data-key', () => {
  const made = aws('generate-data-key', '--key-id', KEY, '--key-spec', 'AES_256');
  const opened = aws('decrypt', '--ciphertext-blob', file('key', bytesOf(made['CiphertextBlob'])));
  demand(bytesOf(made['Plaintext']).length === 32 && opened['Plaintext'] === made['Plaintext'], 'another key');
  return undefined;
});
check('data-key-pair', () => {
  const made = aws('generate-data-key-pair', '--key-id', KEY, '--key-pair-spec', 'ECC_NIST_P256');
  const key = createPrivateKey({ key: bytesOf(made['PrivateKeyPlaintext']), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  demand(spki.equals(bytesOf(made['PublicKey'])), 'the halves do not fit');
  return undefined;
});
check('random', () => {
  demand(bytesOf(aws('generate-random', '--number-of-bytes', '48')['Plaintext']).length === 48, 'another length');
  return undefined;
});
check('shared-secret', () => {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = own.publicKey.export({ format: 'der', type: 'spki' });
  const derived = aws(
    'derive-shared-secret',
    '--key-id',
    AGREEMENT,
    '--key-agreement-algorithm',
    'ECDH',
    '--public-key',
    file('own', spki),
  );
  const theirs = bytesOf(aws('get-public-key', '--key-id', AGREEMENT)['PublicKey']);
  const publicKey = createPublicKey({ key: theirs, format: 'der', type: 'spki' });
  demand(
    diffieHellman({ privateKey: own.privateKey, publicKey }).equals(bytesOf(derived['SharedSecret'])),
    'another secret',
  );
  return undefined;
});
check('sign-verify', () => {
  const asked = [
    '--key-id',
    SIGNING,
    '--message',
    file('message', 'a message'),
    '--signing-algorithm',
    'ECDSA_SHA_256',
  ];
  const signature = file('signature', bytesOf(aws('sign', ...asked)['Signature']));
  demand(String(aws('verify', ...asked, '--signature', signature)['SignatureValid']) === 'true', 'not valid');
  return undefined;
});
check('typed-refusal', () =>
  refused(
    ['decrypt', '--key-id', KEY, '--ciphertext-blob', file('rubbish', Buffer.alloc(80))],
    'InvalidCiphertextException',
    '',
  ),
);
check('rules-refusal', () =>
  refused(['encrypt', '--key-id', OTHER, '--plaintext', file('x', 'x')], 'AccessDeniedException', 'enclave.yaml'),
);
check('alias-refusal', () =>
  refused(['encrypt', '--key-id', 'alias/x', '--plaintext', file('x', 'x')], 'AccessDeniedException', 'ARN'),
);
check('outage-retried', () => {
  demand(JSON.stringify(aws('describe-key', '--key-id', KEY)).includes(KEY), 'another key');
  return undefined;
});
