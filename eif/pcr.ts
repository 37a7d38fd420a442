/**
 * Single registers from what is measured into them, as `nitro-cli pcr` does and beyond: any file, the role of the parent
 * instance (PCR3), its instance ID (PCR4), the signing certificate (PCR8). Specification: nitro-formats 3.2.
 */
import { createHash } from 'node:crypto';
import { measureParentPcr } from '../attestation/pcr.ts';
import { type PcrIndex, toPcrIndex } from '../wire/brands.ts';
import { EifError } from './errors.ts';
import { readFilePieces } from './input-file.ts';
import { measureCertificate, toPcr } from './measure.ts';
import { readCertificateChain } from './sign/certificate.ts';

/** 48 bytes, under the name that nitro-cli prints: "PCR" when the content does not tell the register. */
interface NamedPcr {
  readonly name: 'PCR' | 'PCR3' | 'PCR4' | 'PCR8';
  readonly value: Buffer;
}

const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const INSTANCE_ID = /^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/;

/** @throws EifError EIF_FILE_READ */
export async function pcrOfFile(path: string): Promise<NamedPcr> {
  const content = createHash('sha384');
  for await (const chunk of readFilePieces(path)) content.update(chunk);
  return { name: 'PCR', value: toPcr(content) };
}

/** @throws EifError EIF_PCR_INPUT */
export function pcrOfRole(arn: string): NamedPcr {
  return { name: 'PCR3', value: pcrOfText(arn, ROLE_ARN, 'arn:aws:iam::123456789012:role/NAME') };
}

/** @throws EifError EIF_PCR_INPUT */
export function pcrOfInstance(id: string): NamedPcr {
  return { name: 'PCR4', value: pcrOfText(id, INSTANCE_ID, 'i- and 8 or 17 hexadecimal digits') };
}

interface ParentInstance {
  readonly roleArn?: string | undefined;
  readonly instanceId?: string | undefined;
}

/** Those that are named. @throws EifError EIF_PCR_INPUT */
export function parentRegisters({ roleArn, instanceId }: ParentInstance): (readonly [PcrIndex, Buffer])[] {
  return [
    ...(roleArn === undefined ? [] : [[toPcrIndex(3), pcrOfRole(roleArn).value] as const]),
    ...(instanceId === undefined ? [] : [[toPcrIndex(4), pcrOfInstance(instanceId).value] as const]),
  ];
}

/**
 * @param path PEM; of a chain, the first certificate counts
 * @throws EifError EIF_CERTIFICATE_INVALID, EIF_CERTIFICATE_CHAIN
 */
export async function pcrOfCertificate(path: string): Promise<NamedPcr> {
  const { signer } = await readCertificateChain(path);
  return { name: 'PCR8', value: measureCertificate(signer.raw) };
}

function pcrOfText(text: string, form: RegExp, allowed: string): Buffer {
  if (!form.test(text)) throw new EifError('EIF_PCR_INPUT', 'the text has the wrong form', { found: text, allowed });
  return measureParentPcr(text);
}
