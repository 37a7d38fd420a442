/**
 * By which TLS key clients know this enclave: its hash goes into every attestation document, so that whoever has verified one
 * recognises the enclave's end of a connection. With passthrough the same certificate is acra-server's.
 */
import { X509Certificate } from 'node:crypto';
import { publicKeySha256 } from '../../../encoding/public-key-hash.ts';
import { SupervisorError } from '../../errors.ts';
import type { Phase } from '../phase.ts';
import { type Configured, readMeasured } from './configuration.ts';

export interface TlsKeyKnown {
  /** SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes. */
  readonly tlsKeySha256: Buffer;
}

export const tlsKeyPhase: Phase<Pick<Configured, 'config' | 'pathOf'>, TlsKeyKnown> = {
  name: 'tls-key',
  deadlineMs: () => 10_000,
  async run({ config, pathOf }, { logger }) {
    const certificate = readCertificate(readMeasured(pathOf(config.acra.certificate)), config.acra.certificate);
    const tlsKeySha256 = publicKeySha256(certificate);
    logger.log('info', 'tls.key-known', { tlsKeySha256 });
    return { tlsKeySha256: Buffer.from(tlsKeySha256, 'hex') };
  },
};

/** The first of the file, which is the server's own. @throws SupervisorError BOOT_TLS_KEY_UNKNOWN */
function readCertificate(pem: Buffer, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new SupervisorError('BOOT_TLS_KEY_UNKNOWN', `${file} holds no certificate`, { cause });
  }
}
