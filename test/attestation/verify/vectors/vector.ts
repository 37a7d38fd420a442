/** One vector for verifiers (test/vectors/verify/README.md), and how one is made: a document that is right, with one thing changed. */
import { encodeAttestationPayload } from '../../../../attestation/document/encode.ts';
import type { AttestationPayload } from '../../../../attestation/document/payload.ts';
import { encodeStatement, type RuntimeStatement } from '../../../../attestation/runtime/statement.ts';
import { type CborWritable, writeCbor } from '../../../../encoding/cbor/writer.ts';
import { coseToBeSigned, ES384, encodeCoseSign1 } from '../../../../encoding/cose-sign1.ts';
import { pemOf } from '../../support/certificate.ts';
import { type Chain, cabundleOf, makeChain, NOW_MS } from '../../support/chain.ts';
import { signRaw } from '../../support/deterministic-ecdsa.ts';
import { honestPayload, NONCE, statement, TLS_KEY_SHA256 } from '../support/evidence.ts';

export interface VectorDemands {
  /** `PCR0` and so on, hexadecimal; or which image it is does not matter. */
  readonly measurements:
    | { readonly pcrs: Readonly<Record<string, string>>; readonly statement?: RuntimeStatement }
    | 'not-judged';
  readonly savedDocument?: true;
  readonly maxAgeMs?: number;
  readonly maxSkewMs?: number;
  /** Hexadecimal. */
  readonly nonce?: string;
  readonly tlsKeySha256?: string;
  readonly attestedTlsKey?: boolean;
  readonly pinnedKeys?: boolean;
  readonly runtime?: 'not-judged';
  readonly allow?: Readonly<Record<string, boolean>>;
}

/** As its author writes it down; what it expects beyond the failures follows from the checklist. */
export interface VectorSource {
  readonly name: string;
  /** Of the rule that it breaks, or keeps at its edge. */
  readonly clause: string;
  readonly document: Buffer;
  /** Null: none is shown. */
  readonly statement?: Buffer | null;
  /** Beside all that can be demanded. */
  readonly demands?: Partial<VectorDemands>;
  /** Taken out of these. */
  readonly without?: readonly (keyof VectorDemands)[];
  readonly nowMs?: number;
  readonly rootPem?: string;
  /** Exactly these claims fail, with these codes. */
  readonly fails: Readonly<Record<string, string>>;
}

export const chain: Chain = makeChain({}, 'verifier vectors');
export const MADE_AT_MS: number = NOW_MS - 1_000;

/** Registers that a document carries: 0 to 15 are locked from the start, 16 with the commitment. */
const CARRIED = 17;

export function payloadOf(
  changes: Partial<AttestationPayload> = {},
  of = chain,
  stated = statement,
): AttestationPayload {
  const honest = honestPayload(of, stated);
  return { ...honest, pcrs: new Map([...honest.pcrs].filter(([index]) => index < CARRIED)), ...changes };
}

/** Signs whatever bytes the payload has, with the key of the leaf; a leaf on another curve cannot, and is refused for itself. */
export function signBytes(payload: Buffer, of = chain): Buffer {
  const isOnCurve = of.leaf.privateKey.asymmetricKeyDetails?.namedCurve === ES384.curve;
  const key = (isOnCurve ? of : chain).leaf.privateKey;
  const signature = signRaw('sha384', coseToBeSigned(ES384, payload), key);
  return encodeCoseSign1({ algorithm: ES384, payload, signature });
}

export function documentOf(changes: Partial<AttestationPayload> = {}, of = chain, stated = statement): Buffer {
  return signBytes(encodeAttestationPayload(payloadOf(changes, of, stated)), of);
}

/** The payload's members by name, to be changed before they are written and signed. */
export function documentWith(change: (members: Map<string, CborWritable>) => void): Buffer {
  const payload = payloadOf();
  const members = new Map<string, CborWritable>([
    ['module_id', payload.moduleId],
    ['digest', payload.digest],
    ['timestamp', payload.timestampMs],
    ['pcrs', new Map([...payload.pcrs])],
    ['certificate', payload.certificate],
    ['cabundle', payload.cabundle],
    ['public_key', payload.publicKey ?? null],
    ['user_data', payload.userData ?? null],
    ['nonce', payload.nonce ?? null],
  ]);
  change(members);
  return signBytes(writeCbor(members));
}

export function withChain(of: Chain, cabundle = cabundleOf(of)): Buffer {
  return documentOf({ cabundle }, of);
}

const hexOf = (index: number) => Buffer.alloc(48, index + 1).toString('hex');

export const ALL_DEMANDS: VectorDemands = {
  measurements: {
    pcrs: Object.fromEntries([0, 1, 2, 3, 4, 8].map((index) => [`PCR${index}`, hexOf(index)])),
    statement,
  },
  nonce: NONCE.toString('hex'),
  tlsKeySha256: TLS_KEY_SHA256.toString('hex'),
  attestedTlsKey: true,
  pinnedKeys: true,
};

/** Only the image, as far as it concerns the registers that are named. */
export const onlyPcr0 = (stated?: RuntimeStatement): Pick<VectorDemands, 'measurements'> => ({
  measurements: { pcrs: { PCR0: hexOf(0) }, ...(stated && { statement: stated }) },
});

export const rootPem: string = pemOf(chain.root);
export const encodedStatement: Buffer = encodeStatement(statement);
