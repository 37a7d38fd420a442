/** The TLS key that an enclave has made itself is in the memory of supervisor and front, and nowhere else. */
import { createECDH, type X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { filesBelow } from '../support/files-below.ts';
import { memoryFrom, processesNaming, searchMemory } from '../support/processes.ts';
import { acraPid, childPid } from '../support/stack.ts';
import { answerOf, session } from './support/own-tls-client.ts';
import { ownTlsStack } from './support/own-tls-stack.ts';

/** PKCS #8 of an EC key on P-256 in base64: 36 bytes, the private number, the public key (RFC 5915). */
const PKCS8_START = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg';
const [NUMBER_AT, NUMBER_BYTES] = [36, 32];
const NUMBER_CHARACTERS = 4 * Math.ceil((NUMBER_AT + NUMBER_BYTES) / 3);

function isNumberOf(number: Buffer, certificate: X509Certificate): boolean {
  const curve = createECDH('prime256v1');
  try {
    curve.setPrivateKey(number);
  } catch {
    return false;
  }
  const { x = '' } = certificate.publicKey.export({ format: 'jwk' });
  return curve.getPublicKey().subarray(1, 33).equals(Buffer.from(x, 'base64url'));
}

/** The private number of the certificate's key, if the process has it. */
function privateNumber(pid: number, certificate: X509Certificate): Buffer | undefined {
  return memoryFrom(pid, PKCS8_START, NUMBER_CHARACTERS)
    .map((text) => Buffer.from(text.toString('latin1'), 'base64').subarray(NUMBER_AT, NUMBER_AT + NUMBER_BYTES))
    .find((number) => isNumberOf(number, certificate));
}

const textsOf = (number: Buffer) => [
  number.toString('base64').replace(/=+$/, ''),
  number.toString('base64url'),
  number.toString('hex'),
];

/** As OpenSSL keeps it too, and as it stands in PKCS #8. */
function formsOf(number: Buffer): readonly Buffer[] {
  const written = textsOf(number).flatMap((text) => [Buffer.from(text, 'latin1'), Buffer.from(text, 'utf16le')]);
  return [number, Buffer.from(number).reverse(), ...written];
}

t.test('keeps the private half of an attested key in supervisor and front', async (t) => {
  const { serving, certificate } = await ownTlsStack(t);
  const { stack } = serving;
  const client = await session(serving, certificate.toString());
  t.equal(await answerOf(client), 42);
  const { enclave } = stack;
  const number = privateNumber(enclave.supervisor?.pid ?? 0, certificate);
  const forms = formsOf(number ?? Buffer.alloc(NUMBER_BYTES));
  const none = forms.map(() => 0);

  t.ok(number, 'the supervisor has it, so that the search finds what is there');
  t.ok(
    searchMemory(childPid(enclave, 'front'), forms).some((count) => count > 0),
    'so has the front',
  );

  await t.test('not in the memory of host-proxy, guard and acra-server', async (t) => {
    for (const pid of [enclave.hostProxy?.pid ?? 0, childPid(enclave, 'guard'), acraPid(enclave)])
      t.same(searchMemory(pid, forms), none);
  });

  await t.test('not in logs, configuration or any other file, nor in a command line', async (t) => {
    for (const file of filesBelow(stack.options.root)) {
      const content = readFileSync(file);
      t.notOk(
        forms.some((form) => content.includes(form)),
        file,
      );
    }
    t.same(textsOf(number ?? Buffer.alloc(NUMBER_BYTES)).flatMap(processesNaming), []);
  });
  await client.end();
});
