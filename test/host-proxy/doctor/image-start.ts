/** The beginning of an enclave image of any size: all that a doctor reads of it. */
import { HEADER_BYTES, SECTION_HEADER_BYTES } from '../../../eif/format/constants.ts';
import { encodeHeader } from '../../../eif/format/header.ts';
import { encodeMetadata } from '../../../eif/format/metadata.ts';
import { encodeSectionHeader } from '../../../eif/format/section.ts';
import type { ImageFacts } from '../../../eif/image-facts.ts';
import { factsMetadata } from '../../../eif/image-facts.ts';

const BuildMetadata = {
  BuildTime: '1970-01-01T00:00:00Z',
  BuildTool: 'acra-enclave',
  BuildToolVersion: '1',
  OperatingSystem: 'Linux',
};

/** @param facts undefined: an image that says nothing of itself. @returns bytes as latin1 */
export function imageStart(facts: ImageFacts | undefined, totalBytes: number, KernelVersion = '6.12.117'): string {
  const metadata = encodeMetadata({
    ImageName: 'test',
    ImageVersion: '1',
    BuildMetadata: { ...BuildMetadata, KernelVersion },
    DockerInfo: null,
    CustomMetadata: facts === undefined ? null : factsMetadata(facts),
  });
  const parts = [
    ['kernel', Buffer.from('KERNEL')],
    ['cmdline', Buffer.from('quiet')],
    ['metadata', metadata],
  ] as const;
  let offset = HEADER_BYTES;
  const sections = parts.map(([, data]) => {
    const span = { offset, size: data.length };
    offset += SECTION_HEADER_BYTES + data.length;
    return span;
  });
  sections.push({ offset, size: totalBytes - offset - SECTION_HEADER_BYTES });
  const header = encodeHeader({ architecture: 'x86_64', defaultMemBytes: 0n, defaultCpus: 2n, sections, crc32: 0 });
  const body = parts.flatMap(([kind, data]) => [encodeSectionHeader(kind, data.length), data]);
  return Buffer.concat([header, ...body]).toString('latin1');
}
