/**
 * What an image is: in the JSON that `nitro-cli describe-eif` prints, and as rows of a table for people.
 * Names and order of keys: `EifDescribeInfo` of nitro-cli, `SignCertificateInfo` of aws-nitro-enclaves-image-format.
 */
import type { X509Certificate } from 'node:crypto';
import { readCertificateParts } from '../encoding/asn1/certificate.ts';
import { EIF_VERSION } from './format/constants.ts';
import { type EifMetadata, parseMetadata } from './format/metadata.ts';
import { nameLines } from './sign/certificate-name.ts';
import type { ImageReport } from './verify.ts';

/** How AWS's tools name SHA-384 in their output. */
const HASH_ALGORITHM = 'Sha384 { ... }';

/** OpenSSL's long names of what stands in the issuers of certificates; others stay as they are. */
const LONG_NAME: Readonly<Record<string, string>> = {
  C: 'countryName',
  ST: 'stateOrProvinceName',
  L: 'localityName',
  O: 'organizationName',
  OU: 'organizationalUnitName',
  CN: 'commonName',
  DC: 'domainComponent',
  UID: 'userId',
  SN: 'surname',
  GN: 'givenName',
};

interface NitroMeasurements {
  readonly HashAlgorithm: string;
  readonly PCR0: string;
  readonly PCR1: string;
  readonly PCR2: string;
  /** Of signed images only. */
  readonly PCR8?: string;
}

interface NitroCertificate {
  readonly IssuerName: Readonly<Record<string, string>>;
  readonly Algorithm: string;
  readonly NotBefore: string;
  readonly NotAfter: string;
  /** Upper-case hexadecimal with colons. */
  readonly Signature: string;
}

interface NitroDescription {
  readonly EifVersion: number;
  readonly Measurements: NitroMeasurements;
  readonly IsSigned: boolean;
  readonly SigningCertificate?: NitroCertificate;
  readonly CheckCRC: boolean;
  readonly SignatureCheck?: boolean;
  readonly ImageName?: string;
  readonly ImageVersion?: string;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** A signature that does not verify shows as `SignatureCheck: false` without certificate and PCR8. */
export function toNitroDescription(report: ImageReport): NitroDescription {
  const { image, signature } = report;
  const metadata = readableMetadata(report);
  const isSigned = image.signature !== undefined;
  return {
    EifVersion: EIF_VERSION,
    Measurements: toNitroMeasurements(report),
    IsSigned: isSigned,
    ...(signature === undefined ? {} : { SigningCertificate: describeCertificate(signature.chain.signer) }),
    CheckCRC: true,
    ...(isSigned ? { SignatureCheck: signature !== undefined } : {}),
    ...(metadata === undefined ? {} : describeMetadata(metadata)),
  };
}

/** The object that `nitro-cli build-enclave` prints as `Measurements`. */
function toNitroMeasurements({ pcrs, signature }: Pick<ImageReport, 'pcrs' | 'signature'>): NitroMeasurements {
  const { PCR0, PCR1, PCR2, PCR8 } = pcrs;
  return { HashAlgorithm: HASH_ALGORITHM, PCR0, PCR1, PCR2, ...(signature === undefined ? {} : { PCR8 }) };
}

/** Label and text of each line. */
type TableRow = readonly [label: string, text: string];

export function toTable(report: ImageReport): readonly TableRow[] {
  const { image, pcrs, checks } = report;
  const { architecture, defaultMemBytes, defaultCpus, crc32 } = image.header;
  return [
    ['file', `${image.path}, ${image.fileSize} bytes`],
    ['format', `EIF version ${EIF_VERSION}, ${architecture}`],
    ['defaults', `${defaultMemBytes} bytes of memory, ${defaultCpus} CPUs`],
    ['checksum', `${crc32.toString(16).padStart(8, '0')} (CRC-32)`],
    ...image.sections.map(({ kind, dataOffset, size }): TableRow => [kind, `${size} bytes at ${dataOffset}`]),
    ['command line', image.cmdline.toString()],
    ...Object.entries(pcrs).map(([name, value]): TableRow => [name, value]),
    ...checks.map(
      ({ name, code, detail }): TableRow => [
        `check ${name}`,
        code === undefined ? `ok: ${detail}` : `${code}: ${detail}`,
      ],
    ),
  ];
}

function readableMetadata({ image, checks }: ImageReport): EifMetadata | undefined {
  const isBroken = checks.some(({ name, code }) => name === 'metadata' && code !== undefined);
  return isBroken ? undefined : parseMetadata(image.metadata);
}

function describeMetadata(metadata: EifMetadata): Partial<NitroDescription> {
  const { ImageName, ImageVersion, BuildMetadata, DockerInfo, CustomMetadata } = metadata;
  return { ImageName, ImageVersion, Metadata: { ...BuildMetadata, DockerInfo, ...CustomMetadata } };
}

function describeCertificate(certificate: X509Certificate): NitroCertificate {
  const hex = readCertificateParts(certificate.raw).signature.toString('hex').toUpperCase();
  return {
    IssuerName: describeName(nameLines(certificate, 'issuer')),
    Algorithm: certificate.signatureAlgorithm ?? 'unknown',
    NotBefore: certificate.validFrom,
    NotAfter: certificate.validTo,
    Signature: hex.match(/../g)?.join(':') ?? '',
  };
}

/** Of attributes that occur twice, the last stays, as in AWS's output. */
function describeName(lines: readonly string[]): Record<string, string> {
  const attributes = lines.map((line): [string, string] => {
    const equals = line.indexOf('=');
    const key = line.slice(0, equals);
    return [LONG_NAME[key] ?? key, line.slice(equals + 1)];
  });
  return Object.fromEntries(attributes.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
