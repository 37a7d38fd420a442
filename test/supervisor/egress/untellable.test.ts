/** Answers of targets that Node reads, and that nobody may be told again as they are. */
import t from 'tap';
import { LOOPBACK, startEnds } from './support/both-ends.ts';
import { say } from './support/raw-client.ts';
import { listenAnywhere } from './support/targets.ts';

const NAMES = { 'web.example': ['127.0.0.1'] };

for (const [what, head] of Object.entries({
  'no last word': 'HTTP/1.1 101 Switching Protocols\r\n\r\nmore',
  'another coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n',
})) {
  t.test(`is 502 for an answer that nobody could read behind the proxy: ${what}`, async (t) => {
    const target = await listenAnywhere(t, (socket) => void socket.once('data', () => socket.end(head)));
    const { port } = await startEnds(t, { enclave: { allow: [`web.example:${target}`, LOOPBACK] }, names: NAMES });
    const answer = await say(port, `GET http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    t.match(answer, /^HTTP\/1\.1 502 .*EGRESS_ANSWER/s);
    t.notMatch(answer, /more/);
  });
}

t.test('tells no length of an answer that has no content', async (t) => {
  const head = 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n';
  const target = await listenAnywhere(t, (socket) => void socket.once('data', () => socket.end(head)));
  const { port } = await startEnds(t, { enclave: { allow: [`web.example:${target}`, LOOPBACK] }, names: NAMES });
  const answer = await say(port, `GET http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  t.match(answer, /^HTTP\/1\.1 204 /);
  t.notMatch(answer, /content-length/i);
});

/** Each is read by Node's client, and not written by its server: what it throws must end one exchange, not the enclave. */
for (const [what, head] of Object.entries({
  'a status that is none': 'HTTP/1.1 000 Nothing',
  'a status beyond all': 'HTTP/1.1 099 Less',
  'a reason with bytes that are no text': 'HTTP/1.1 200 O\x01K',
  'a value with bytes that are no text': 'HTTP/1.1 200 OK\r\nX: a\x01b',
  'a chunked answer that has no body': 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked',
})) {
  t.test(`answers 502, or as the target did, to ${what}`, async (t) => {
    const target = await listenAnywhere(t, (socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(`${head}\r\n\r\n`, 'latin1'));
    });
    const { port } = await startEnds(t, { enclave: { allow: [`web.example:${target}`, LOOPBACK] }, names: NAMES });
    const answer = await say(
      port,
      `GET http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    t.match(answer, /^HTTP\/1\.1 (502|200|204) /);
  });
}
