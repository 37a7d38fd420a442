/** Requests that two servers could read in two ways: none of them reaches the program, or only what both read, and no byte behind it. */
import t from 'tap';
import { rawExchange } from '../support/http-client.ts';
import { PortsRig } from '../support/ports-rig.ts';
import { byteProgram } from '../support/programs.ts';

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (...fields: readonly string[]) => `POST / HTTP/1.1\r\nHost: a\r\n${fields.join('\r\n')}\r\n\r\n`;
const get = (head: string) => `${head}\r\n\r\n`;

const REFUSED: Readonly<Record<string, string>> = {
  'length and chunks': `${post('Content-Length: 6', 'Transfer-Encoding: chunked')}0\r\n\r\n${HIDDEN}`,
  'chunks and length': `${post('Transfer-Encoding: chunked', 'Content-Length: 6')}0\r\n\r\n${HIDDEN}`,
  'two lengths': `${post('Content-Length: 0', `Content-Length: ${HIDDEN.length}`)}${HIDDEN}`,
  'the same length twice': post('Content-Length: 0', 'Content-Length: 0'),
  'a list of lengths': `${post(`Content-Length: 0, ${HIDDEN.length}`)}${HIDDEN}`,
  'a length with a sign': `${post('Content-Length: +4')}four`,
  'a negative length': post('Content-Length: -1'),
  'a length in hex': `${post('Content-Length: 0x4')}four`,
  'a length too long for a number': post('Content-Length: 99999999999999999999'),
  'a coding that is none': `${post('Transfer-Encoding: xchunked')}0\r\n\r\n`,
  'chunked twice': `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  'chunked, then something': `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n`,
  'another coding before it': `${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
  'a space before the colon': `${post('Transfer-Encoding : chunked')}0\r\n\r\n`,
  'a tab before the colon': `${post('Transfer-Encoding\t: chunked')}0\r\n\r\n`,
  'a form feed before the value': `${post('Transfer-Encoding: \x0cchunked')}0\r\n\r\n`,
  'a folded line': `${post('X: y', ' Transfer-Encoding: chunked')}0\r\n\r\n`,
  'a line that begins with a space': get('GET / HTTP/1.1\r\n Host: a'),
  'NUL in a value': get('GET / HTTP/1.1\r\nHost: a\r\nX: \0'),
  'CR alone': get('GET / HTTP/1.1\r\nHost: a\r\nX: y\rContent-Length: 5'),
  'LF alone at the end of lines': 'GET / HTTP/1.1\nHost: a\n\n',
  'chunks of a size that is none': `${post('Transfer-Encoding: chunked')}0x1\r\nx\r\n0\r\n\r\n`,
  'chunks of a size too long': `${post('Transfer-Encoding: chunked')}fffffffffffffffff\r\nx\r\n0\r\n\r\n`,
  'a chunk longer than it says': `${post('Transfer-Encoding: chunked')}1\r\nxyz\r\n0\r\n\r\n`,
  'a chunk that ends in LF alone': `${post('Transfer-Encoding: chunked')}1\nx\n0\n\n`,
  'chunks in HTTP/1.0': `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'no host': get('GET / HTTP/1.1'),
  'an empty host': get('GET / HTTP/1.1\r\nHost:'),
  'two hosts': get('GET / HTTP/1.1\r\nHost: a\r\nHost: b'),
  'a host with a path': get('GET / HTTP/1.1\r\nHost: a/b'),
  'a host with a user': get('GET / HTTP/1.1\r\nHost: a@b'),
  'a host with quotes': get('GET / HTTP/1.1\r\nHost: a"b'),
  'an absolute target': get('GET http://b/ HTTP/1.1\r\nHost: a'),
  'a target that is no path': get('GET a HTTP/1.1\r\nHost: a'),
  'a tunnel': get('CONNECT b:443 HTTP/1.1\r\nHost: b:443'),
  'a space in the target': get('GET / x HTTP/1.1\r\nHost: a'),
  'no version': 'GET /\r\n\r\n',
  'HTTP/0.9': get('GET / HTTP/0.9\r\nHost: a'),
  'HTTP/2.0': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'HTTP/1.2': get('GET / HTTP/1.2\r\nHost: a'),
  'a body before another protocol': `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n\r\nfour`,
  'a length behind more fields than are kept': get(
    `GET / HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(1_200)}Content-Length: 4`,
  ),
  'a head that does not end in 16 KiB': get(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}`),
};

for (const [what, bytes] of Object.entries(REFUSED)) {
  t.test(`rejects ${what}`, async (t) => {
    const seen: Buffer[] = [];
    const { port } = await byteProgram(t, (socket) => {
      socket.on('data', (chunk: Buffer) => seen.push(chunk));
      socket.on('end', () => socket.end());
    });
    const rig = await PortsRig.start(t, { programPort: port, protocol: 'http' });
    const all = await rawExchange(rig, bytes);
    t.match(all, /^(HTTP\/1.1 4\d\d .*)?$/s, 'refused, or closed without a word');
    const said = Buffer.concat(seen).toString('latin1');
    t.notMatch(said, /hidden/);
    // What begins well may reach the program up to its fault.
    if (!/^a chunk|^chunks of/.test(what)) t.equal(said, '');
    t.notMatch(said, /0\r\n\r\n$/, 'no end of what had none');
  });
}

t.test('never passes on what stands behind a request as a part of it', async (t) => {
  const seen: string[] = [];
  const { port } = await byteProgram(t, (socket) => {
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (!said.endsWith('\r\n\r\n')) return;
      seen.push(said);
      socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    });
  });
  const rig = await PortsRig.start(t, { programPort: port, protocol: 'http' });
  const first = post('Content-Length: 0');
  const last = get('GET /last HTTP/1.1\r\nHost: a\r\nConnection: close');
  t.equal((await rawExchange(rig, first + HIDDEN + last)).match(/HTTP\/1.1 204/g)?.length, 3);
  t.match(seen, [/^POST \/ /, /^GET \/hidden /, /^GET \/last /]);
  t.equal(seen.join('').match(/HTTP\/1.1/g)?.length, 3);
});
