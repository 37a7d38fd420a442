/**
 * A password that nobody knows: 256 random bits, made in the enclave and sealed at once. The database is told its SCRAM verifier, from which
 * such a password is not guessed. Specification: RFC 4648 section 5 for the alphabet.
 */
import { makeVerifier } from '../../../postgres/scram/verifier.ts';
import { encodeBase64 } from '../../../runtime/base64.ts';
import type { Random } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { SetSecret } from '../set-files.ts';
import type { NewSecret } from './plan.ts';

const PASSWORD_BYTES = 32;
/** Base64url without padding. */
const PASSWORD_CHARACTERS = 43;
const REPLACED: ReadonlyMap<number, number> = new Map([
  [0x2b, 0x2d],
  [0x2f, 0x5f],
]);

function makePassword(random: Random): SecretBuffer {
  const bytes = random.bytes(PASSWORD_BYTES);
  const text = encodeBase64(bytes);
  bytes.fill(0);
  for (const [at, character] of text.entries()) text[at] = REPLACED.get(character) ?? character;
  const password = SecretBuffer.take(text.subarray(0, PASSWORD_CHARACTERS));
  text.fill(0);
  return password;
}

export async function madePassword(user: string, slot: SetSecret['slot'], random: Random): Promise<NewSecret> {
  const plaintext = makePassword(random);
  const verifier = (await makeVerifier(plaintext, random)).toString('latin1');
  return { user, slot, plaintext, verifier };
}
