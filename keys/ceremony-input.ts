/** What a ceremony is given: the TLS key, clients' certificates, secrets of database users. All is checked, and all findings told, before anything is made. */
import { readFileSync } from 'node:fs';
import type { CertificateFacts } from '../acra/certificate/facts.ts';
import { clientIdFromCertificate } from '../acra/client-id.ts';
import { AcraError } from '../acra/errors.ts';
import type { EnclaveConfig } from '../config/enclave.ts';
import { sealedTlsKeyOf } from '../config/tls.ts';
import { publicKeySha256 } from '../encoding/public-key-hash.ts';
import { describeError } from '../runtime/errors.ts';
import { SecretBuffer } from '../runtime/secret-buffer.ts';
import type { DatabaseSecret, SecretWords } from './database-secrets.ts';
import { readDatabaseSecrets } from './database-secrets.ts';
import { KeyError } from './errors.ts';
import type { Finding } from './finding.ts';
import { requireNoFinding } from './finding.ts';
import { placeFindings } from './output-places.ts';
import { checkClientCertificate } from './tls/certificate-rules.ts';
import { checkFolderCertificates, readCertificatesAt } from './tls/folder-certificates.ts';
import { checkServerKey } from './tls/private-key.ts';

interface NamedClient {
  /** Several, with commas between, when they are of the same client. */
  readonly file: string;
  readonly clientId: string;
}

interface CeremonyContext {
  /** The measured folder. */
  readonly folder: string;
  readonly config: EnclaveConfig;
  readonly nowMs: number;
}

function notThere(file: string): Finding {
  return { code: 'CERTIFICATE_FILE_READ', file, message: 'there is no such file' };
}

/** The caller disposes it; what is wrong is added to `findings`. */
function readServerKey(
  file: string,
  certificate: CertificateFacts | undefined,
  findings: Finding[],
): SecretBuffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    findings.push({ code: 'KEY_FILE_READ', file, message: describeError(error) });
    return undefined;
  }
  findings.push(...checkServerKey(file, bytes, certificate));
  return SecretBuffer.take(bytes);
}

function readClient(
  file: string,
  { config, nowMs }: CeremonyContext,
  authorities: readonly CertificateFacts[],
  findings: Finding[],
): NamedClient[] {
  const read = readCertificatesAt(file);
  const wrong = read === undefined ? [notThere(file)] : checkClientCertificate(read, authorities, nowMs);
  const leaf = read?.certificates[0];
  findings.push(...wrong);
  if (leaf === undefined) return [];
  try {
    return [{ file, clientId: clientIdFromCertificate(leaf.x509.toString(), config.acra.clientIdFrom) }];
  } catch (error) {
    if (!(error instanceof AcraError)) throw error;
    findings.push({ code: 'ACRA_CERTIFICATE_INVALID', file, message: describeError(error) });
    return [];
  }
}

/** A client has one set of keys, however many certificates of it are named. */
function oncePerClient(clients: readonly NamedClient[]): NamedClient[] {
  return [...Map.groupBy(clients, ({ clientId }) => clientId)].map(([clientId, same]) => ({
    clientId,
    file: [...new Set(same.map(({ file }) => file))].join(', '),
  }));
}

export interface CeremonyInput extends Disposable {
  readonly clients: readonly NamedClient[];
  /** Undefined when none was asked for. */
  readonly serverKey: SecretBuffer | undefined;
  /** SHA-256 of the public key of the server certificate, in hex. */
  readonly serverKeySha256: string;
  readonly databaseSecrets: readonly DatabaseSecret[];
}

interface CeremonyFiles {
  readonly serverKey?: string | undefined;
  readonly clients: readonly string[];
  /** By default none. */
  readonly databaseUsers?: SecretWords;
  /** Whether there must be all that the configuration states; default `given`. */
  readonly demand?: 'all' | 'given';
}

/**
 * The caller disposes the result.
 * @throws KeyError with all that is wrong
 */
export function readCeremonyInput(context: CeremonyContext, files: CeremonyFiles): CeremonyInput {
  if (files.serverKey !== undefined && sealedTlsKeyOf(context.config) === undefined) {
    throw new KeyError('KEY_NOT_SEALED', 'the enclave makes its TLS key itself', { found: files.serverKey });
  }
  const certificates = checkFolderCertificates(context.folder, context.config, context.nowMs);
  const { server, clientAuthorities } = certificates;
  const findings = [...placeFindings(context.config), ...certificates.findings, ...certificates.missing.map(notThere)];
  const serverKey = files.serverKey === undefined ? undefined : readServerKey(files.serverKey, server, findings);
  const { databaseUsers = { secret: [], nextSecret: [] }, demand = 'given' } = files;
  const databaseSecrets = readDatabaseSecrets(databaseUsers, context.config.database, demand, findings);
  const dispose = () => {
    serverKey?.dispose();
    for (const { secret } of databaseSecrets) secret.dispose();
  };
  try {
    const clients = oncePerClient(
      files.clients.flatMap((file) => readClient(file, context, clientAuthorities, findings)),
    );
    requireNoFinding(findings);
    const serverKeySha256 = server === undefined ? '' : publicKeySha256(server.x509);
    return { clients, serverKey, serverKeySha256, databaseSecrets, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
