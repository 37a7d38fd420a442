/**
 * The bill of materials of an image as CycloneDX JSON: every file of every ramdisk and the kernel with SHA-256, below the
 * part that it belongs to. It holds no time and no random number, so equal images have equal bills.
 * Specification: CycloneDX 1.6 (ECMA-424).
 */
import type { CpioEntry } from '../cpio/reader.ts';

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

export interface BomRamdisk {
  /** As read from the archive that is in the image. */
  readonly entries: readonly CpioEntry[];
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

export function encodeBom({ image, tool, components, ramdisks }: BomContent): string {
  const files = ramdisks.flatMap((ramdisk, index) => filesOf(ramdisk, index));
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
    components: components
      .toSorted((a, b) => compare(a.key, b.key))
      .map((component) =>
        encodeComponent(
          component,
          files.filter(({ key }) => key === component.key),
        ),
      ),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

interface BomFile {
  readonly key: string;
  readonly encoded: { readonly 'bom-ref': string };
}

/** By code units: the same everywhere, whatever the locale. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function toProperties(values: Readonly<Record<string, string>>) {
  return Object.entries(values)
    .toSorted(([a], [b]) => compare(a, b))
    .map(([name, value]) => ({ name: `${NAMESPACE}:${name}`, value }));
}

function encodeComponent(component: BomComponent, files: readonly BomFile[]) {
  const { key, type, name, version, purl, license, sha256, properties } = component;
  const nested = files.map(({ encoded }) => encoded).toSorted((a, b) => compare(a['bom-ref'], b['bom-ref']));
  return {
    type,
    'bom-ref': key,
    name,
    ...(version === undefined ? {} : { version }),
    ...(sha256 === undefined ? {} : { hashes: [{ alg: 'SHA-256', content: sha256 }] }),
    ...(license === undefined ? {} : { licenses: [{ license: { name: license } }] }),
    ...(purl === undefined ? {} : { purl }),
    ...(properties === undefined ? {} : { properties: toProperties(properties) }),
    ...(nested.length === 0 ? {} : { components: nested }),
  };
}

function filesOf({ entries, componentOf }: BomRamdisk, ramdisk: number): readonly BomFile[] {
  return entries.flatMap(({ name, mode, header, sha256 }) => {
    if (sha256 === undefined) return [];
    const properties = {
      bytes: String(header.size),
      group: String(header.gid),
      mode: mode.toString(8).padStart(4, '0'),
      ramdisk: String(ramdisk),
      user: String(header.uid),
    };
    const encoded = {
      type: 'file',
      'bom-ref': `ramdisk-${ramdisk}:/${name}`,
      name: `/${name}`,
      hashes: [{ alg: 'SHA-256', content: sha256 }],
      properties: toProperties(properties),
    };
    return [{ key: componentOf.get(name) ?? '', encoded }];
  });
}
