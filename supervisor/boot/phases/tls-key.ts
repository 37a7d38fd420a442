/**
 * By which TLS key clients know this enclave: its hash goes into every attestation document, so that whoever has verified one
 * recognises the enclave's end of a connection. With passthrough the same certificate is acra-server's. With `tls.key: attested` the key
 * is made here, by a generator that has been seeded (entropy), and ends with this boot.
 */
import { X509Certificate } from 'node:crypto';
import { PURPOSE } from '../../../acra/certificate/chain.ts';
import { type AttestedTlsKey, type TlsKeyConfig, tlsKeyOf } from '../../../config/tls.ts';
import { publicKeyDigest } from '../../../encoding/public-key-hash.ts';
import { requireNoFinding } from '../../../keys/finding.ts';
import { readCertificateFile } from '../../../keys/tls/certificate-file.ts';
import { checkAuthorities } from '../../../keys/tls/certificate-rules.ts';
import { BackgroundTask } from '../../../runtime/background-task.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { SupervisorError } from '../../errors.ts';
import { type CertificateDesk, CLOSED_DESK, openDesk } from '../../tls/certificate-desk.ts';
import { RotatableTlsKey } from '../../tls/rotatable-key.ts';
import { renewSelfSigned, showSelfSigned } from '../../tls/self-signed.ts';
import { ServerCertificate } from '../../tls/server-certificate.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import { type Configured, readMeasured } from './configuration.ts';

export interface TlsKeyKnown {
  /** SHA-256 of the DER SubjectPublicKeyInfo of the key that new sessions get, 32 bytes. */
  readonly tlsKeySha256: () => Buffer;
  /** PEM of the private half, where the enclave has made it; else it is sealed, and opened with the keystore. */
  readonly attestedKey: SecretBuffer | undefined;
  /** The same, where it can be exchanged. */
  readonly tlsKey: RotatableTlsKey | undefined;
  /** What clients see. */
  readonly serverCertificate: ServerCertificate;
  readonly certificateDesk: CertificateDesk;
}

type Needs = { readonly config: TlsKeyConfig & { readonly name: string } } & Pick<Configured, 'pathOf'>;

export const tlsKeyPhase: Phase<Needs, TlsKeyKnown> = {
  name: 'tls-key',
  deadlineMs: () => 10_000,
  async run(have, context) {
    const key = tlsKeyOf(have.config);
    const isSealed = key.key === 'sealed';
    const known = isSealed ? sealedKey(have, key.certificate, context) : await attestedKey(have, key, context);
    context.logger.log('info', 'tls.key-known', { key: key.key, tlsKeySha256: known.tlsKeySha256().toString('hex') });
    return known;
  },
};

function sealedKey({ pathOf }: Needs, file: string, { logger }: PhaseContext): TlsKeyKnown {
  const pem = readMeasured(pathOf(file));
  const tlsKeySha256 = publicKeyDigest(readCertificate(pem, file));
  const serverCertificate = ServerCertificate.ofImage(logger, pem.toString('utf8'));
  const certificateDesk = CLOSED_DESK;
  return {
    tlsKeySha256: () => tlsKeySha256,
    attestedKey: undefined,
    tlsKey: undefined,
    serverCertificate,
    certificateDesk,
  };
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
  const shown = new ServerCertificate(context.logger);
  const { key, certificateDesk } =
    attested.certificate === 'operator-ca'
      ? signedByOperators(have, attested, shown, context)
      : await selfSigned(have, attested, shown, context);
  context.defer(() => key[Symbol.dispose]());
  return {
    tlsKeySha256: () => key.shown.sha256,
    attestedKey: key.shown.privateKey,
    tlsKey: key,
    serverCertificate: shown,
    certificateDesk,
  };
}

interface Certified {
  readonly key: RotatableTlsKey;
  readonly certificateDesk: CertificateDesk;
}

/** Opens the desk where a certificate may be brought. */
function signedByOperators(
  { config, pathOf }: Needs,
  { names, ca }: Extract<AttestedTlsKey, { readonly certificate: 'operator-ca' }>,
  shown: ServerCertificate,
  { clock, logger }: PhaseContext,
): Certified {
  const read = readCertificateFile(ca, readMeasured(pathOf(ca)));
  // Without a CA no certificate would ever be taken, and the boot would wait for people in vain.
  requireNoFinding(checkAuthorities(read, PURPOSE.server, clock.nowMs(), false));
  const key = new RotatableTlsKey(logger);
  const { name } = config;
  return { key, certificateDesk: openDesk({ name, names, key, authorities: read.certificates, shown, clock }) };
}

/** Makes the certificate and keeps it. */
async function selfSigned(
  { config }: Needs,
  { names, days }: Extract<AttestedTlsKey, { readonly certificate: 'self-signed' }>,
  shown: ServerCertificate,
  { clock, random, logger, signal, defer, fail }: PhaseContext,
): Promise<Certified> {
  // Where no TLS of an application ends here the key only tells boots apart.
  if (names.length === 0) return { key: new RotatableTlsKey(logger), certificateDesk: CLOSED_DESK };
  const show = () => showSelfSigned(options, shown, { clock, random });
  const key = new RotatableTlsKey(logger, show);
  const options = { name: config.name, names, days, key: () => key.shown };
  show();
  const renewal = new BackgroundTask((ends) => renewSelfSigned(options, shown, { clock, random }, ends), fail);
  await renewal.start(signal);
  defer(() => renewal.stop());
  return { key, certificateDesk: CLOSED_DESK };
}
