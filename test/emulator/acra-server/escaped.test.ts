import fc from 'fast-check';
import t from 'tap';
import { decodeEscaped } from '../../../emulator/acra-server/escaped.ts';
import { encodeBytea } from '../../../postgres/bytea.ts';

/** As PostgreSQL writes it with bytea_output = escape. */
function escapeForm(bytes: Uint8Array): string {
  const one = (byte: number) => {
    if (byte === 0x5c) return '\\\\';
    const isPlain = byte >= 0x20 && byte < 0x7f;
    return isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  };
  return [...bytes].map(one).join('');
}

t.test('reads any bytes back from both text forms of bytea', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const expected = { kind: 'bytes', bytes: Buffer.from(bytes) } as const;
      t.same(decodeEscaped(Buffer.from(encodeBytea(Buffer.from(bytes)))), expected);
      t.same(decodeEscaped(Buffer.from(escapeForm(bytes))), expected);
    }),
    { seed: 1, numRuns: 200 },
  );
});

t.test('tells what acra-server cannot read, and why', async (t) => {
  for (const text of ['\\x0', '\\xzz', '\\x00 01']) t.same(decodeEscaped(Buffer.from(text)), { kind: 'not-hex' }, text);
  for (const text of ['\\', '\\12', 'a\\b', ' \\x61', '\\X61']) {
    t.same(decodeEscaped(Buffer.from(text)), { kind: 'not-escaped', hasControl: false }, text);
  }
  for (const text of ['line\nbreak', '\t', '\x7f', '\u0085', 'a\\b\n']) {
    t.same(decodeEscaped(Buffer.from(text)), { kind: 'not-escaped', hasControl: true }, JSON.stringify(text));
  }
});

t.test('keeps characters of several bytes, also beside octal escapes', async (t) => {
  t.same(decodeEscaped(Buffer.from('ü🙂\\303\\274')), { kind: 'bytes', bytes: Buffer.from('ü🙂ü') });
  t.same(decodeEscaped(Buffer.from('\\777')), { kind: 'bytes', bytes: Buffer.from([0xff]) });
});

t.test('reads 2 MB in escape form', async (t) => {
  const escaped = decodeEscaped(Buffer.alloc(2e6, 'a\\\\b'));
  t.equal(escaped.kind === 'bytes' && escaped.bytes.length, 1.5e6);
});
