/** What the proxy refuses: with a status, a code and what to do, and without asking the parent. */
import t from 'tap';
import { startEnds } from './support/both-ends.ts';
import { say } from './support/raw-client.ts';

const REFUSED: readonly [what: string, text: string, status: number, code: string][] = [
  ['origin form', 'GET / HTTP/1.1\r\nHost: web.example\r\n\r\n', 400, 'EGRESS_REQUEST'],
  ['asterisk form', 'OPTIONS * HTTP/1.1\r\nHost: web.example\r\n\r\n', 400, 'EGRESS_REQUEST'],
  ['https:// URLs', 'GET https://web.example/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'EGRESS_HTTPS_URL'],
  ['other schemes', 'GET ftp://web.example/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'EGRESS_REQUEST'],
  ['user information', 'GET http://u:secret@web.example/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'EGRESS_TARGET'],
  ['a backslash in the host', 'GET http://web.example\\@x/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'EGRESS_REQUEST'],
  ['a host that is escaped', 'GET http://web%2eexample/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'EGRESS_TARGET'],
  ['no host', 'GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'EGRESS_TARGET'],
  ['what no rule names', 'GET http://other.example/ HTTP/1.1\r\nHost: web.example\r\n\r\n', 403, 'EGRESS_UNLISTED'],
  [
    'a WebSocket',
    'GET http://web.example/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    501,
    'EGRESS_UPGRADE',
  ],
  [
    'a transfer coding of its own',
    'POST http://web.example/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    400,
    'EGRESS_REQUEST',
  ],
  [
    'both lengths',
    'POST http://web.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
    'EGRESS_REQUEST',
  ],
  [
    'two lengths',
    'POST http://web.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    400,
    'EGRESS_REQUEST',
  ],
  [
    'a length with a sign',
    'POST http://web.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc',
    400,
    'EGRESS_REQUEST',
  ],
  ['a space before a colon', 'GET http://web.example/ HTTP/1.1\r\nHost : x\r\n\r\n', 400, 'EGRESS_REQUEST'],
  ['a folded header', 'GET http://web.example/ HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n', 400, 'EGRESS_REQUEST'],
  ['bare line feeds', 'GET http://web.example/ HTTP/1.1\nHost: x\n\n', 400, 'EGRESS_REQUEST'],
  ['a NUL in a header', 'GET http://web.example/ HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n', 400, 'EGRESS_REQUEST'],
  ['noise', '\x16\x03\x01\x02\x00', 400, 'EGRESS_REQUEST'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'EGRESS_REQUEST'],
  [
    'a body of CONNECT',
    'CONNECT web.example:80 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc',
    400,
    'EGRESS_REQUEST',
  ],
  ['CONNECT without a port', 'CONNECT web.example HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'EGRESS_TARGET'],
  [
    'headers that are too long',
    `GET http://web.example/ HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(70_000)}\r\n\r\n`,
    431,
    'EGRESS_HEADERS',
  ],
];

t.test('refuses with status, code and what to do, and asks the parent nothing', async (t) => {
  const { port, host } = await startEnds(t, { enclave: { allow: ['web.example:80'] } });
  for (const [what, text, status, code] of REFUSED) {
    const answer = await say(port, text);
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what);
    const { error } = JSON.parse(answer.slice(answer.indexOf('{')));
    t.equal(error.code, code, what);
    t.ok(error.action, what);
    t.notMatch(answer, /secret/, what);
    t.match(answer, /Content-Type: application\/json\r\n/i);
    t.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, `${what}: nothing behind it was answered`);
  }
  t.same(host.status.outcomes, {});
});

t.test('ends a request in the middle of a body that cannot be read', async (t) => {
  const { port } = await startEnds(t, { enclave: { allow: ['web.example:80'] } });
  const head = 'POST http://web.example/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  for (const chunks of [
    '0x3\r\nabc\r\n0\r\n\r\n',
    '3\r\nabcd\r\n',
    '3\nabc\r\n',
    '-3\r\n',
    `3;${'a'.repeat(20_000)}\r\nabc`,
  ])
    t.match(await say(port, head + chunks), /^HTTP\/1\.1 4(00|13) /, chunks.slice(0, 10));
});
