/** Reads a plain measurements.json: of `eif build`, or what `nitro-cli build-enclave` and `describe-eif` print, which has the registers only. */
import { z } from 'zod';
import { runtimeStatement } from '../runtime/statement.ts';
import type { MeasurementsContent, NamedDigest } from './content.ts';
import { fileName, isMisnamedRegister, pcrHex, requireConsistent, sha256Hex, toPcrs } from './content.ts';
import { MeasurementsError } from './errors.ts';

const pcr = z.string().toLowerCase().pipe(pcrHex);
const file = z.object({ file: fileName, sha256: sha256Hex });

const REGISTER_NAME = /^PCR([0-9]|[12][0-9]|3[01])$/;
/** All registers that are named are demanded; members beside them, such as `HashAlgorithm`, are none. PCR16 has a place of its own. */
const registers = z
  .record(z.string(), z.string())
  .refine((members) => !Object.keys(members).some(isMisnamedRegister), 'registers are named PCR0 to PCR31')
  .transform((members) => Object.fromEntries(Object.entries(members).filter(([name]) => REGISTER_NAME.test(name))))
  .pipe(z.object({ PCR16: z.never().optional() }).catchall(pcr))
  .refine(
    (named) => 'PCR0' in named || ('PCR1' in named && 'PCR2' in named),
    'do not say which image is meant: neither PCR0 nor PCR1 and PCR2',
  );

/** The build says much more (files, kernel), which concerns nobody here. */
const measurementsJson = z.object({
  Measurements: registers,
  image: file.optional(),
  billOfMaterials: file.optional(),
  runtime: z.strictObject({ statement: runtimeStatement, PCR16: pcr }).optional(),
});

function named({ file: name, sha256 }: z.infer<typeof file>): NamedDigest {
  return { name, sha256 };
}

/** @throws MeasurementsError MEASUREMENTS_INVALID, MEASUREMENTS_INCOMPLETE, MEASUREMENTS_CONTRADICTORY */
export function parseMeasurementsJson(json: unknown): MeasurementsContent {
  const parsed = measurementsJson.safeParse(json);
  if (!parsed.success) {
    const found = z.prettifyError(parsed.error);
    throw new MeasurementsError('MEASUREMENTS_INVALID', 'the file is no measurements.json', { found });
  }
  const { Measurements: measured, image, billOfMaterials, runtime } = parsed.data;
  const content = {
    pcrs: toPcrs({ ...measured, PCR16: runtime?.PCR16 }),
    ...(runtime === undefined ? {} : { statement: runtime.statement }),
    ...(image === undefined ? {} : { image: named(image) }),
    ...(billOfMaterials === undefined ? {} : { billOfMaterials: named(billOfMaterials) }),
  };
  requireConsistent(content);
  return content;
}
