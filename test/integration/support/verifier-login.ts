/** What `database.login: verifier` needs of the database. */
import pg from 'pg';
import { DATABASE_NAME } from '../../../cli/demo/certificates.ts';
import type { Reachable } from '../../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import { makeVerifier } from '../../../postgres/scram/verifier.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';

export async function verifierOf(password: string): Promise<string> {
  return (await makeVerifier(SecretBuffer.take(Buffer.from(password)), systemRandom)).toString();
}

/** As the user itself, past the enclave. @param secret a password, or a verifier */
export async function changeInDatabase(
  stack: Reachable,
  secret: string,
  password = APPLICATION.password,
): Promise<void> {
  const { postgres, certificates } = stack.parts;
  const { host, port } = postgres;
  const ssl = { ca: certificates.databaseCaPem, servername: DATABASE_NAME };
  const session = new pg.Client({ host, port, database: DATABASE, user: APPLICATION.user, password, ssl });
  await session.connect();
  await session.query(`ALTER ROLE ${APPLICATION.user} PASSWORD '${secret}'`);
  await session.end();
}
