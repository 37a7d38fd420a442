/**
 * The root of trust of emulated security modules, in the shape of the AWS Nitro root (P-384, ECDSA-SHA384, thirty
 * years) but under a name of its own. Nobody who pins the AWS root accepts what it signs.
 */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import type { DistinguishedName } from '../pki/certificate.ts';
import { createCertificate } from '../pki/certificate.ts';
import type { KeyPair } from '../pki/key-pair.ts';
import { loadOrCreateKeyPair } from '../pki/key-pair.ts';

/** Fixed, so that a root suits whatever time an injected clock shows. */
const NOT_BEFORE = new Date('2019-10-28T00:00:00Z');
const NOT_AFTER = new Date('2049-10-28T00:00:00Z');

const SUBJECT: DistinguishedName = [
  { type: 'C', value: 'US' },
  { type: 'O', value: 'Emulated' },
  { type: 'OU', value: 'Emulated' },
  { type: 'CN', value: 'emulated.nitro-enclaves' },
];

export interface NsmRoot extends KeyPair {
  /** The certificate that verifiers pin. */
  readonly rootDer: Buffer;
}

async function makeRoot(): Promise<KeyPair> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const certificateDer = await createCertificate({
    subject: SUBJECT,
    subjectKey: privateKey,
    issuerKey: privateKey,
    digest: 'sha384',
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    authority: {},
  });
  return { certificateDer, privateKey };
}

/**
 * The root kept in `<folder>/nsm-root.pem` (private key and certificate, mode 0600); made when it is not there.
 * @throws EmulatorError EMULATOR_STATE
 */
export async function loadOrCreateNsmRoot(folder: string): Promise<NsmRoot> {
  const pair = await loadOrCreateKeyPair(join(folder, 'nsm-root.pem'), makeRoot);
  return { ...pair, rootDer: pair.certificateDer };
}
