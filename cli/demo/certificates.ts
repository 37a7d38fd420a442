/** The certificates of a demo: the enclave's server, one application client, the database. Fresh each time. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority, IssuedCertificate } from '../../emulator/pki/authority.ts';
import { createAuthority } from '../../emulator/pki/authority.ts';
import { systemClock } from '../../runtime/clock.ts';

export const ENCLAVE_NAME = 'records.demo.internal';
export const DATABASE_NAME = 'database.demo.internal';
/** For clients on the same machine that have no other way to name it. */
const LOCAL_NAME = 'localhost';
/** Where it listens; for whoever names it so. */
const DATABASE_ADDRESS = '127.0.0.1';

export interface DemoCertificates {
  /** CA of the enclave's server certificate and of client certificates. */
  readonly applicationCaPem: string;
  /** The same, for whoever needs further certificates of it. */
  readonly applicationCa: Authority;
  readonly server: IssuedCertificate;
  readonly client: IssuedCertificate;
  /** Further identities that the enclave serves, in the order of their names. */
  readonly otherClients: readonly IssuedCertificate[];
  readonly databaseCaPem: string;
  readonly database: IssuedCertificate;
}

/** @param otherClients common names */
export async function makeCertificates(otherClients: readonly string[] = []): Promise<DemoCertificates> {
  const application = await createAuthority({ commonName: 'demo application CA', clock: systemClock });
  const data = await createAuthority({ commonName: 'demo database CA', clock: systemClock });
  return {
    applicationCaPem: application.certificatePem,
    applicationCa: application,
    server: await application.issue({
      commonName: ENCLAVE_NAME,
      subjectAltNames: [ENCLAVE_NAME, LOCAL_NAME],
      kind: 'server',
    }),
    client: await application.issue({ commonName: 'demo-application', kind: 'client' }),
    otherClients: await Promise.all(
      otherClients.map((commonName) => application.issue({ commonName, kind: 'client' })),
    ),
    databaseCaPem: data.certificatePem,
    database: await data.issue({
      commonName: DATABASE_NAME,
      subjectAltNames: [DATABASE_NAME, DATABASE_ADDRESS],
      kind: 'server',
    }),
  };
}

export interface ClientFiles {
  readonly applicationCa: string;
  readonly databaseCa: string;
  readonly certificate: string;
  readonly key: string;
}

/** What an application needs, as files, so that psql and any driver can be pointed at them. */
export function writeClientFiles(folder: string, certificates: DemoCertificates): ClientFiles {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, pem: string): string => {
    const file = join(folder, name);
    writeFileSync(file, pem, { mode: 0o600 });
    return file;
  };
  return {
    applicationCa: write('application-ca.pem', certificates.applicationCaPem),
    databaseCa: write('database-ca.pem', certificates.databaseCaPem),
    certificate: write('client.pem', certificates.client.certificatePem),
    key: write('client.key', certificates.client.privateKeyPem),
  };
}
