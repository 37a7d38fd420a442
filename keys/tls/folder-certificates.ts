/**
 * The certificates of a measured folder: what the enclave, acra-server or applications would refuse later is told where the
 * folder is written, checked or built; and when they end, so that somebody hears of it before.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PURPOSE } from '../../acra/certificate/chain.ts';
import type { CertificateFacts } from '../../acra/certificate/facts.ts';
import type { AppEnclaveConfig } from '../../config/app/app-enclave.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { kmsCaFiles } from '../../config/key-keeper.ts';
import { sealedTlsKeyOf, serverCaOf } from '../../config/tls.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { CertificateEnd, CertificateRole } from '../../wire/certificate-end.ts';
import { shortSubject } from '../../wire/certificate-end.ts';
import type { Finding } from '../finding.ts';
import { nameOf } from './certificate-facts.ts';
import type { CertificateFile } from './certificate-file.ts';
import { readCertificateFile } from './certificate-file.ts';
import { checkAuthorities, checkServerCertificate } from './certificate-rules.ts';

export interface FolderCertificates {
  readonly findings: readonly Finding[];
  /** Named by enclave.yaml and not there. */
  readonly missing: readonly string[];
  /** Undefined when it is not there or cannot be read, and where the enclave makes its key itself. */
  readonly server: CertificateFacts | undefined;
  /** Of `tls.certificate: operator-ca`. */
  readonly serverAuthorities: readonly CertificateFacts[];
  readonly clientAuthorities: readonly CertificateFacts[];
  readonly databaseAuthorities: readonly CertificateFacts[];
}

interface NamedFile {
  readonly role: CertificateRole;
  readonly file: string;
}

type Config = Pick<EnclaveConfig, 'acra' | 'database' | 'keys' | 'kms' | 'tls'>;

type AppConfig = Pick<AppEnclaveConfig, 'programs' | 'ingress' | 'kmsProxy' | 'tls'>;

function serverFilesOf(config: Config): NamedFile[] {
  const sealed = sealedTlsKeyOf(config);
  const ca = serverCaOf(config);
  return [
    sealed === undefined ? [] : { role: 'server' as const, file: sealed.certificate },
    ca === undefined ? [] : { role: 'server-ca' as const, file: ca },
  ].flat();
}

function filesOf(config: Config | AppConfig): NamedFile[] {
  if ('programs' in config) return filesOfApp(config);
  const { acra, database } = config;
  return [
    ...serverFilesOf(config),
    { role: 'client-ca', file: acra.clientCa },
    { role: 'database-ca', file: database.ca },
    ...(acra.tokens === undefined ? [] : [{ role: 'tokens-ca' as const, file: acra.tokens.ca }]),
    ...kmsCaFiles(config).map(({ file }) => ({ role: 'kms-ca' as const, file })),
  ];
}

function filesOfApp(config: AppConfig): NamedFile[] {
  const ca = serverCaOf(config);
  const named = (role: CertificateRole, files: readonly (string | undefined)[]): NamedFile[] =>
    [...new Set(files)].flatMap((file) => (file === undefined ? [] : { role, file }));
  return [
    ...named('server-ca', [ca]),
    ...named(
      'client-ca',
      Object.values(config.ingress).map(({ clientCa }) => clientCa),
    ),
    ...named(
      'kms-ca',
      (config.kmsProxy?.regions ?? []).map((region) => region.ca),
    ),
  ];
}

/** Undefined when the file is not there. */
export function readCertificatesAt(path: string, name = path): CertificateFile | undefined {
  try {
    return readCertificateFile(name, readFileSync(path));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    const finding: Finding = { code: 'CERTIFICATE_FILE_READ', file: name, message: describeError(error) };
    return { file: name, certificates: [], findings: [finding] };
  }
}

function check({ role }: NamedFile, read: CertificateFile, nowMs: number): Finding[] {
  if (role === 'server') return checkServerCertificate(read, nowMs);
  if (role === 'server-ca') return checkAuthorities(read, PURPOSE.server, nowMs, false);
  if (role === 'client-ca') return checkAuthorities(read, PURPOSE.client, nowMs, false);
  return checkAuthorities(read, PURPOSE.server, nowMs, true);
}

export function checkFolderCertificates(folder: string, config: Config | AppConfig, nowMs: number): FolderCertificates {
  const files = filesOf(config).map((named) => {
    const read = readCertificatesAt(join(folder, named.file), named.file);
    return { ...named, read, findings: read === undefined ? [] : check(named, read, nowMs) };
  });
  const certificatesOf = (wanted: CertificateRole) =>
    files.find(({ role }) => role === wanted)?.read?.certificates ?? [];
  return {
    findings: files.flatMap(({ findings }) => findings),
    missing: files.filter(({ read }) => read === undefined).map(({ file }) => file),
    server: certificatesOf('server')[0],
    serverAuthorities: certificatesOf('server-ca'),
    clientAuthorities: certificatesOf('client-ca'),
    databaseAuthorities: certificatesOf('database-ca'),
  };
}

const endOf = ({ x509 }: CertificateFacts) => x509.validToDate.getTime();

/** Of a chain the first that ends; of trust anchors the first of those that still hold, or the last of all. */
function firstToEnd(role: CertificateRole, certificates: readonly CertificateFacts[], nowMs: number) {
  const byEnd = certificates.toSorted((a, b) => endOf(a) - endOf(b));
  return role === 'server' ? byEnd[0] : (byEnd.find((each) => endOf(each) >= nowMs) ?? byEnd.at(-1));
}

/** One for each file that can be read. */
export function certificateEnds(folder: string, config: Config | AppConfig, nowMs: number): CertificateEnd[] {
  return filesOf(config).flatMap(({ role, file }) => {
    const certificates = readCertificatesAt(join(folder, file), file)?.certificates ?? [];
    const first = firstToEnd(role, certificates, nowMs);
    return first === undefined ? [] : { certificate: role, subject: shortSubject(nameOf(first)), endsMs: endOf(first) };
  });
}
