/** The packet that asks for a session: what is taken, what is refused and how, and that nothing is lost on the way. */
import fc from 'fast-check';
import t from 'tap';
import {
  databaseOf,
  decodeNegotiateProtocolVersion,
  decodeStartupMessage,
  encodeStartupMessage,
  MAX_STARTUP_MESSAGE_BYTES,
  userOf,
} from '../../postgres/startup-message.ts';
import { sqlStateOf } from '../emulator/acra-server/support/sql-state.ts';
import { STARTUP_MESSAGE } from '../relay/support/postgres-packets.ts';
import { encodeNegotiateProtocolVersion } from './support/packets.ts';
import { packet, REFUSED } from './support/startup-packets.ts';

function parametersOf(body: string): [string, string][] {
  return [...decodeStartupMessage(packet(body)).parameters];
}

t.test('reads version and parameters in their order', async (t) => {
  const message = decodeStartupMessage(STARTUP_MESSAGE);
  t.equal(message.minor, 0);
  t.same(
    [...message.parameters],
    [
      ['user', 'alice'],
      ['database', 'shop'],
    ],
  );
  t.equal(decodeStartupMessage(packet('user\0a\0\0', { version: '00030002' })).minor, 2);
  t.equal(decodeStartupMessage(packet('user\0a\0\0', { version: '0003270f' })).minor, 9999);
});

t.test('keeps the last of equal names, in its place', async (t) => {
  t.same(parametersOf('user\0a\0user\0b\0\0'), [['user', 'b']]);
  t.same(parametersOf('user\0a\0x\x001\0X\x002\0x\x003\0\0'), [
    ['user', 'a'],
    ['X', '2'],
    ['x', '3'],
  ]);
});

t.test('keeps empty values, and bytes that are no UTF-8', async (t) => {
  t.same(parametersOf('user\0\xff\0options\0\0\0'), [
    ['user', '\xff'],
    ['options', ''],
  ]);
});

for (const [what, frame, sqlState] of REFUSED) {
  t.test(`rejects ${what} (${sqlState})`, async (t) => {
    t.equal(
      sqlStateOf(() => decodeStartupMessage(frame)),
      sqlState,
    );
  });
}

t.test('takes 10,000 bytes behind the length and not one more', async (t) => {
  const withBytes = (bytes: number) => packet(`user\0${'a'.repeat(bytes - 8 - 7)}\0\0`);
  t.equal(withBytes(10_004).length, MAX_STARTUP_MESSAGE_BYTES);
  t.equal(decodeStartupMessage(withBytes(10_004)).parameters.get('user')?.length, 9_989);
  t.equal(
    sqlStateOf(() => decodeStartupMessage(withBytes(10_005))),
    '08P01',
  );
  const long = (bytes: number) => ({ minor: 0, parameters: new Map([['user', 'a'.repeat(bytes - 8 - 7)]]) });
  t.equal(encodeStartupMessage(long(10_004)).length, MAX_STARTUP_MESSAGE_BYTES);
  t.equal(
    sqlStateOf(() => encodeStartupMessage(long(10_005))),
    '08P01',
  );
});

t.test('names user and database as the database has them', async (t) => {
  const named = (body: string) => decodeStartupMessage(packet(body));
  t.equal(databaseOf(named('user\0alice\0\0')), 'alice');
  t.equal(databaseOf(named('user\0alice\0database\0\0\0')), 'alice');
  t.equal(databaseOf(named('database\0shop\0user\0alice\0\0')), 'shop');
  t.equal(userOf(named('user\0alice\0database\0shop\0\0')), 'alice');
  const long = named(`user\0${'u'.repeat(64)}\0database\0${'d'.repeat(70)}\0\0`);
  t.same([userOf(long), databaseOf(long)], ['u'.repeat(63), 'd'.repeat(63)]);
});

t.test('rejects texts that would become others on the wire (08P01)', async (t) => {
  for (const text of ['a\0superuser', 'a\u0100b', '€']) {
    for (const pair of [
      ['user', text],
      [text, 'x'],
    ] as const) {
      t.equal(
        sqlStateOf(() => encodeStartupMessage({ minor: 0, parameters: new Map([pair]) })),
        '08P01',
      );
    }
  }
  t.equal(
    sqlStateOf(() => encodeStartupMessage({ minor: 0, parameters: new Map([['', 'x']]) })),
    '08P01',
  );
});

t.test('encodes NegotiateProtocolVersion as PostgreSQL does', async (t) => {
  const message = encodeNegotiateProtocolVersion(2, ['_pq_.a', '_pq_.b']);
  t.equal(message.toString('latin1'), 'v\0\0\0\x1a\0\x03\0\x02\0\0\0\x02_pq_.a\0_pq_.b\0');
  t.same(decodeNegotiateProtocolVersion(message.subarray(5)), { minor: 2, unrecognised: ['_pq_.a', '_pq_.b'] });
});

t.test('rejects a NegotiateProtocolVersion that is cut, too long, or of another protocol', async (t) => {
  const body = encodeNegotiateProtocolVersion(0, ['_pq_.a']).subarray(5);
  for (let end = 0; end < body.length; end++) {
    t.equal(
      sqlStateOf(() => decodeNegotiateProtocolVersion(body.subarray(0, end))),
      '08P01',
      String(end),
    );
  }
  t.equal(
    sqlStateOf(() => decodeNegotiateProtocolVersion(Buffer.concat([body, Buffer.alloc(1)]))),
    '08P01',
  );
  t.equal(
    sqlStateOf(() => decodeNegotiateProtocolVersion(Buffer.from('00030000ffffffff', 'hex'))),
    '08P01',
  );
  t.equal(
    sqlStateOf(() => decodeNegotiateProtocolVersion(Buffer.from('0000000200000000', 'hex'))),
    '0A000',
  );
});

const text = fc
  .uint8Array({ maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll('\0', '_'));
const name = text.filter((value) => value !== '');

t.test('decodes what it encodes', async (t) => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key }), (minor, pairs) => {
      const parameters = new Map([...pairs.filter(([key]) => key !== 'user'), ['user', 'u']]);
      const decoded = decodeStartupMessage(encodeStartupMessage({ minor, parameters }));
      t.same([decoded.minor, ...decoded.parameters], [minor, ...parameters]);
    }),
    { seed: 1, numRuns: 300 },
  );
});
