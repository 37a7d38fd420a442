/** First packets of PostgreSQL: what passes, what is refused and why. */
import t from 'tap';
import type { PostgresRefusal } from '../../postgres/start-up.ts';
import { checkTlsAnswer, classifyStartup, encodeErrorResponse, MAX_STARTUP_BYTES } from '../../postgres/start-up.ts';
import { CANCEL_REQUEST, GSS_REQUEST, SSL_REQUEST, STARTUP_MESSAGE } from '../relay/support/postgres-packets.ts';

const EXTRA = Buffer.from([0]);

t.test('takes an SSLRequest, a CancelRequest and a GSSENCRequest', async (t) => {
  t.equal(classifyStartup(SSL_REQUEST).kind, 'ssl-request');
  t.equal(classifyStartup(CANCEL_REQUEST).kind, 'cancel-request');
  t.equal(classifyStartup(GSS_REQUEST).kind, 'gss-request');
});

/** As protocol 3.2 has it: the key may be of 4 to 256 bytes. */
function cancelRequest(keyBytes: number): Buffer {
  return withField(Buffer.concat([CANCEL_REQUEST.subarray(0, 12), Buffer.alloc(keyBytes, 'k')]), 0, 12 + keyBytes);
}

t.test('takes a CancelRequest with a key of any length that protocol 3.2 allows', async (t) => {
  for (const keyBytes of [4, 5, 32, 255, 256]) {
    t.equal(classifyStartup(cancelRequest(keyBytes)).kind, 'cancel-request', String(keyBytes));
    const withMore = Buffer.concat([cancelRequest(keyBytes), EXTRA]);
    t.same(classifyStartup(withMore), { kind: 'refused', reason: 'bytes-behind-request' });
    t.ok(withMore.length <= MAX_STARTUP_BYTES);
  }
});

t.test('waits for the rest of each, at every length', async (t) => {
  for (const packet of [SSL_REQUEST, CANCEL_REQUEST, GSS_REQUEST, cancelRequest(256)]) {
    for (let length = 0; length < packet.length; length++) {
      t.equal(classifyStartup(packet.subarray(0, length)).kind, 'more');
    }
  }
});

function withField(packet: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt32BE(value, offset);
  return copy;
}

const REFUSED: readonly [what: string, bytes: Buffer, reason: PostgresRefusal][] = [
  ['a StartupMessage in clear', STARTUP_MESSAGE.subarray(0, 17), 'plaintext-startup'],
  ['a TLS handshake without SSLRequest', Buffer.from([0x16]), 'direct-tls'],
  ['HTTP', Buffer.from('GET / HTTP/1.1'), 'not-postgres'],
  ['bytes behind an SSLRequest', Buffer.concat([SSL_REQUEST, EXTRA]), 'bytes-behind-request'],
  ['bytes behind a GSSENCRequest', Buffer.concat([GSS_REQUEST, SSL_REQUEST]), 'bytes-behind-request'],
  ['bytes behind a CancelRequest', Buffer.concat([CANCEL_REQUEST, EXTRA]), 'bytes-behind-request'],
  ['an SSLRequest of 7 bytes', withField(SSL_REQUEST, 0, 7), 'not-postgres'],
  ['an SSLRequest of 9 bytes', withField(SSL_REQUEST, 0, 9), 'not-postgres'],
  ['a CancelRequest of 15 bytes', withField(CANCEL_REQUEST, 0, 15), 'not-postgres'],
  ['a CancelRequest with a key of 257 bytes', withField(CANCEL_REQUEST, 0, 269), 'not-postgres'],
  ['a CancelRequest of 4 GiB', withField(CANCEL_REQUEST, 0, 0xffff_ffff), 'not-postgres'],
  ['protocol 2', withField(STARTUP_MESSAGE, 4, 2 << 16).subarray(0, 17), 'not-postgres'],
];

for (const [what, bytes, reason] of REFUSED) {
  t.test(`rejects ${what} (${reason})`, async (t) => {
    t.same(classifyStartup(bytes), { kind: 'refused', reason });
  });
}

t.test('takes S alone for an answer, and nothing else', async (t) => {
  t.equal(checkTlsAnswer(Buffer.from('S')), undefined);
  t.equal(checkTlsAnswer(Buffer.from('SS')), 'bytes-behind-answer');
  for (const answer of ['N', 'E', 's', '\0', 'NS']) {
    t.equal(checkTlsAnswer(Buffer.from(answer)), 'upstream-refuses-tls');
  }
});

t.test('encodes an ErrorResponse with severity, SQLSTATE and message', async (t) => {
  const response = encodeErrorResponse('plaintext-startup');
  t.equal(response.toString('latin1', 0, 1), 'E');
  t.equal(response.readUInt32BE(1), response.length - 1);
  const fields = response.toString('latin1', 5).split('\0');
  t.same(fields.slice(0, 3), ['SFATAL', 'VFATAL', 'C28000']);
  t.match(fields[3], /^MTLS is required/);
  t.same(fields.slice(4), ['', '']);
});
