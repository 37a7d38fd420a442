/**
 * What a rebuilt image is held against: a measurements.json, which lists every file; a signed envelope, which has the hashes only; the
 * published image itself. The registers decide, for they hash kernel, command line and ramdisks; the rest tells where to look.
 */
import type { MeasurementsContent } from '../../attestation/published/content.ts';
import { namedPcrs } from '../../attestation/published/content.ts';
import { parseMeasurementsJson } from '../../attestation/published/measurements-json.ts';
import type { PublishedFile } from '../../attestation/published/read.ts';
import { compareContent } from '../../attestation/published/same.ts';
import { diffImages } from '../../eif/diff.ts';
import type { Difference } from '../../eif/difference.ts';
import { compareMeasurements } from '../../eif/image/compare-measurements.ts';
import type { Measurements } from '../../eif/image/measurements.ts';

/** In each difference `a` is what was published, `b` what the rebuild gave. */
export interface RebuildReport {
  readonly isEqual: boolean;
  readonly differences: readonly Difference[];
}

interface Rebuilt {
  readonly measurements: Measurements;
  /** Path. */
  readonly image: string;
}

const isDecisive = ({ section }: Difference) => section === 'registers' || section === 'runtime';
/** Metadata and header are not measured; the signature is of the owner of the image. */
const isMeasuredContent = ({ section }: Difference) => /^(kernel|cmdline|ramdisk \d+)$/.test(section);

/** @param image path of the published one @throws those of diffImages */
export async function compareRebuilt(
  published: { readonly file: PublishedFile; readonly bytes: Buffer; readonly image: string | undefined },
  { measurements, image }: Rebuilt,
): Promise<RebuildReport> {
  const listed =
    published.file.kind === 'plain'
      ? compareMeasurements(JSON.parse(new TextDecoder().decode(published.bytes)), measurements)
      : compareHashes(published.file.content, parseMeasurementsJson(measurements));
  const inImages = published.image === undefined ? [] : await diffImages(published.image, image);
  const isEqual = !listed.some(isDecisive) && !inImages.some(isMeasuredContent);
  return { isEqual, differences: [...listed, ...inImages.filter(({ section }) => section !== 'signature')] };
}

function compareHashes(published: MeasurementsContent, own: MeasurementsContent): readonly Difference[] {
  const hashes = compareContent(own, published).filter(({ field }) => field !== 'runtime');
  return [
    ...hashes.map(({ field, own: b, theirs: a }) =>
      field === 'billOfMaterials'
        ? { section: 'bill of materials', field: 'sha256', a, b }
        : { section: 'registers', field, a, b },
    ),
    ...compareMeasurements(runtimeJson(published), runtimeJson(own)),
  ];
}

function runtimeJson({ pcrs, statement }: MeasurementsContent): object {
  return { runtime: { statement, PCR16: namedPcrs(pcrs)['PCR16'] } };
}
