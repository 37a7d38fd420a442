/**
 * Whose the private key of the server's certificate is (section `tls` of enclave.yaml). `sealed`: an operator made it, and it lies in the
 * image, sealed under the master key. `attested`: the enclave makes it at boot and nobody else ever has it; attestation documents name it,
 * and its certificate is made in the enclave, or signed by the operator's CA while the enclave waits.
 */
import { z } from 'zod';
import { certifiedName, fileInFolder } from './fields.ts';

const MAX_NAMES = 50;
const DEFAULT_DAYS = 90;
/** Of a certificate that somebody takes for his own root. */
const MAX_DAYS = 825;
const DEFAULT_CERTIFICATE_MS = 24 * 3_600_000;
/** Within what a timer can count. */
const MAX_CERTIFICATE_MS = 14 * DEFAULT_CERTIFICATE_MS;

export const DEFAULT_CERTIFICATE_FILE = 'tls/server.pem';
const DEFAULT_SEALED_KEY_FILE = 'tls/server.key.sealed';
const DEFAULT_CA_FILE = 'tls/server-ca.pem';

export const serverKeyFields = {
  certificate: fileInFolder
    .optional()
    .describe(`with tls.key: sealed, the certificate that clients see; default: ${DEFAULT_CERTIFICATE_FILE}`),
  sealedKey: fileInFolder
    .optional()
    .describe(
      `with tls.key: sealed, its private key, sealed under the master key; default: ${DEFAULT_SEALED_KEY_FILE}`,
    ),
};

const attestedFields = {
  certificate: z
    .enum(['self-signed', 'operator-ca'])
    .optional()
    .describe(
      'with key: attested. self-signed (default): for clients that verify the attestation document; operator-ca: signed by the CA in `ca`, while the enclave waits for it',
    ),
  names: z
    .array(certifiedName)
    .min(1, { error: 'must have at least one name' })
    .max(MAX_NAMES, { error: `must have at most ${MAX_NAMES} names` })
    .optional()
    .describe('with key: attested, the DNS names and IP addresses by which clients reach the enclave'),
  days: z
    .int()
    .min(1)
    .max(MAX_DAYS)
    .optional()
    .describe(`with certificate: self-signed, how long it is valid; default: ${DEFAULT_DAYS}`),
  ca: fileInFolder
    .optional()
    .describe(`with certificate: operator-ca, the CA that may sign it; default: ${DEFAULT_CA_FILE}`),
  certificateMs: z
    .int()
    .min(1)
    .max(MAX_CERTIFICATE_MS)
    .optional()
    .describe('with certificate: operator-ca, how long a boot waits for a certificate; default: 24 h'),
};

export const tlsSection = z
  .strictObject({
    key: z
      .enum(['sealed', 'attested'])
      .default('sealed')
      .describe(
        'sealed: the key of acra.certificate, sealed under the master key; attested: made in the enclave at each boot, and named by its attestation documents',
      ),
    ...attestedFields,
  })
  .prefault({});

/** Of an enclave with any application: no operator has the key of ports where TLS ends in the enclave. */
export const appTlsSection = z
  .strictObject({
    key: z
      .literal('attested', { error: 'must be attested: with workload: app the enclave always makes the key itself' })
      .default('attested'),
    ...attestedFields,
  })
  .prefault({});

type TlsSection = z.output<typeof tlsSection>;

interface TlsSections {
  readonly tls: TlsSection;
  readonly ingress: { readonly tls: 'terminate' | 'passthrough' };
  readonly acra: { readonly certificate?: string | undefined; readonly sealedKey?: string | undefined };
}

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

const given = (section: object, field: string) => Reflect.get(section, field) !== undefined;

function sealedFaults({ tls }: TlsSections): Fault[] {
  return ['certificate', 'names', 'days', 'ca', 'certificateMs']
    .filter((field) => given(tls, field))
    .map((field) => ({
      path: ['tls', field],
      message: 'must be left out with tls.key: sealed: an operator made key and certificate',
    }));
}

