/** psql as a client of the enclave, with verify-full. */
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import { askPsql } from '../../support/psql.ts';
import type { ServingStack } from '../../support/stack.ts';

interface Login {
  /** A file of the root that it is given. */
  readonly root: string;
  readonly password: string;
}

/** @param settings more of libpq's. @returns what it prints, also of an error: 42 from the database */
export async function psqlThrough({ stack, address }: ServingStack, login: Login, settings: string): Promise<string> {
  const { certificate, key } = stack.parts.clientFiles;
  const tls = `sslmode=verify-full sslrootcert=${login.root} sslcert=${certificate} sslkey=${key}`;
  const where = `host=${ENCLAVE_NAME} hostaddr=${address.host} port=${address.port} dbname=${DATABASE}`;
  const conninfo = `${where} user=${APPLICATION.user} ${tls} ${settings}`;
  return await askPsql(conninfo, login.password, 'SELECT 42');
}
