/** Requests to a port of an application, as clients write them, and what its program answers: what the one hears of the other. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fuzzer } from '../support/fuzz.ts';
import { mutated } from '../support/hostile-bytes.ts';
import { portCase } from './support/port-case.ts';
import { streamCuts } from './support/reading.ts';
import { type StrictHead, strictBody, strictHead, valuesOf } from './support/strict-http.ts';

const parser = 'HTTP of ports';
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n';
const REQUEST = /^[A-Z-]+ (?:\/[^\s]*|\*) HTTP\/1\.1$/;
/** Names that programs of any kind take for ours: CGI knows no difference between `-`, `_` and `.`. */
const OURS = /^(?:forwarded|x[^a-z0-9]real[^a-z0-9]ip|x[^a-z0-9](?:forwarded|client[^a-z0-9]certificate)[^a-z0-9].*)$/i;
const OK = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');

const name = fc.constantFrom(
  'X-Forwarded-For',
  'x_forwarded_for',
  'X.Forwarded-Proto',
  'Forwarded',
  'FORWARDED',
  'X-Real_IP',
  'X-Client-Certificate-Subject',
  'x_client.certificate-sha256',
  'X-Client-Certificate',
  'Proxy',
  'Connection',
  'Upgrade',
  'Transfer-Encoding',
  'Content-Length',
  'Host',
  'Expect',
  'TE',
  'Trailer',
  'X-Own',
  'transfer_encoding',
  'Keep-Alive',
);
const value = fc.constantFrom(
  'forged',
  'chunked',
  'Chunked',
  'identity, chunked',
  '0',
  '5',
  `${HIDDEN.length}`,
  '5, 5',
  'close',
  'keep-alive, X-Forwarded-For',
  'Upgrade',
  'content-length, transfer-encoding, host',
  'websocket',
  'h2c',
  'a.test',
  '100-continue',
  'x\r\n y',
  'x\rX-Forwarded-For: forged',
  'x\nX-Forwarded-For: forged',
  '\x00',
  'ä',
);
const separator = fc.oneof(
  { weight: 9, arbitrary: fc.constant(': ') },
  fc.constantFrom(':', ' : ', ':\t', ':\x0b', ' '),
);
const fields = fc.array(fc.tuple(name, separator, value), { maxLength: 4 });
const method = fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'CONNECT', 'get');
const target = fc.constantFrom('/', '/a?b=c', '*', 'http://b/', '//b', '/\x80', '/ x', 'a');
const version = fc.oneof(
  { weight: 6, arbitrary: fc.constant('HTTP/1.1') },
  fc.constantFrom('HTTP/1.0', 'HTTP/2.0', ''),
);
const framed = fc.constantFrom(
  ['', ''],
  ['', HIDDEN],
  ['Content-Length: 5\r\n', 'hello'],
  [`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN],
  ['Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'],
  ['Transfer-Encoding: chunked\r\n', `5;a=b\r\nhello\r\n0\r\nX-Forwarded-For: forged\r\n\r\n${HIDDEN}`],
  ['Transfer-Encoding: chunked\r\n', `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`],
  ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${HIDDEN}`],
  ['Connection: Upgrade\r\nUpgrade: websocket\r\n', HIDDEN],
);
const request = fc
  .tuple(method, target, version, fields, framed)
  .map(([verb, path, protocol, more, [length, body]]) => {
    const lines = more.map(([of, between, is]) => `${of}${between}${is}\r\n`).join('');
    return `${verb} ${path} ${protocol}\r\nHost: a.test\r\n${lines}${length}\r\n${body}`;
  });
const requests = fc.array(request, { minLength: 1, maxLength: 2 }).map((all) => Buffer.from(all.join(''), 'latin1'));

const EXPECTED = (host: string) => [
  ['forwarded', `for="192.0.2.7";host="${host}";proto=https`],
  ['x-client-certificate-sha256', 'ab'],
  ['x-client-certificate-subject', 'CN=real'],
  ['x-forwarded-for', '192.0.2.7'],
  ['x-forwarded-host', host],
  ['x-forwarded-port', /:(\d{1,5})$/.exec(host)?.[1] ?? '443'],
  ['x-forwarded-proto', 'https'],
];

