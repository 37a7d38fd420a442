/**
 * The bill of materials of an image as CycloneDX JSON: every file of every ramdisk and the kernel with SHA-256, below the
 * part that it belongs to. It holds no time and no random number, so equal images have equal bills. It is made piece by piece: the bill of an
 * application with many files is larger than all else that a build has in memory.
 * Specification: CycloneDX 1.6 (ECMA-424).
 */
import { byCodeUnits } from '../../runtime/code-units.ts';

export interface BomComponent {
  /** What files refer to. */
  readonly key: string;
  readonly type: 'application' | 'library' | 'operating-system' | 'data';
  readonly name: string;
  readonly version: string | undefined;
  readonly purl?: string;
  /** As its publisher states it. */
  readonly license?: string;
  /** Hex, for parts that are one file outside the ramdisks. */
  readonly sha256?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

/** Of an archive. */
export interface BomEntry {
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  /** Bytes that it has in the archive. */
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  /** Hexadecimal; of the contents of a file, undefined for all else. */
  readonly sha256: string | undefined;
}

export interface BomRamdisk {
  /** As read from the archive that is in the image. */
  readonly entries: readonly BomEntry[];
  /** Key of the component of each file, by name. */
  readonly componentOf: ReadonlyMap<string, string>;
}

export interface BomContent {
  readonly image: {
    readonly name: string;
    readonly version: string;
    readonly properties: Readonly<Record<string, string>>;
  };
  readonly tool: { readonly name: string; readonly version: string };
  readonly components: readonly BomComponent[];
  /** In the order of the image. */
  readonly ramdisks: readonly BomRamdisk[];
}

const NAMESPACE = 'acra-enclave';

/** As JSON.stringify would write it with two spaces. */
export function* encodeBom({ image, tool, components, ramdisks }: BomContent): Generator<string, void> {
  const files = filesByKey(ramdisks);
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', ...tool }] },
      component: {
        type: 'firmware',
        'bom-ref': 'image',
        name: image.name,
        version: image.version,
        properties: toProperties(image.properties),
      },
    },
  };
  const sorted = components.toSorted((a, b) => byCodeUnits(a.key, b.key));
  yield* withComponents(document, sorted, 0, function* (component) {
    yield* withComponents(encodeComponent(component), files.get(component.key) ?? [], 4, function* (file) {
      yield indented(encodeFile(file), 8);
    });
  });
  yield '\n';
}

/** An object whose last field is `components`; left out where there are none. */
function* withComponents<Item>(
  object: object,
  items: readonly Item[],
  spaces: number,
  encode: (item: Item) => Generator<string, void>,
): Generator<string, void> {
  const text = indented(object, spaces);
  if (items.length === 0) {
    yield text;
    return;
  }
  const margin = ' '.repeat(spaces);
  yield `${text.slice(0, text.lastIndexOf('\n'))},\n${margin}  "components": [`;
  for (const [index, item] of items.entries()) {
    yield `${index === 0 ? '' : ','}\n${margin}    `;
    yield* encode(item);
  }
  yield `\n${margin}  ]\n${margin}}`;
}

function indented(value: object, spaces: number): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${' '.repeat(spaces)}`);
}

interface BomFile {
  readonly key: string;
  readonly ref: string;
  readonly ramdisk: number;
  readonly entry: BomEntry;
}

function toProperties(values: Readonly<Record<string, string>>) {
  return Object.entries(values)
    .toSorted(([a], [b]) => byCodeUnits(a, b))
    .map(([name, value]) => ({ name: `${NAMESPACE}:${name}`, value }));
}

function encodeComponent(component: BomComponent): object {
  const { key, type, name, version, purl, license, sha256, properties } = component;
  return {
    type,
    'bom-ref': key,
    name,
    ...(version === undefined ? {} : { version }),
    ...(sha256 === undefined ? {} : { hashes: [{ alg: 'SHA-256', content: sha256 }] }),
    ...(license === undefined ? {} : { licenses: [{ license: { name: license } }] }),
    ...(purl === undefined ? {} : { purl }),
    ...(properties === undefined ? {} : { properties: toProperties(properties) }),
  };
}

/** In the order of their names. */
function filesByKey(ramdisks: readonly BomRamdisk[]): ReadonlyMap<string, readonly BomFile[]> {
  const files = ramdisks.flatMap(({ entries, componentOf }, ramdisk) =>
    entries.flatMap((entry): readonly BomFile[] => {
      if (entry.sha256 === undefined) return [];
      return [{ key: componentOf.get(entry.name) ?? '', ref: `ramdisk-${ramdisk}:/${entry.name}`, ramdisk, entry }];
    }),
  );
  return Map.groupBy(
    files.toSorted((a, b) => byCodeUnits(a.ref, b.ref)),
    ({ key }) => key,
  );
}

function encodeFile({ ref, ramdisk, entry }: BomFile): object {
  const { name, mode, size, uid, gid, sha256 } = entry;
  const properties = {
    bytes: String(size),
    group: String(gid),
    mode: mode.toString(8).padStart(4, '0'),
    ramdisk: String(ramdisk),
    user: String(uid),
  };
  return {
    type: 'file',
    'bom-ref': ref,
    name: `/${name}`,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    properties: toProperties(properties),
  };
}
