/** Makes the envelope around the measurements of a build. */
import type { PcrIndex } from '../../wire/brands.ts';
import { type MeasurementsContent, requireWholeImage } from './content.ts';
import { type Envelope, PAYLOAD_TYPE } from './envelope.ts';
import { MeasurementsError } from './errors.ts';
import { encodeSigned, type Source } from './statement.ts';

interface Publication {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly source?: Source;
  /** Of the parent instance (PCR3, PCR4), 48 bytes each. */
  readonly parentPcrs: ReadonlyMap<PcrIndex, Buffer>;
}

/** An envelope that nobody has signed yet. @throws MeasurementsError MEASUREMENTS_INCOMPLETE, and those of encodeSigned */
export function toUnsignedEnvelope(content: MeasurementsContent, publication: Publication): Envelope {
  const { parentPcrs, ...more } = publication;
  requireWholeImage(content);
  const { image, billOfMaterials } = content;
  if (image === undefined || billOfMaterials === undefined) {
    throw new MeasurementsError('MEASUREMENTS_INCOMPLETE', 'the file names no image or no bill of materials');
  }
  const pcrs = new Map([...content.pcrs, ...parentPcrs].toSorted(([a], [b]) => a - b));
  return {
    payloadType: PAYLOAD_TYPE,
    payload: encodeSigned({ ...content, ...more, image, billOfMaterials, pcrs }),
    signatures: [],
  };
}
