/** Start-up packets as a real PostgreSQL takes them: the same ones are refused, for the same reasons. */
import t from 'tap';
import { decodeBackendKeyData } from '../../postgres/cancel-request.ts';
import { parseError } from '../../postgres/error-response.ts';
import {
  decodeNegotiateProtocolVersion,
  decodeStartupMessage,
  encodeStartupMessage,
  MAX_STARTUP_MESSAGE_BYTES,
} from '../../postgres/startup-message.ts';
import { connectPlain, readAll } from '../emulator/acra-server/support/raw-client.ts';
import { sqlStateOf } from '../emulator/acra-server/support/sql-state.ts';
import { NEWEST_MINOR } from '../support/database-package.ts';
import { startShop } from '../support/shop-database.ts';
import { encodeCancelRequest, encodeNegotiateProtocolVersion } from './support/packets.ts';
import { clientOf, USER } from './support/startup-outcome.ts';
import { packet, REFUSED } from './support/startup-packets.ts';

const server = await startShop(t, USER, undefined);

/** All that the server says to a client that says this and no more. */
async function answerTo(frame: Buffer): Promise<Buffer> {
  const socket = await connectPlain(server.port);
  socket.end(frame);
  return readAll(socket);
}

/** AuthenticationSASL, or whatever else the server asks for. */
const isTaken = (answer: Buffer) => answer.toString('latin1', 0, 1) === 'R';

/** Of a wrong length it does not speak, and to a client of protocol 2 in a form that has no SQLSTATE. */
function sqlStateIn(answer: Buffer): string | undefined {
  return answer.toString('latin1', 0, 1) === 'E' ? parseError(answer.subarray(5)).sqlState : undefined;
}

/** It does not look at the last byte, and asks whom an SSLRequest reaches first. */
const OTHERWISE_HERE = ['a last byte other than zero', 'an SSLRequest'];

t.test('refuses what PostgreSQL refuses, with its SQLSTATE where it gives one', async (t) => {
  for (const [what, frame, sqlState] of REFUSED.filter(([name]) => !OTHERWISE_HERE.includes(name))) {
    const answer = await answerTo(frame);
    t.notOk(isTaken(answer), what);
    t.equal(sqlStateIn(answer) || sqlState, sqlState, what);
  }
  t.ok(isTaken(await answerTo(packet('user\0a\0Q'))), 'the last byte is still nothing to PostgreSQL');
});

t.test('takes what PostgreSQL takes, up to its last byte', async (t) => {
  const bodies = [
    'user\0a\0\0',
    'user\0a\0options\0\0\0',
    'user\0b\0user\0a\0\0',
    '_pq_.x\x001\0user\0a\0\0',
    'user\0\xff\0x\0\xff\0\0',
  ];
  const longest = packet(`user\0${'a'.repeat(MAX_STARTUP_MESSAGE_BYTES - 8 - 7)}\0\0`);
  const longer = packet(`user\0${'a'.repeat(MAX_STARTUP_MESSAGE_BYTES - 8 - 6)}\0\0`);
  for (const frame of [...bodies.map((body) => packet(body)), longest]) {
    t.equal(
      sqlStateOf(() => decodeStartupMessage(frame)),
      undefined,
    );
    t.match((await answerTo(frame)).toString('latin1', 0, 1), /[Rv]/);
  }
  t.equal((await answerTo(longer)).length, 0);
  t.equal(
    sqlStateOf(() => decodeStartupMessage(longer)),
    '08P01',
  );
});

t.test('negotiates as PostgreSQL does', async (t) => {
  const parameters = new Map([
    ['_pq_.b', ''],
    ['user', 'a'],
    ['_pq_.a', '1'],
  ]);
  const answer = await answerTo(encodeStartupMessage({ minor: 9999, parameters }));
  const expected = encodeNegotiateProtocolVersion(NEWEST_MINOR, ['_pq_.b', '_pq_.a']);
  t.same(answer.subarray(0, expected.length), expected);
  t.same(decodeNegotiateProtocolVersion(expected.subarray(5)), {
    minor: NEWEST_MINOR,
    unrecognised: ['_pq_.b', '_pq_.a'],
  });
});

/** The body of the only message of this type: lengths are counted, so that no body is taken for a type. */
function bodyOf(type: string, stream: Buffer): Buffer {
  let at = 0;
  while (stream.toString('latin1', at, at + 1) !== type) at += 1 + stream.readUInt32BE(at + 1);
  return stream.subarray(at + 5, at + 1 + stream.readUInt32BE(at + 1));
}

for (const [minor, keyBytes] of [
  [0, 4],
  [2, 32],
] as const) {
  const skip = minor > NEWEST_MINOR && 'this PostgreSQL does not speak it';
  t.test(`cancels a statement of protocol 3.${minor} by its key of ${keyBytes} bytes`, { skip }, async (t) => {
    const { client, connection } = clientOf(server, [], minor);
    const chunks: Buffer[] = [];
    connection.stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await client.connect();
    const cancelKey = decodeBackendKeyData(bodyOf('K', Buffer.concat(chunks)));
    t.equal(cancelKey.key.length, keyBytes);
    let sqlState: unknown;
    const statement = client.query('SELECT pg_sleep(60)').catch(({ code }) => {
      sqlState = code;
    });
    // One that comes before its statement is lost.
    while (sqlState === undefined) await answerTo(encodeCancelRequest(cancelKey));
    await statement;
    t.equal(sqlState, '57014');
    await client.end();
  });
}
