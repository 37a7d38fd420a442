/**
 * Whether the server certificate is the one of the TLS key that was sealed last, told by the public key that master-key.json
 * notes: acra-server would not start with another, and says little about why.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateFacts } from '../acra/certificate/facts.ts';
import type { EnclaveConfig } from '../config/enclave.ts';
import { requireKms } from '../config/kms.ts';
import { sealedTlsKeyOf } from '../config/tls.ts';
import { publicKeySha256 } from '../encoding/public-key-hash.ts';
import { errorCode } from '../runtime/errors.ts';
import { KeyError } from './errors.ts';
import type { Finding } from './finding.ts';
import { requireNoFinding } from './finding.ts';
import { sealedServerKey } from './master-key-file.ts';
import { readCertificatesAt } from './tls/folder-certificates.ts';

/**
 * @param masterKeyFile text of master-key.json; one that notes no key says nothing
 * @throws KeyError MASTER_KEY_FILE_INVALID
 */
export function sealedKeyFindings(
  masterKeyFile: string,
  server: CertificateFacts,
  config: Pick<EnclaveConfig, 'tls' | 'acra'>,
): Finding[] {
  const files = sealedTlsKeyOf(config);
  const sealed = sealedServerKey(masterKeyFile);
  if (files === undefined || sealed === undefined || sealed === publicKeySha256(server.x509)) return [];
  const message = `it is not the certificate of the key that ${files.sealedKey} holds`;
  return [{ code: 'KEY_CERTIFICATE_MISMATCH', file: files.certificate, message }];
}

/** In the enclave: files that cannot be read are refused where they are used. @throws KeyError KEY_CERTIFICATE_MISMATCH */
export function requireSealedKeyOf(folder: string, config: EnclaveConfig): void {
  const files = sealedTlsKeyOf(config);
  const server = files && readCertificatesAt(join(folder, files.certificate))?.certificates[0];
  if (server === undefined) return;
  try {
    const text = readFileSync(join(folder, requireKms(config).ciphertext), 'utf8');
    requireNoFinding(sealedKeyFindings(text, server, config));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    if (error instanceof KeyError && error.code === 'MASTER_KEY_FILE_INVALID') return;
    throw error;
  }
}
