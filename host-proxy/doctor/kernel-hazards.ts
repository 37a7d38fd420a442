/**
 * What kernels do to vsock, and which: one table for the doctor and for docs/vsock-kernels.md, which gives the sources in full. Versions are of
 * kernel.org's stable releases; a distribution may have taken a fix earlier, or a fault with one.
 */
import type { KernelRelease } from './kernel-release.ts';
import { compareSeries } from './kernel-release.ts';

/** Patch numbers of one series: with the fault from `from` on, without it from `mended` on (undefined: none of the series that is known). */
interface Span {
  readonly series: string;
  readonly from: number;
  readonly mended: number | undefined;
}

export interface KernelHazard {
  readonly name: string;
  /** Where the kernel must run for it to matter. */
  readonly where: 'either' | 'enclave';
  readonly what: string;
  readonly action: string;
  readonly source: string;
  readonly spans: readonly Span[];
  /** All series from the first to before the second that no span names have it, and no fix. */
  readonly between?: readonly [first: string, before: string];
}

const UPDATE = 'update it, and restart the machine';

export const KERNEL_HAZARDS: readonly KernelHazard[] = [
  {
    name: 'small-packets',
    where: 'either',
    what: 'a connection is reset (ENOBUFS) when some hundred small packets wait unread, whatever their bytes',
    action: `${UPDATE}; until then the relays hold small writes back, which covers one direction at a time`,
    source: 'https://github.com/libkrun/libkrun/issues/795',
    spans: [
      { series: '6.12', from: 94, mended: 101 },
      { series: '6.18', from: 36, mended: 42 },
      { series: '7.0', from: 13, mended: undefined },
      { series: '7.1', from: 0, mended: 6 },
    ],
  },
  {
    name: 'accept-queue',
    where: 'either',
    what: 'connections whose transport cannot be chosen leak places of the accept queue, until every new one is reset (CVE-2026-46214)',
    action: `${UPDATE}; when metrics show resets at connect alone, restart host-proxy and the enclave: their listeners are then new`,
    source: 'https://nvd.nist.gov/vuln/detail/CVE-2026-46214',
    spans: [
      { series: '5.10', from: 0, mended: 258 },
      { series: '5.15', from: 0, mended: 209 },
      { series: '6.1', from: 0, mended: 175 },
      { series: '6.6', from: 0, mended: 140 },
      { series: '6.12', from: 0, mended: 90 },
      { series: '6.18', from: 0, mended: 32 },
      { series: '7.0', from: 0, mended: 9 },
    ],
    between: ['5.5', '7.1'],
  },
  {
    name: 'old-enclave-kernel',
    where: 'enclave',
    what: 'the driver of its security module leaks memory with traffic; enclaves were reported to lose all outbound traffic after a day, and to stand still when both directions were full',
    action: 'build the image with the kernel of this release, or with AWS’s kernel 6.6.62 or newer',
    source: 'https://github.com/aws/aws-nitro-enclaves-cli/issues/550',
    spans: [{ series: '6.6', from: 0, mended: 62 }],
    between: ['4.0', '5.0'],
  },
];

/** Whether the kernel has the fault; `unknown` where its name does not tell. */
export function standing(hazard: KernelHazard, kernel: KernelRelease): 'has' | 'has-not' | 'unknown' {
  const span = hazard.spans.find(({ series }) => series === kernel.series);
  const [first, before] = hazard.between ?? ['0.0', '0.0'];
  const isBetween = compareSeries(kernel.series, first) >= 0 && compareSeries(kernel.series, before) < 0;
  if (span === undefined && !isBetween) return 'has-not';
  if (!kernel.tellsStable) return 'unknown';
  if (span === undefined) return 'has';
  return kernel.patch >= span.from && kernel.patch < (span.mended ?? Number.POSITIVE_INFINITY) ? 'has' : 'has-not';
}

/** From which version on the kernel's series is without it. */
export function mendedIn(hazard: KernelHazard, { series }: KernelRelease): string | undefined {
  const mended = hazard.spans.find((span) => span.series === series)?.mended;
  return mended === undefined ? undefined : `${series}.${mended}`;
}
