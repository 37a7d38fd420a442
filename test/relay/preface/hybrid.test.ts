/** The two lines of hybrid vsock. */
import t from 'tap';
import {
  encodeConnectLine,
  encodeOkLine,
  MAX_HYBRID_LINE_BYTES,
  parseConnectLine,
  parseOkLine,
} from '../../../relay/preface/hybrid.ts';

t.test('reads what it writes, up to the highest port', async (t) => {
  for (const port of [0, 5000, 0xffff_ffff]) {
    const line = encodeConnectLine(port);
    t.same(parseConnectLine(line), { kind: 'port', port, length: line.length });
    const ok = encodeOkLine(port);
    t.same(parseOkLine(ok), { kind: 'port', port, length: ok.length });
  }
});

t.test('leaves what follows the line alone', async (t) => {
  t.same(parseConnectLine(Buffer.from('CONNECT 52\nSELECT\n')), { kind: 'port', port: 52, length: 11 });
});

t.test('waits for the end of the line, but not for ever', async (t) => {
  t.equal(parseConnectLine(Buffer.alloc(0)).kind, 'more');
  t.equal(parseConnectLine(Buffer.from('CONNECT 52')).kind, 'more');
  t.equal(parseConnectLine(Buffer.alloc(MAX_HYBRID_LINE_BYTES - 1, '1')).kind, 'more');
  t.equal(parseConnectLine(Buffer.alloc(MAX_HYBRID_LINE_BYTES, '1')).kind, 'malformed');
});

for (const line of [
  'CONNECT',
  'CONNECT ',
  'connect 5',
  'CONNECT -5',
  'CONNECT 5 ',
  'CONNECT 0x5',
  'CONNECT 4294967296',
  'CONNECT 5\r',
  '',
]) {
  t.test(`rejects ${JSON.stringify(line)}`, async (t) => {
    t.equal(parseConnectLine(Buffer.from(`${line}\n`)).kind, 'malformed');
  });
}