function holdsHead({ start, fields: all }: StrictHead): void {
  assert.match(start, REQUEST);
  const hosts = valuesOf(all, 'host');
  assert.equal(hosts.length, 1);
  const ours = all.filter(([each]) => OURS.test(each)).map(([each, is]) => [each.toLowerCase(), is]);
  assert.deepEqual(ours.toSorted(), EXPECTED(hosts[0] ?? ''));
  assert.deepEqual(valuesOf(all, 'proxy'), []);
  const upgrades = valuesOf(all, 'upgrade');
  assert.ok(upgrades.length === 0 || (upgrades.length === 1 && upgrades[0] === 'websocket'));
}

/** What it heard on one connection is one request, which nobody reads otherwise, and nothing behind it. */
function isWholeRequest(heard: string): boolean {
  const head = strictHead(heard);
  holdsHead(head);
  const { isWhole, rest } = strictBody(head);
  assert.equal(rest, '', 'something stands behind the request');
  return isWhole;
}

/** What is no request is answered, too: it is found behind. */
function isAnswerable(heard: string): boolean {
  try {
    return isWholeRequest(heard);
  } catch {
    return true;
  }
}

/** Of answers on one connection, in their order: each whole, but for the last where the connection was closed. */
function countAnswers(told: string, methods: readonly string[], isClosed: boolean): number {
  let rest = told;
  let count = 0;
  while (rest !== '') {
    assert.ok(count < methods.length, 'more answers than requests');
    const head = strictHead(rest);
    const [, status = ''] = /^HTTP\/1\.1 ([2-9]\d\d) [\t\x20-\x7e\x80-\xff]*$/.exec(head.start) ?? [];
    assert.notEqual(status, '', head.start);
    assert.ok(valuesOf(head.fields, 'connection').length === 1);
    const hasNone = methods[count] === 'HEAD' || status === '204' || status === '304';
    if (status === '204') assert.deepEqual(valuesOf(head.fields, 'content-length'), []);
    const body = hasNone ? { isWhole: true, rest: head.rest } : strictBody(head);
    assert.ok(body.isWhole || isClosed, 'an answer that does not end');
    count += 1;
    rest = body.rest;
  }
  return count;
}

const answer = fc
  .tuple(
    fc.constantFrom(
      'HTTP/1.1 200 OK',
      'HTTP/1.1 204 No Content',
      'HTTP/1.1 304 x',
      'HTTP/1.0 200',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK',
      'HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 404 No',
      'HTTP/1.1 101 Other',
    ),
    fields,
    fc.constantFrom(
      ['', 'until the end'],
      ['Content-Length: 4\r\n', 'four'],
      ['Content-Length: 4\r\n', `four${OK}`],
      ['Content-Length: 9\r\n', 'cut'],
      ['Transfer-Encoding: chunked\r\n', '4\r\nfour\r\n0\r\n\r\n'],
      ['Transfer-Encoding: chunked\r\n', '4\r\nfour\r\n'],
      ['Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ),
  )
  .map(([status, more, [length, body]]) => {
    const lines = more.map(([of, between, is]) => `${of}${between}${is}\r\n`).join('');
    return Buffer.from(`${status}\r\n${lines}${length}\r\n${body}`, 'latin1');
  });

const isHead = (heard: string) => heard.includes('\r\n\r\n');

export const HTTP_OF_PORTS = [
  fuzzer({
    parser,
    share: 0.1,
    name: 'gives the program one request on each connection, which can be read in one way, and of who asks our word alone',
    inputs: fc.tuple(mutated(requests), streamCuts),
    holds: async ([bytes, cuts]) => {
      const { heard, broke } = await portCase(bytes, cuts, (all) =>
        isHead(all) && isAnswerable(all) ? OK : undefined,
      );
      assert.ok(!broke);
      for (const all of heard) if (all !== '') isWholeRequest(all);
    },
  }),
  fuzzer({
    parser,
    share: 0.1,
    name: 'gives the client one answer to each request, in order and whole, or closes, whatever the program answers',
    inputs: fc.tuple(
      mutated(answer),
      fc.array(fc.constantFrom('GET', 'HEAD', 'OPTIONS'), { minLength: 1, maxLength: 2 }),
    ),
    holds: async ([said, methods]) => {
      const asked = methods.map((verb) => `${verb} / HTTP/1.1\r\nHost: a.test\r\n\r\n`).join('');
      const { told, isClosed, broke } = await portCase(Buffer.from(asked), [], (all) =>
        isHead(all) ? said : undefined,
      );
      assert.ok(!broke);
      const count = countAnswers(told, methods, isClosed);
      assert.ok(count > 0 || isClosed, 'nobody was told anything');
    },
  }),
];
