/** The AWS SDK for JavaScript v3 goes through the checks of the KMS proxy (kms.test.ts), with nothing set but the environment. */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import {
  DecryptCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateRandomCommand,
  GetPublicKeyCommand,
  InvalidCiphertextException,
  KMSClient,
  KMSServiceException,
  SignCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms';

const [KEY, SIGNING, AGREEMENT, OTHER] = ['SYMMETRIC', 'SIGNING', 'AGREEMENT', 'OTHER'].map(
  (name) => process.env[`KMS_${name}_KEY`] ?? '',
) as [string, string, string, string];
const EncryptionContext = { purpose: 'files' };
const Message = Buffer.from('a message');
const kms = new KMSClient();

const tell = (fields: object) => process.stdout.write(`${JSON.stringify(fields)}\n`);

async function check(name: string, run: () => Promise<string | undefined>): Promise<void> {
  try {
    tell({ check: name, ok: true, detail: (await run()) ?? '' });
  } catch (error) {
    tell({ check: name, ok: false, detail: String(error) });
  }
}

function demand(holds: boolean, what: string): undefined {
  if (!holds) throw new Error(what);
}

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a !== undefined && b !== undefined && Buffer.from(a).equals(b);

async function refused(action: Promise<unknown>, type: string, words: string): Promise<string> {
  const error = await action.catch((caught: unknown) => caught);
  if (!(error instanceof KMSServiceException)) throw new Error(`no exception: ${error}`);
  demand(error.name === type && error.message.includes(words), `${error.name}: ${error.message}`);
  demand(error.$metadata.attempts === 1, 'was tried again');
  return type;
}

const { version } = createRequire(import.meta.url)('@aws-sdk/client-kms/package.json') as { version: string };
tell({ version: `@aws-sdk/client-kms ${version}`, runtime: `Node ${process.versions.node}` });
await check('encrypt-decrypt', async () => {
  for (const Plaintext of [Buffer.from('x'), Buffer.alloc(4096, 1)]) {
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: KEY, Plaintext, EncryptionContext }));
    const opened = await kms.send(new DecryptCommand({ KeyId: KEY, CiphertextBlob, EncryptionContext }));
    demand(same(opened.Plaintext, Plaintext) && opened.CiphertextForRecipient === undefined, 'another answer');
  }
  return undefined;
});
await check('decrypt-without-key', async () => {
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: KEY, Plaintext: Message }));
  return demand(same((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext, Message), 'another plaintext');
});
await check('data-key', async () => {
  const made = await kms.send(new GenerateDataKeyCommand({ KeyId: KEY, KeySpec: 'AES_256', EncryptionContext }));
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext }));
  return demand(made.Plaintext?.length === 32 && same(Plaintext, made.Plaintext), 'another key');
});
await check('data-key-pair', async () => {
  const made = await kms.send(new GenerateDataKeyPairCommand({ KeyId: KEY, KeyPairSpec: 'RSA_2048' }));
  const key = createPrivateKey({ key: Buffer.from(made.PrivateKeyPlaintext!), format: 'der', type: 'pkcs8' });
  return demand(
    same(createPublicKey(key).export({ format: 'der', type: 'spki' }), made.PublicKey),
    'halves do not fit',
  );
});
await check('random', async () =>
  demand((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 48 }))).Plaintext?.length === 48, 'another length'),
);
await check('shared-secret', async () => {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const PublicKey = own.publicKey.export({ format: 'der', type: 'spki' });
  const asked = { KeyId: AGREEMENT, KeyAgreementAlgorithm: 'ECDH', PublicKey } as const;
  const { SharedSecret } = await kms.send(new DeriveSharedSecretCommand(asked));
  const told = await kms.send(new GetPublicKeyCommand({ KeyId: AGREEMENT }));
  const publicKey = createPublicKey({ key: Buffer.from(told.PublicKey!), format: 'der', type: 'spki' });
  return demand(same(diffieHellman({ privateKey: own.privateKey, publicKey }), SharedSecret), 'another secret');
});
await check('sign-verify', async () => {
  const asked = { KeyId: SIGNING, Message, SigningAlgorithm: 'ECDSA_SHA_256' } as const;
  const { Signature } = await kms.send(new SignCommand(asked));
  return demand((await kms.send(new VerifyCommand({ ...asked, Signature }))).SignatureValid === true, 'not valid');
});
await check('typed-refusal', async () => {
  const asked = kms.send(new DecryptCommand({ KeyId: KEY, CiphertextBlob: Buffer.alloc(80) }));
  const error = await asked.catch((caught: unknown) => caught);
  demand(error instanceof InvalidCiphertextException, String(error));
  return 'InvalidCiphertextException';
});
await check('rules-refusal', () =>
  refused(kms.send(new EncryptCommand({ KeyId: OTHER, Plaintext: Message })), 'AccessDeniedException', 'enclave.yaml'),
);
await check('alias-refusal', () =>
  refused(kms.send(new EncryptCommand({ KeyId: 'alias/x', Plaintext: Message })), 'AccessDeniedException', 'ARN'),
);
await check('outage-retried', async () => {
  const { KeyMetadata, $metadata } = await kms.send(new DescribeKeyCommand({ KeyId: KEY }));
  demand(KeyMetadata?.Arn === KEY, 'another key');
  return `${($metadata.attempts ?? 1) - 1} retries`;
});
