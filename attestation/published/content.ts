/** What a file of measurements says, signed or not, and how its registers are written: as nitro-cli names them, in lower-case hex. */
import { z } from 'zod';
import type { PcrIndex } from '../../wire/brands.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import type { ExpectedMeasurements } from '../expected.ts';
import { isZeroPcr } from '../pcr.ts';
import type { RuntimeStatement } from '../runtime/statement.ts';
import { COMMITMENT_PCR, commitmentTo, encodeStatement, pcrOfCommitment } from '../runtime/statement.ts';
import { MeasurementsError } from './errors.ts';

export interface NamedDigest {
  /** Of the file. */
  readonly name: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface MeasurementsContent extends ExpectedMeasurements {
  readonly image?: NamedDigest;
  readonly billOfMaterials?: NamedDigest;
}

/** Of an unsigned image all zero. */
export const SIGNATURE_PCR = toPcrIndex(8);
const IMAGE_PCRS = [0, 1, 2].map(toPcrIndex);

export const fileName = z.string().min(1).max(255);
export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
export const pcrHex = z.string().regex(/^[0-9a-f]{96}$/, 'must be 96 lower-case hexadecimal digits');

/** What looks like a register and is none would be passed over, and whoever wrote it takes it for demanded. */
export const isMisnamedRegister = (name: string): boolean =>
  /^\s*pcr/i.test(name) && !/^PCR([0-9]|[12][0-9]|3[01])$/.test(name);

export const pcrName = (index: PcrIndex): string => `PCR${index}`;

/** @param named by `PCR0` and so on; values as `pcrHex` has them */
export function toPcrs(named: Readonly<Record<string, string | undefined>>): ReadonlyMap<PcrIndex, Buffer> {
  const pcrs = Object.entries(named).flatMap(([name, hex]): [PcrIndex, Buffer][] =>
    hex === undefined ? [] : [[toPcrIndex(Number(name.slice('PCR'.length))), Buffer.from(hex, 'hex')]],
  );
  return new Map(pcrs.toSorted(([a], [b]) => a - b));
}

export function namedPcrs(pcrs: ReadonlyMap<PcrIndex, Buffer>): Readonly<Record<string, string>> {
  return Object.fromEntries([...pcrs].map(([index, value]) => [pcrName(index), value.toString('hex')]));
}

/** What PCR16 shows of an enclave that states this. */
export function pcrOfStatement(statement: RuntimeStatement): Buffer {
  return pcrOfCommitment(commitmentTo(encodeStatement(statement)));
}

/** Everything of an image is named. @throws MeasurementsError MEASUREMENTS_INCOMPLETE */
export function requireWholeImage({ pcrs }: ExpectedMeasurements): void {
  for (const index of [...IMAGE_PCRS, SIGNATURE_PCR]) {
    if (!pcrs.has(index)) throw new MeasurementsError('MEASUREMENTS_INCOMPLETE', `the file has no ${pcrName(index)}`);
  }
}

/**
 * No image measures to zero, and PCR16 is what its statement makes it.
 * @throws MeasurementsError MEASUREMENTS_CONTRADICTORY, MEASUREMENTS_INCOMPLETE
 */
export function requireConsistent({ pcrs, statement }: ExpectedMeasurements): void {
  for (const index of IMAGE_PCRS) {
    const value = pcrs.get(index);
    if (value === undefined || !isZeroPcr(value)) continue;
    throw new MeasurementsError('MEASUREMENTS_INCOMPLETE', `${pcrName(index)} is all zero, as in debug mode`);
  }
  const commitment = pcrs.get(COMMITMENT_PCR);
  const allowed = statement && pcrOfStatement(statement);
  if (commitment === undefined ? allowed === undefined : allowed?.equals(commitment)) return;
  throw new MeasurementsError('MEASUREMENTS_CONTRADICTORY', 'PCR16 does not follow from the runtime statement', {
    found: commitment?.toString('hex') ?? 'nothing',
    allowed: allowed?.toString('hex') ?? 'no PCR16 without a statement',
  });
}
