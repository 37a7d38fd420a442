/** Distinguished names (X.501, RFC 5280 4.1.2.4): one attribute in each relative name, in the order given. */
import { ObjectIdentifier, PrintableString, Sequence, Set as SetOf, Utf8String } from 'asn1js';
import { RelativeDistinguishedNames } from 'pkijs';

/** OIDs of X.520, section 6. */
const ATTRIBUTE_OIDS = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
} as const;

interface NameAttribute {
  readonly type: keyof typeof ATTRIBUTE_OIDS;
  readonly value: string;
}

/** In the order of the encoded name; RFC 2253 text shows it in reverse. */
export type DistinguishedName = readonly NameAttribute[];

/** pkijs itself would put all attributes into one relative name, so it is given the finished encoding. */
export function encodeName(name: DistinguishedName): RelativeDistinguishedNames {
  const relativeNames = name.map(({ type, value }) => {
    const text = type === 'C' ? new PrintableString({ value }) : new Utf8String({ value });
    return new SetOf({
      value: [new Sequence({ value: [new ObjectIdentifier({ value: ATTRIBUTE_OIDS[type] }), text] })],
    });
  });
  return RelativeDistinguishedNames.fromBER(new Sequence({ value: relativeNames }).toBER());
}
