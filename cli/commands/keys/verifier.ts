/** `acra-enclave keys verifier`: what PostgreSQL would keep of a password, for a password that is not in the database yet. */
import { stdout } from 'node:process';
import { Command } from 'commander';
import { KeyError } from '../../../keys/errors.ts';
import { readSecretFile } from '../../../keys/secret-file.ts';
import { secretFormOf } from '../../../keys/secret-form.ts';
import { makeVerifier } from '../../../postgres/scram/verifier.ts';
import { errorCode } from '../../../runtime/errors.ts';
import { systemRandom } from '../../../runtime/random.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';

/** Neither the file nor a system's message about it is repeated: a password may stand there by mistake. */
function readPassword(file: string): SecretBuffer {
  const { allowed } = secretFormOf('certificate');
  let found: SecretBuffer | string;
  try {
    found = readSecretFile(file, secretFormOf('certificate'));
  } catch (error) {
    const code = errorCode(error) ?? 'unknown reason';
    throw new KeyError('KEY_PASSWORD_READ', 'the file with the password cannot be read', { found: code });
  }
  if (typeof found !== 'string') return found;
  throw new KeyError('KEY_PASSWORD_INVALID', 'the file holds no password', { found, allowed });
}

async function verifier(file: string): Promise<void> {
  using password = readPassword(file);
  const text = await makeVerifier(password, systemRandom);
  stdout.write(Buffer.concat([text, Buffer.from('\n')]));
}

const HELP = `
Prints one line. It does not log in, but passwords can be guessed with it: keep it like one, with \`umask 077\` and \`> FILE\`. The file
goes into \`keys new\` or \`keys seal\` where enclave.yaml has \`database.login: verifier\`, and the line into the database:
ALTER ROLE app PASSWORD 'SCRAM-SHA-256$…'. Each call makes another one, as PostgreSQL does: both must get the same.`;

export function verifierCommand(): Command {
  return new Command('verifier')
    .description('Make the verifier of a password, as PostgreSQL keeps it (SCRAM-SHA-256).')
    .argument('<file>', 'the file that holds the password, on one line')
    .addHelpText('after', HELP)
    .action(verifier);
}
