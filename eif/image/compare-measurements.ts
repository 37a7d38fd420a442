/**
 * Tells two measurements.json apart by what went into the images: which register, and for a ramdisk which file. The second may be of
 * somebody else, and of another release, which knew other members: each value that either has is compared.
 */
import { compareFields, type Difference, type Fields } from '../difference.ts';

/** In the words of `eif diff`, where it has them. */
const SECTIONS: Readonly<Record<string, string>> = {
  Measurements: 'registers',
  kernel: 'kernel',
  runtime: 'runtime',
  billOfMaterials: 'bill of materials',
};
/** What the owner's signature makes, and names that say nothing. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'Measurements.PCR8',
  'Measurements.HashAlgorithm',
  'billOfMaterials.file',
]);

/**
 * What a signature of the image makes different is left out.
 * @param a, b JSON of a measurements.json
 * @returns with `a` and `b` in their order; empty when they measure the same contents
 */
export function compareMeasurements(a: object, b: object): readonly Difference[] {
  return [
    ...Object.entries(SECTIONS).flatMap(([member, section]) =>
      compareFields({ section }, fieldsOfMember(a, member), fieldsOfMember(b, member)),
    ),
    ...compareRamdisks(ramdisksOf(a), ramdisksOf(b)),
  ];
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function ramdisksOf(measurements: object): readonly unknown[] {
  const ramdisks = memberOf(measurements, 'ramdisks');
  return Array.isArray(ramdisks) ? ramdisks : [];
}

function compareRamdisks(a: readonly unknown[], b: readonly unknown[]): readonly Difference[] {
  const count = Math.max(a.length, b.length);
  return Array.from({ length: count }, (_, index) => `ramdisk ${index}`).flatMap((section, index) => {
    const [ramdiskA, ramdiskB] = [a[index], b[index]];
    const [filesA, filesB] = [memberOf(ramdiskA, 'files'), memberOf(ramdiskB, 'files')];
    const names = [...new Set([...namesOf(filesA), ...namesOf(filesB)])];
    return [
      ...compareFields({ section }, ownFields(ramdiskA), ownFields(ramdiskB)),
      ...names.flatMap((entry) => compareFields({ section, entry }, digest(filesA, entry), digest(filesB, entry))),
    ];
  });
}

const namesOf = (files: unknown): readonly string[] => (isObject(files) ? Object.keys(files) : []);

function digest(files: unknown, name: string): Fields {
  const sha256 = memberOf(files, name);
  return sha256 === undefined ? {} : { sha256: String(sha256) };
}

function ownFields(ramdisk: unknown): Fields {
  if (!isObject(ramdisk)) return {};
  const { files: _, ...rest } = ramdisk;
  return fieldsOf(rest);
}

function fieldsOfMember(measurements: object, member: string): Fields {
  const fields = Object.entries(fieldsOf(memberOf(measurements, member)));
  return Object.fromEntries(fields.filter(([name]) => !LEFT_OUT.has(`${member}.${name}`)));
}

/** Leaves by their path. */
function fieldsOf(value: unknown, path = ''): Fields {
  if (!isObject(value)) return value === undefined ? {} : { [path]: String(value) };
  const inner = Object.entries(value).map(([name, each]) => fieldsOf(each, path === '' ? name : `${path}.${name}`));
  return Object.assign({}, ...inner);
}
