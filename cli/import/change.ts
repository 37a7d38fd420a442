/** What became of one line of the manifest, and the parts of the new files that come of a section. */

/** `decide`: only people can say what belongs there; until then the place holds what `config check` refuses, or nothing. */
export type Outcome = 'kept' | 'changed' | 'dropped' | 'decide';

export const FILES = {
  enclave: 'enclave/enclave.yaml',
  host: 'host-proxy.yaml',
  image: 'image.yaml',
} as const;
export type FileKey = keyof typeof FILES;

export interface Place {
  readonly file: FileKey;
  readonly path: readonly (string | number)[];
}

export interface Change {
  /** As it stands in the manifest, `ingress.0.listen_port`; in brackets what Enclaver does without being asked. */
  readonly field: string;
  /** Its value; undefined where the manifest does not say it. */
  readonly found: unknown;
  readonly outcome: Outcome;
  /** What stands there now, where that is not what it was. */
  readonly becomes?: string;
  readonly places: readonly Place[];
  readonly why: string;
}

/** Keys and values of a YAML file, as far as one section knows them. */
export type Fragment = Readonly<Record<string, unknown>>;

export interface Part {
  readonly files: Partial<Readonly<Record<FileKey, Fragment>>>;
  readonly changes: readonly Change[];
}

/** `enclave ingress.web.to` */
export function place(file: FileKey, path: string): Place {
  return { file, path: path.split('.') };
}

export function placeText({ file, path }: Place): string {
  return `${FILES[file]} ${path.join('.')}`;
}
