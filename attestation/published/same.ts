/**
 * Whether what somebody else is about to publish is what an auditor built. Whoever rebuilds an image cannot sign it as its owner does,
 * so an unsigned image of one's own says nothing about PCR8, nor about the file's hash, in which the signature is.
 */
import { canonicalJson } from '../../encoding/canonical-json.ts';
import { isZeroPcr } from '../pcr.ts';
import type { MeasurementsContent } from './content.ts';
import { pcrName, SIGNATURE_PCR } from './content.ts';

export interface ContentDifference {
  /** `PCR0`, `runtime`, `image`, `billOfMaterials`. */
  readonly field: string;
  readonly own: string | undefined;
  readonly theirs: string | undefined;
}

/** Registers that `own` does not have (of the instance) are theirs to state. Empty: the same. */
export function compareContent(own: MeasurementsContent, theirs: MeasurementsContent): readonly ContentDifference[] {
  const ownSignature = own.pcrs.get(SIGNATURE_PCR);
  const isUnsigned = ownSignature === undefined || isZeroPcr(ownSignature);
  const pcrs = [...own.pcrs.keys()].filter((index) => index !== SIGNATURE_PCR || !isUnsigned);
  const fields: ContentDifference[] = [
    ...pcrs.map((index) => ({
      field: pcrName(index),
      own: own.pcrs.get(index)?.toString('hex'),
      theirs: theirs.pcrs.get(index)?.toString('hex'),
    })),
    { field: 'runtime', own: textOf(own.statement), theirs: textOf(theirs.statement) },
    { field: 'billOfMaterials', own: own.billOfMaterials?.sha256, theirs: theirs.billOfMaterials?.sha256 },
    ...(isUnsigned ? [] : [{ field: 'image', own: own.image?.sha256, theirs: theirs.image?.sha256 }]),
  ];
  return fields.filter((each) => each.own !== each.theirs);
}

function textOf(statement: MeasurementsContent['statement']): string | undefined {
  return statement && canonicalJson(statement);
}
