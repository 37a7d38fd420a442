/**
 * What the name of a kernel (`uname -r`) tells of its stable fixes. Vanilla kernels, Amazon Linux, and Debian since 2025 name the stable release that they are
 * made from. Ubuntu, Red Hat and Debian's older names keep one number for years and take single fixes: from these nothing can be concluded.
 */

export interface KernelRelease {
  readonly text: string;
  readonly series: string;
  readonly patch: number;
  /** Somebody's own build: it may have more fixes than the stable release that it names. */
  readonly isDistribution: boolean;
  /** The number is that of the stable release. */
  readonly tellsStable: boolean;
}

const RELEASE = /^(?<major>\d{1,3})\.(?<minor>\d{1,3})(?:\.(?<patch>\d{1,5}))?(?<suffix>[-+._~a-zA-Z0-9]*)$/;
/** Theirs begins with the stable release: 6.1.148-173.267.amzn2023.x86_64, 6.12.94+deb13-cloud-amd64. */
const STABLE_NAMES = [/\.amzn\d+(\.|$)/, /^\+deb\d+/];
/** What people who build a kernel put behind the number; a distribution's revision begins with a digit. */
const OWN_NAME = /^(-rc\d+)?([-+_~][a-zA-Z][a-zA-Z0-9_-]*|\+)?$/;

/** Undefined for what is no name of a kernel. */
export function parseKernelRelease(text: string): KernelRelease | undefined {
  const { major, minor, patch = '0', suffix = '' } = RELEASE.exec(text.trim())?.groups ?? {};
  if (major === undefined || minor === undefined) return undefined;
  const isStableName = STABLE_NAMES.some((name) => name.test(suffix));
  const isOwn = OWN_NAME.test(suffix);
  return {
    text: text.trim(),
    series: `${Number(major)}.${Number(minor)}`,
    patch: Number(patch),
    isDistribution: isStableName || !isOwn,
    tellsStable: isStableName || isOwn,
  };
}

/** Negative, 0 or positive, as for sort(). */
export function compareSeries(one: string, other: string): number {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major - otherMajor || minor - otherMinor;
}
