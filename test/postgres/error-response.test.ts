import fc from 'fast-check';
import t from 'tap';
import { encodeError, parseError } from '../../postgres/error-response.ts';

t.test('writes errors that clients of all versions read', async (t) => {
  const frame = encodeError('FATAL', '42000', 'no — 漢');
  t.equal(frame.toString('latin1', 0, 1), 'E');
  t.equal(frame.readUInt32BE(1), frame.length - 1);
  t.equal(frame.subarray(5).toString(), 'SFATAL\0VFATAL\0C42000\0Mno — 漢\0\0');
});

t.test('reads what it wrote, whatever the message says', async (t) => {
  const message = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.constantFrom('ERROR', 'FATAL'), message, message, (severity, text, hint) => {
      const frame = encodeError(severity, '08P01', text, hint);
      t.same(parseError(frame.subarray(5)), { severity, sqlState: '08P01', message: text, hint });
    }),
    { seed: 1, numRuns: 100 },
  );
});

t.test('keeps a zero byte in a message from ending it early', async (t) => {
  t.same(parseError(encodeError('ERROR', '42000', 'a\0b').subarray(5)).message, 'ab');
  t.same(parseError(encodeError('ERROR', '42000', 'a', 'b\0c').subarray(5)).hint, 'bc');
});

t.test('reads the severity that no locale translates, and the other one of old servers', async (t) => {
  t.equal(parseError(Buffer.from('SFEHLER\0VERROR\0C42601\0Mx\0\0')).severity, 'ERROR');
  t.equal(parseError(Buffer.from('SERROR\0C42601\0Mx\0\0')).severity, 'ERROR');
});

t.test('keeps fields empty that are missing, and reads none behind the end', async (t) => {
  t.same(parseError(Buffer.alloc(0)), { severity: '', sqlState: '', message: '', hint: '' });
  t.same(parseError(Buffer.from('VERROR\0C42601\0\0Mx\0\0')), {
    severity: 'ERROR',
    sqlState: '42601',
    message: '',
    hint: '',
  });
});

t.test('reads 64 MiB that are nearly an error no further than an error goes', async (t) => {
  for (const filling of ['\0', 'Mx\0']) {
    const body = Buffer.concat([Buffer.from('VERROR\0C42601\0'), Buffer.alloc(64 * 1024 * 1024, filling)]);
    const before = process.cpuUsage();
    t.match(parseError(body), { severity: 'ERROR', sqlState: '42601' });
    const { user, system } = process.cpuUsage(before);
    t.ok(user + system < 500_000, 'µs of CPU; to read on takes over five seconds');
  }
});
