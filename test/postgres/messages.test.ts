import fc from 'fast-check';
import t from 'tap';
import { BIND, DATA_ROW, decodeResultFields, isBinaryAt, PARSE, withTypes } from '../../postgres/messages.ts';

import { sqlStateOf } from '../emulator/acra-server/support/sql-state.ts';

const name = fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll('\0', '_'));
const values = fc.array(fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))));
const formats = fc.array(fc.constantFrom(0, 1));

t.test('parses what it encodes: Bind and Parse', async (t) => {
  fc.assert(
    fc.property(name, name, formats, values, formats, (...fields) => {
      t.same(BIND.decode(BIND.encode(...fields).subarray(5)), fields);
    }),
    { seed: 3, numRuns: 100 },
  );
  fc.assert(
    fc.property(name, name, fc.array(fc.integer()), (...fields) => {
      t.same(PARSE.decode(PARSE.encode(...fields).subarray(5)), fields);
    }),
    { seed: 4, numRuns: 100 },
  );
});

t.test('rejects every truncation of a message (08P01)', async (t) => {
  const body = BIND.encode('portal', 'name', [1], [Buffer.from('abc'), null], [0]).subarray(5);
  for (let end = 0; end < body.length; end++) {
    t.equal(
      sqlStateOf(() => BIND.decode(body.subarray(0, end))),
      '08P01',
      String(end),
    );
  }
  t.equal(
    sqlStateOf(() => DATA_ROW.decode(Buffer.from('ffff7fffffff', 'hex'))),
    '08P01',
  );
});

t.test('takes 65535 parameters', async (t) => {
  const all = Array.from({ length: 65_535 }, () => null);
  t.equal(DATA_ROW.decode(DATA_ROW.encode(all).subarray(5))[0].length, 65_535);
});

t.test('changes the types of a row description and nothing else', async (t) => {
  const field = (title: string, oid: number, format: number) => {
    const rest = Buffer.from('000040000003000000000011ffffffffffff0000', 'hex').subarray(0, 18);
    rest.writeInt32BE(oid, 6);
    rest.writeInt16BE(format, 16);
    return Buffer.concat([Buffer.from(`${title}\0`), rest]);
  };
  const body = Buffer.concat([Buffer.from([0, 2]), field('id', 23, 0), field('secret', 17, 1)]);
  const frame = Buffer.concat([Buffer.from('T'), Buffer.from([0, 0, 0, body.length + 4]), body]);
  const fields = decodeResultFields(body);
  t.match(fields, [
    { typeOid: 23, isBinary: false },
    { typeOid: 17, isBinary: true },
  ]);
  const changed = decodeResultFields(withTypes(frame, [{ offset: fields[1]!.oidOffset, typeOid: 25 }]).subarray(5));
  t.same(changed, [fields[0], { ...fields[1], typeOid: 25 }]);
});

t.test('applies a single format code to all', async (t) => {
  t.same(
    [isBinaryAt([], 0), isBinaryAt([1], 5), isBinaryAt([0, 1], 1), isBinaryAt([0, 1], 2)],
    [false, true, true, false],
  );
});
