/**
 * By which TLS key clients know this enclave: its hash goes into every attestation document, so that whoever has verified one
 * recognises the enclave's end of a connection. With passthrough the same certificate is acra-server's. With `tls.key: attested` the key
 * is made here, by a generator that has been seeded (entropy), and ends with this boot.
 */
import { X509Certificate } from 'node:crypto';
import { PURPOSE } from '../../../acra/certificate/chain.ts';
import { type AttestedTlsKey, tlsKeyOf } from '../../../config/tls.ts';
import { publicKeyDigest } from '../../../encoding/public-key-hash.ts';
import { requireNoFinding } from '../../../keys/finding.ts';
import { makeTlsKey, type TlsKeyPair } from '../../../keys/tls/attested-key.ts';
import { readCertificateFile } from '../../../keys/tls/certificate-file.ts';
import { checkAuthorities } from '../../../keys/tls/certificate-rules.ts';
import { BackgroundTask } from '../../../runtime/background-task.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { SupervisorError } from '../../errors.ts';
import { type CertificateDesk, CLOSED_DESK, openDesk } from '../../tls/certificate-desk.ts';
import { renewSelfSigned, showSelfSigned } from '../../tls/self-signed.ts';
import { ServerCertificate } from '../../tls/server-certificate.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import { type Configured, readMeasured } from './configuration.ts';

export interface TlsKeyKnown {
  /** SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes. */
  readonly tlsKeySha256: Buffer;
  /** PEM of the private half, where the enclave has made it; else it is sealed, and opened with the keystore. */
  readonly attestedKey: SecretBuffer | undefined;
  /** What clients see. */
  readonly serverCertificate: ServerCertificate;
  readonly certificateDesk: CertificateDesk;
}

type Needs = Pick<Configured, 'config' | 'pathOf'>;

export const tlsKeyPhase: Phase<Needs, TlsKeyKnown> = {
  name: 'tls-key',
  deadlineMs: () => 10_000,
  async run(have, context) {
    const key = tlsKeyOf(have.config);
    const isSealed = key.key === 'sealed';
    const known = isSealed ? sealedKey(have, key.certificate, context) : await attestedKey(have, key, context);
    context.logger.log('info', 'tls.key-known', { key: key.key, tlsKeySha256: known.tlsKeySha256.toString('hex') });
    return known;
  },
};

function sealedKey({ pathOf }: Needs, file: string, { logger }: PhaseContext): TlsKeyKnown {
  const pem = readMeasured(pathOf(file));
  const tlsKeySha256 = publicKeyDigest(readCertificate(pem, file));
  const serverCertificate = ServerCertificate.ofImage(logger, pem.toString('utf8'));
  return { tlsKeySha256, attestedKey: undefined, serverCertificate, certificateDesk: CLOSED_DESK };
}

/** The first of the file, which is the server's own. @throws SupervisorError BOOT_TLS_KEY_UNKNOWN */
function readCertificate(pem: Buffer, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new SupervisorError('BOOT_TLS_KEY_UNKNOWN', `${file} holds no certificate`, { cause });
  }
}

async function attestedKey(have: Needs, attested: AttestedTlsKey, context: PhaseContext): Promise<TlsKeyKnown> {
  const key = makeTlsKey();
  context.defer(() => key.privateKey.dispose());
  const serverCertificate = new ServerCertificate(context.logger);
  const certificateDesk = await certify(have, attested, { key, shown: serverCertificate }, context);
  return { tlsKeySha256: key.sha256, attestedKey: key.privateKey, serverCertificate, certificateDesk };
}

/** Makes the certificate and keeps it, or opens the desk where one may be brought. */
async function certify(
  { config, pathOf }: Needs,
  attested: AttestedTlsKey,
  { key, shown }: { readonly key: TlsKeyPair; readonly shown: ServerCertificate },
  { clock, random, signal, defer, fail }: PhaseContext,
): Promise<CertificateDesk> {
  const named = { name: config.name, names: attested.names, key };
  if (attested.certificate === 'operator-ca') {
    const read = readCertificateFile(attested.ca, readMeasured(pathOf(attested.ca)));
    // Without a CA no certificate would ever be taken, and the boot would wait for people in vain.
    requireNoFinding(checkAuthorities(read, PURPOSE.server, clock.nowMs(), false));
    return openDesk({ ...named, authorities: read.certificates, shown, clock });
  }
  const options = { ...named, days: attested.days };
  showSelfSigned(options, shown, { clock, random });
  const renewal = new BackgroundTask((ends) => renewSelfSigned(options, shown, { clock, random }, ends), fail);
  await renewal.start(signal);
  defer(() => renewal.stop());
  return CLOSED_DESK;
}
