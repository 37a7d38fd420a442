/** The head of an HTTP CONNECT request. */
import fc from 'fast-check';
import t from 'tap';
import {
  encodeRefusal,
  isAllowed,
  MAX_CONNECT_HEAD_BYTES,
  parseConnectRequest,
} from '../../../relay/preface/http-connect.ts';

function head(requestLine: string, ...fields: string[]): Buffer {
  return Buffer.from([requestLine, ...fields, '', ''].join('\r\n'), 'latin1');
}

t.test('takes the authority, with and without fields, in lower case', async (t) => {
  const plain = head('CONNECT kms.eu-west-1.amazonaws.com:443 HTTP/1.1');
  t.same(parseConnectRequest(plain), {
    kind: 'authority',
    authority: { host: 'kms.eu-west-1.amazonaws.com', port: 443 },
    length: plain.length,
  });
  const full = head('CONNECT KMS.Test:8443 HTTP/1.1', 'Host: KMS.Test:8443', 'User-Agent: x', 'Empty:');
  t.match(parseConnectRequest(Buffer.concat([full, Buffer.from('early')])), {
    kind: 'authority',
    authority: { host: 'kms.test', port: 8443 },
    length: full.length,
  });
  t.match(parseConnectRequest(head('CONNECT [2001:db8::1]:443 HTTP/1.1')), {
    authority: { host: '2001:db8::1', port: 443 },
  });
});

t.test('waits for the end of the head, but not for ever', async (t) => {
  t.equal(parseConnectRequest(Buffer.from('CONNECT a:1 HTTP/1.1\r\n')).kind, 'more');
  t.same(parseConnectRequest(Buffer.alloc(MAX_CONNECT_HEAD_BYTES, 'a')), { kind: 'refused', reason: 'too-long' });
});

for (const line of ['GET / HTTP/1.1', 'OPTIONS * HTTP/1.1']) {
  t.test(`rejects ${line} (method)`, async (t) => {
    t.same(parseConnectRequest(head(line)), { kind: 'refused', reason: 'method' });
  });
}

for (const [what, bytes] of [
  ['no port', head('CONNECT a HTTP/1.1')],
  ['port 0', head('CONNECT a:0 HTTP/1.1')],
  ['port 65536', head('CONNECT a:65536 HTTP/1.1')],
  ['a user', head('CONNECT u@a:1 HTTP/1.1')],
  ['a path', head('CONNECT a:1/ HTTP/1.1')],
  ['two spaces', head('CONNECT  a:1 HTTP/1.1')],
  ['HTTP/2', head('CONNECT a:1 HTTP/2')],
  ['a folded field', head('CONNECT a:1 HTTP/1.1', 'X: 1', ' folded')],
  ['a space before the colon', head('CONNECT a:1 HTTP/1.1', 'Host : a')],
  ['a bare line feed', head('CONNECT a:1 HTTP/1.1\nX: 1')],
  ['a control character', head('CONNECT a:1 HTTP/1.1', 'X: \0')],
  ['TLS', Buffer.from('\x16\x03\x01\r\n\r\n', 'latin1')],
] as const) {
  t.test(`rejects ${what} (malformed)`, async (t) => {
    t.same(parseConnectRequest(bytes), { kind: 'refused', reason: 'malformed' });
  });
}

t.test('allows exactly what is on the list', async (t) => {
  const allow = [{ host: 'KMS.test', port: 443 }];
  t.ok(isAllowed({ host: 'kms.test', port: 443 }, allow));
  t.notOk(isAllowed({ host: 'kms.test', port: 80 }, allow));
  t.notOk(isAllowed({ host: 'kms.test.', port: 443 }, allow));
  t.notOk(isAllowed({ host: 'evil-kms.test', port: 443 }, allow));
  t.notOk(isAllowed({ host: 'kms.test', port: 443 }, []));
});

t.test('answers refusals with the status of their reason', async (t) => {
  t.match(encodeRefusal('not-allowed').toString(), /^HTTP\/1\.1 403 Forbidden\r\n.*\r\n\r\n$/s);
  t.match(encodeRefusal('method').toString(), /\r\nAllow: CONNECT\r\n/);
});

t.test('gives a verdict on any bytes', async () => {
  const piece = fc.constantFrom(
    'CONNECT ',
    'a:1',
    ' HTTP/1.1',
    '\r\n',
    '\n',
    ':',
    'Host',
    '\0',
    '[::1]:5',
    ' ',
    '\xff',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''), 'latin1');
      const request = parseConnectRequest(bytes);
      return request.kind !== 'authority' || (request.length <= bytes.length && request.authority.port > 0);
    }),
    { seed: 1, numRuns: 2000 },
  );
});
