import t from 'tap';
import { readAsn1 } from '../../../encoding/asn1/reader.ts';
import { expectTimeMs } from '../../../encoding/asn1/time.ts';
import { FormatError } from '../../../encoding/format-error.ts';

const UTC = 0x17;
const GENERALIZED = 0x18;

function read(tag: number, text: string): number {
  return expectTimeMs('time', readAsn1(Buffer.from([tag, text.length, ...Buffer.from(text, 'latin1')]), 'der'));
}

for (const [tag, text, iso] of [
  [UTC, '191028132805Z', '2019-10-28T13:28:05.000Z'],
  [UTC, '491231235959Z', '2049-12-31T23:59:59.000Z'],
  [UTC, '500101000000Z', '1950-01-01T00:00:00.000Z'],
  [UTC, '240229000000Z', '2024-02-29T00:00:00.000Z'],
  [GENERALIZED, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
  [GENERALIZED, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
] as const) {
  t.test(`reads ${text}`, async (t) => {
    t.equal(new Date(read(tag, text)).toISOString(), iso);
  });
}

for (const [why, tag, text] of [
  ['without seconds', UTC, '1910281328Z'],
  ['with an offset', UTC, '191028132805+0000'],
  ['with fractions', GENERALIZED, '20191028132805.5Z'],
  ['in four digits of the shorter form', UTC, '20191028132805Z'],
  ['on 31 February', UTC, '190231000000Z'],
  ['on 29 February of another year', UTC, '230229000000Z'],
  ['at 24:00', UTC, '190228240000Z'],
  ['with a second 60', UTC, '190228235960Z'],
  ['in month 13', UTC, '191301000000Z'],
  ['in another type', 0x0c, '191028132805Z'],
  ['with signs for digits', UTC, '19-028132805Z'],
] as const) {
  t.test(`rejects a time ${why}`, async (t) => {
    t.throws(() => read(tag, text), FormatError);
  });
}
