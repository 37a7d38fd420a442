/**
 * The TLS key has a certificate. It has one at once, unless the operator's CA is to sign it for this boot: then this waits for people. It
 * comes late, when all that could fail without them has been seen to work, and the key that they sign for is one that will serve; but
 * the request can be fetched, and the certificate be brought, from the phase `requests` on.
 */
import { type TlsKeyConfig, tlsKeyOf } from '../../../config/tls.ts';
import type { Phase } from '../phase.ts';
import type { TlsKeyKnown } from './tls-key.ts';

const DETAIL =
  'waiting for a certificate for the TLS key of this boot: the operator of the CA signs its request with ' +
  '`acra-enclave certificate sign`, and `acra-enclave certificate install` brings it here (docs/tls-key.md)';

/** An application none of whose ports ends TLS in the enclave names nobody that a certificate could be for. */
function showsCertificate(config: TlsKeyConfig): boolean {
  const key = tlsKeyOf(config);
  return key.key === 'sealed' || key.names.length > 0;
}

export const certificatePhase: Phase<{ readonly config: TlsKeyConfig } & TlsKeyKnown, object> = {
  name: 'certificate',
  deadlineMs: ({ config }) => {
    const key = tlsKeyOf(config);
    return key.key === 'attested' && key.certificate === 'operator-ca' ? key.certificateMs : 1_000;
  },
  async run({ config, serverCertificate, tlsKeySha256 }, { status, logger, signal }) {
    if (serverCertificate.isThere || !showsCertificate(config)) return {};
    status.set({ detail: DETAIL, errorCode: 'BOOT_CERTIFICATE_MISSING' });
    logger.log('warn', 'tls.certificate-awaited', { tlsKeySha256: tlsKeySha256().toString('hex') });
    await serverCertificate.untilThere(signal);
    return {};
  },
};
