/** The two ways to the data: as the application does, through the enclave, and as somebody who holds the database does. */
import pg from 'pg';
import type { IssuedCertificate } from '../../emulator/pki/authority.ts';
import type { RunningPostgres } from '../../emulator/postgres/server.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import type { DemoCertificates } from './certificates.ts';
import { DATABASE_NAME, ENCLAVE_NAME } from './certificates.ts';
import { APPLICATION, DATABASE, OWNER } from './database.ts';
import type { OutsideParts } from './parts.ts';
import type { PublishedFiles } from './place.ts';

/** What a client needs to know of a stack. */
export interface Reachable {
  readonly parts: {
    readonly certificates: DemoCertificates;
    readonly postgres: Pick<RunningPostgres, 'host' | 'port'>;
  };
}

/** @param as default: the application */
export async function connectThroughEnclave(
  stack: Reachable,
  address: TcpEndpoint,
  as?: IssuedCertificate,
): Promise<pg.Client> {
  const { applicationCaPem, client: application } = stack.parts.certificates;
  const client = as ?? application;
  const connection = new pg.Client({
    host: address.host,
    port: address.port,
    database: DATABASE,
    ...APPLICATION,
    ssl: { ca: applicationCaPem, cert: client.certificatePem, key: client.privateKeyPem, servername: ENCLAVE_NAME },
  });
  // An enclave that stops ends its sessions; whoever awaits a query learns of it there.
  connection.on('error', () => undefined);
  await connection.connect();
  return connection;
}

export async function connectDirectly(stack: Reachable): Promise<pg.Client> {
  const { postgres, certificates } = stack.parts;
  const connection = new pg.Client({
    host: postgres.host,
    port: postgres.port,
    database: DATABASE,
    ...OWNER,
    ssl: { ca: certificates.databaseCaPem, servername: DATABASE_NAME },
  });
  await connection.connect();
  return connection;
}

export interface Endpoints {
  readonly public: object;
  readonly database: object;
  /** `statusPage` is for a browser. */
  readonly hostProxy: { readonly url: string; readonly statusPage: string };
  readonly kms: { readonly url: string; readonly ca: string };
  readonly imds: { readonly url: string };
  /** For `acra-enclave verify`. */
  readonly attestation: PublishedFiles;
}

/** What `psql` and every other client on libpq connects with: its defaults, and certificates. The certificate is the login. */
export function libpqConninfo(
  address: Pick<TcpEndpoint, 'host' | 'port'>,
  files: { readonly ca: string; readonly cert: string; readonly key: string },
): string {
  const settings = {
    host: ENCLAVE_NAME,
    hostaddr: address.host,
    port: address.port,
    dbname: DATABASE,
    user: APPLICATION.user,
    sslmode: 'verify-full',
    sslrootcert: files.ca,
    sslcert: files.cert,
    sslkey: files.key,
  };
  const quote = (value: string | number) => `'${String(value).replace(/['\\]/g, '\\$&')}'`;
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${quote(value)}`)
    .join(' ');
}

/** Everything that psql, a driver or curl needs to be pointed at the parts; file paths are absolute. */
export function describeEndpoints(
  { clientFiles, postgres, cloud }: OutsideParts,
  { address, adminUrl }: { readonly address: TcpEndpoint; readonly adminUrl: string },
  kmsCaFile: string,
  attestation: PublishedFiles,
): Endpoints {
  const { certificate: cert, key, applicationCa, databaseCa } = clientFiles;
  return {
    public: {
      host: address.host,
      port: address.port,
      user: APPLICATION.user,
      database: DATABASE,
      tls: { ca: applicationCa, cert, key, servername: ENCLAVE_NAME },
      libpq: libpqConninfo(address, { ca: applicationCa, cert, key }),
    },
    database: {
      host: postgres.host,
      port: postgres.port,
      ...OWNER,
      database: DATABASE,
      tls: { ca: databaseCa, cert, key, servername: DATABASE_NAME },
    },
    hostProxy: { url: adminUrl, statusPage: `${adminUrl}/` },
    kms: { url: cloud.kms.url, ca: kmsCaFile },
    imds: { url: cloud.imds.url },
    attestation,
  };
}
