/** One place where two images differ, and how two sets of named values are compared. */

export interface Difference {
  /** "header", "kernel", "cmdline", "metadata", "ramdisk 1", "signature". */
  readonly section: string;
  /** The entry of a ramdisk, where one is to blame. */
  readonly entry?: string;
  /** "mode", "sha256", "architecture", … */
  readonly field: string;
  /** Undefined: not there. */
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/** Named values as text. */
export type Fields = Readonly<Record<string, string | undefined>>;

/** The fields that differ, those of `a` first. */
export function compareFields(
  place: Pick<Difference, 'section' | 'entry'>,
  a: Fields,
  b: Fields,
): readonly Difference[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names]
    .filter((field) => a[field] !== b[field])
    .map((field) => ({ ...place, field, a: a[field], b: b[field] }));
}