function attestedFaults({ tls, ingress, acra }: TlsSections): Fault[] {
  const own = ['certificate', 'sealedKey']
    .filter((field) => given(acra, field))
    .map((field) => ({
      path: ['acra', field],
      message: 'must be left out with tls.key: attested: the enclave makes the key at boot, and none lies in the image',
    }));
  return [
    ingress.tls === 'terminate'
      ? []
      : {
          path: ['tls', 'key'],
          message:
            'must be sealed with ingress.tls: passthrough: TLS ends in acra-server, which reads its key from a file',
        },
    given(tls, 'names')
      ? []
      : { path: ['tls', 'names'], message: 'must name at least one DNS name or IP address with tls.key: attested' },
    own,
    certificateFaults(tls),
  ].flat();
}

/** What an attested key's settings say against each other. */
function certificateFaults(tls: Omit<TlsSection, 'key'>): Fault[] {
  const isSelfSigned = certificateKindOf(tls) === 'self-signed';
  const [others, kind] = isSelfSigned
    ? [['ca', 'certificateMs'], 'self-signed: nobody else signs']
    : [['days'], 'operator-ca: the CA says how long'];
  return [
    new Set(tls.names).size === (tls.names ?? []).length
      ? []
      : { path: ['tls', 'names'], message: 'must have each name once' },
    others
      .filter((field) => given(tls, field))
      .map((field) => ({ path: ['tls', field], message: `must be left out with certificate: ${kind}` })),
  ].flat();
}

/** The same of an enclave with any application. @param endsTls whether TLS of any of its ports ends in the enclave */
export function appTlsFaults(tls: z.output<typeof appTlsSection>, endsTls: boolean): readonly Fault[] {
  const mustBeNamed = endsTls || tls.certificate === 'operator-ca';
  const message = 'must name at least one DNS name or IP address: TLS of a port ends in the enclave';
  return [
    mustBeNamed && !given(tls, 'names') ? { path: ['tls', 'names'], message } : [],
    certificateFaults(tls),
  ].flat();
}

/** What the section says against itself and others. */
export function tlsFaults(sections: TlsSections): readonly Fault[] {
  return sections.tls.key === 'sealed' ? sealedFaults(sections) : attestedFaults(sections);
}

function certificateKindOf({ certificate }: Pick<TlsSection, 'certificate'>): 'self-signed' | 'operator-ca' {
  return certificate ?? 'self-signed';
}

/** Files relative to the measured folder. */
export interface SealedTlsKey {
  readonly key: 'sealed';
  readonly certificate: string;
  readonly sealedKey: string;
}

export type AttestedTlsKey = { readonly key: 'attested'; readonly names: readonly string[] } & (
  | { readonly certificate: 'self-signed'; readonly days: number }
  /** `ca`: relative to the measured folder. */
  | { readonly certificate: 'operator-ca'; readonly ca: string; readonly certificateMs: number }
);

/** What of either workload's configuration tells whose the key is. */
export interface TlsKeyConfig extends Pick<TlsSections, 'tls'> {
  readonly acra?: TlsSections['acra'];
}

/** With all defaults. */
export function tlsKeyOf({ tls, acra }: TlsKeyConfig): SealedTlsKey | AttestedTlsKey {
  if (tls.key === 'sealed') {
    const { certificate = DEFAULT_CERTIFICATE_FILE, sealedKey = DEFAULT_SEALED_KEY_FILE } = acra ?? {};
    return { key: 'sealed', certificate, sealedKey };
  }
  const { names = [], days = DEFAULT_DAYS, ca = DEFAULT_CA_FILE, certificateMs = DEFAULT_CERTIFICATE_MS } = tls;
  return certificateKindOf(tls) === 'self-signed'
    ? { key: 'attested', names, certificate: 'self-signed', days }
    : { key: 'attested', names, certificate: 'operator-ca', ca, certificateMs };
}

/** @returns undefined where the enclave makes its key itself */
export function sealedTlsKeyOf(config: TlsKeyConfig): SealedTlsKey | undefined {
  const key = tlsKeyOf(config);
  return key.key === 'sealed' ? key : undefined;
}

/** @returns undefined but with `tls.certificate: operator-ca`. Relative to the measured folder */
export function serverCaOf(config: TlsKeyConfig): string | undefined {
  const key = tlsKeyOf(config);
  return key.certificate === 'operator-ca' && key.key === 'attested' ? key.ca : undefined;
}
