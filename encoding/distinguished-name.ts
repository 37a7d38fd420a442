/**
 * The subject of a certificate as text, as Go prints it: acra-server hashes this text into a client id, and enclave.yaml names clients by it.
 *
 * Go does not print a subject as it stands in the certificate. Attributes of nine types are gathered by type and put
 * in a fixed order, several of one type into one multi-valued RDN, the last common name and serial number winning; all
 * other attributes follow one by one, as `OID=#hex`. The whole is then written back to front, escaped as RFC 2253 says.
 * Specification: RFC 2253, 2; Go 1.26, crypto/x509/pkix, Name.ToRDNSequence and RDNSequence.String (pkix.go).
 */
import { TAG } from './asn1/reader.ts';
import { writeDer } from './asn1/writer.ts';

export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
}

/** The types that Go knows by name, in the order in which it prints them. */
const NAMED_TYPES = [
  { oid: '2.5.4.5', name: 'SERIALNUMBER', single: true },
  { oid: '2.5.4.3', name: 'CN', single: true },
  { oid: '2.5.4.11', name: 'OU', single: false },
  { oid: '2.5.4.10', name: 'O', single: false },
  { oid: '2.5.4.17', name: 'POSTALCODE', single: false },
  { oid: '2.5.4.9', name: 'STREET', single: false },
  { oid: '2.5.4.7', name: 'L', single: false },
  { oid: '2.5.4.8', name: 'ST', single: false },
  { oid: '2.5.4.6', name: 'C', single: false },
] as const;
const NAMED_OIDS: ReadonlySet<string> = new Set(NAMED_TYPES.map(({ oid }) => oid));
const OID = /^\d+(\.\d+)+$/;

/** RFC 2253, 2.4, as Go applies it. */
function escapeValue(value: string): string {
  const characters = [...value];
  return characters
    .map((character, index) => {
      const edgeSpace = character === ' ' && (index === 0 || index === characters.length - 1);
      const special = ',+"\\<>;'.includes(character) || (character === '#' && index === 0);
      return edgeSpace || special ? `\\${character}` : character;
    })
    .join('');
}

/** Go encodes the value anew, as PrintableString where it can; its encoder leaves `*` and `&` to UTF8String. */
function encodeOther({ oid, value }: NameAttribute): string {
  const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value);
  const encoded = writeDer(printable ? TAG.printableString : TAG.utf8String, Buffer.from(value));
  return `${oid}=#${encoded.toString('hex')}`;
}

/** @param attributes in the order of the certificate */
export function printName(attributes: readonly NameAttribute[]): string {
  const named = NAMED_TYPES.flatMap(({ oid, name, single }) => {
    const all = attributes.filter((each) => each.oid === oid).map(({ value }) => value);
    const values = single ? all.slice(-1).filter((value) => value !== '') : all;
    return values.length === 0 ? [] : [values.map((value) => `${name}=${escapeValue(value)}`).join('+')];
  });
  const others = attributes.filter(({ oid }) => !NAMED_OIDS.has(oid)).map(encodeOther);
  return [...named, ...others.reverse()].join(',');
}

interface TextAttribute {
  /** In capitals. */
  readonly type: string;
  /** Escapes resolved. */
  readonly value: string;
  /** As it is written. */
  readonly raw: string;
  /** Which relative name it belongs to. */
  readonly rdn: number;
}

const ATTRIBUTE = /([^=,+]*)=((?:\\[^0-9A-Fa-f]|[^\\",+;<>])*)([,+]|$)/suy;

/** Spaces round a value count only where they are escaped. */
function unescapeValue(text: string): string {
  const characters = [...text.matchAll(/\\(.)|(.)/gsu)].map(([, escaped, plain]) => ({ escaped, plain }));
  const isBlank = ({ plain }: { plain: string | undefined }) => plain === ' ';
  const first = characters.findIndex((each) => !isBlank(each));
  const last = characters.findLastIndex((each) => !isBlank(each));
  const kept = first === -1 ? [] : characters.slice(first, last + 1);
  return kept.map(({ escaped, plain }) => escaped ?? plain ?? '').join('');
}

/** Undefined for what is no list of attributes, or has escapes that Go never writes. */
function readAttributes(text: string): TextAttribute[] | undefined {
  const attributes: TextAttribute[] = [];
  let rdn = 0;
  const pattern = new RegExp(ATTRIBUTE);
  for (let separator: string | undefined = ','; separator !== ''; ) {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const [, type = '', raw = '', next = ''] = match;
    attributes.push({ type: type.trim().toUpperCase(), value: unescapeValue(raw), raw: raw.trim(), rdn });
    if (next === ',') rdn += 1;
    separator = next;
  }
  return attributes;
}

/** Undefined where the text leaves open in which order Go prints them, or that it does. */
function namedText(attributes: readonly TextAttribute[]): readonly string[] | undefined {
  const texts: string[] = [];
  for (const { name, single } of NAMED_TYPES) {
    const own = attributes.filter(({ type }) => type === name);
    if (own.some(({ raw }) => raw.startsWith('#')) || new Set(own.map(({ rdn }) => rdn)).size > 1) return undefined;
    if (single && (own.length > 1 || own[0]?.value === '')) return undefined;
    if (own.length > 0) texts.push(own.map(({ value }) => `${name}=${escapeValue(value)}`).join('+'));
  }
  return texts;
}

/**
 * The spelling of a subject that somebody wrote in another order, in other letters or with spaces.
 * @returns undefined where it cannot be told from the text alone
 */
export function canonicalName(text: string): string | undefined {
  const attributes = readAttributes(text) ?? [];
  const others = attributes.filter(({ type }) => !NAMED_TYPES.some(({ name }) => name === type));
  const isOther = ({ type, raw }: TextAttribute) =>
    OID.test(type) && !NAMED_OIDS.has(type) && /^#([0-9A-Fa-f]{2})+$/.test(raw);
  const named = namedText(attributes);
  if (attributes.length === 0 || named === undefined || !others.every(isOther)) return undefined;
  return [...named, ...others.map(({ type, raw }) => `${type}=${raw.toLowerCase()}`)].join(',');
}
