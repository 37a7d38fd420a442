/** What strangers may take of attestation: so many at once, so many a second, so long, so many bytes; and nothing that is a session's. */
import { once } from 'node:events';
import t from 'tap';
import { SSL_REQUEST } from '../../../../postgres/start-up.ts';
import { ATTESTATION_ALPN } from '../../../../wire/requests/bounds.ts';
import { wholeClientHello } from '../../../abuse/support/client-hello.ts';
import { OwnRecords } from '../../../abuse/support/own-records.ts';
import { closed } from '../../../support/closed.ts';
import { Arrivals, lastWords } from '../support/arrivals.ts';
import { ANSWER, answerTo, ask, REQUEST, turn, untilAsked, untilCounts } from './support/asker.ts';

const HERE = '198.51.100.7';
const ELSEWHERE = '198.51.100.8';
const HELLO = await wholeClientHello({ ALPNProtocols: [ATTESTATION_ALPN] });

/** Of whoever has come to nothing. */
const outcomes = async (arrivals: Arrivals) => {
  const { attestations } = await arrivals.nextCounts();
  return Object.fromEntries(Object.entries(attestations).filter(([, count]) => count > 0));
};

t.test('closes what is too much of one address before its handshake, and serves others', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start({ attestation: { maxPerSecondPerAddress: 2, maxPerSecond: 3 } });
  for (let count = 0; count < 2; count++) (await ask(arrivals, HERE)).destroy();
  for (let count = 0; count < 50; count++) t.equal(await lastWords(await arrivals.dial(HERE, HELLO)), '');
  (await ask(arrivals, ELSEWHERE)).destroy();
  t.equal(await lastWords(await arrivals.dial('198.51.100.9', HELLO)), '', 'too much of all');
  const floods = arrivals.logger.records.filter(({ event }) => event === 'front.attestation-flood');
  t.match(floods, [{ level: 'warn', fields: { maxPerSecond: 3, address: HERE } }], 'told once');
  t.match(await outcomes(arrivals), { rate: 51, gone: 3 });
  (await ask(arrivals, HERE)).destroy();
});

t.test('counts nothing of it as a failure of a session’s address', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start({ limits: { maxFailuresPerSecond: 1 }, attestation: { maxPerSecond: 2 } });
  (await ask(arrivals, HERE)).destroy();
  (await arrivals.dial(HERE, Buffer.concat([HELLO, Buffer.alloc(100)]))).resume();
  for (let count = 0; count < 10; count++) await lastWords(await arrivals.dial(HERE, HELLO));
  await arrivals.logIn(HERE);
  await arrivals.untilSessions(1);
  t.match((await arrivals.nextCounts()).refused, { protocol: 0, gone: 0, late: 0, failures: 0 });
});

t.test('takes no place of one that is on its way to a session', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start({ limits: { maxPending: 1, maxConnectionsPerAddress: 1 } });
  const waiting = await arrivals.dial(HERE, SSL_REQUEST);
  await once(waiting, 'data');
  for (let count = 0; count < 5; count++) {
    const asking = await arrivals.dial(HERE, HELLO);
    await once(asking, 'data');
  }
  t.match(await arrivals.nextCounts(), { pending: 1, evicted: 0, attesting: 5 });
  t.notOk(waiting.destroyed);
});

t.test('ends the oldest that says nothing, of the address that has most, for the next', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start({ attestation: { maxConnections: 3 } });
  const asked = await ask(arrivals, HERE);
  asked.write(REQUEST);
  await untilAsked(arrivals, 1);
  const alone = await ask(arrivals, ELSEWHERE);
  const silent = await ask(arrivals, HERE);
  const next = await ask(arrivals, HERE);
  await closed(silent);
  next.write(REQUEST);
  alone.write(REQUEST);
  await untilAsked(arrivals, 3);
  const late = await arrivals.dial('198.51.100.9', HELLO);
  t.equal(await lastWords(late), '', 'everybody’s request is with the enclave');
  for (const id of [1, 2, 3]) arrivals.answer({ type: 'answer', id, answer: ANSWER });
  for (const client of [asked, next, alone]) t.same(await answerTo(client), ANSWER);
  t.match(await outcomes(arrivals), { places: 2, answered: 3 });
});

t.test('gives handshake, request and answer each their time', async (t) => {
  const arrivals = new Arrivals(t);
  const limits = { handshakeMs: 1_000, requestMs: 3_000, answerMs: 7_000 };
  await arrivals.start({ attestation: limits });
  const begun = await arrivals.dial(HERE, HELLO);
  await once(begun, 'data');
  arrivals.clock.advance(limits.handshakeMs);
  await closed(begun.resume());
  const silent = await ask(arrivals, HERE);
  silent.write(REQUEST.subarray(0, 20));
  while (!arrivals.clock.sleptMs.includes(limits.requestMs)) await turn();
  arrivals.clock.advance(limits.requestMs);
  t.equal(await answerTo(silent), undefined);
  const asking = await ask(arrivals, HERE);
  asking.write(REQUEST);
  await untilAsked(arrivals, 1);
  arrivals.clock.advance(limits.answerMs);
  t.equal(await answerTo(asking), undefined);
  t.same(await outcomes(arrivals), { late: 3 });
});

t.test('ends one that does not take its answer after a while', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const socket = await arrivals.dial(HERE);
  const client = await OwnRecords.over(socket, {
    ca: arrivals.authority.pem,
    ALPNProtocols: [ATTESTATION_ALPN],
    servername: 'records.test',
  });
  client.say(REQUEST);
  await untilAsked(arrivals, 1);
  socket.pause();
  const document = 'A'.repeat(16 * 1024);
  arrivals.answer({ type: 'answer', id: 1, answer: { type: 'attestation', document, statement: 'e30=' } });
  await turn();
  arrivals.clock.advance(2_000);
  const ended = closed(socket);
  socket.resume();
  await ended;
  const { attestations } = await untilCounts(arrivals, ({ attesting }) => attesting === 0);
  t.equal(attestations.answered, 1);
});

t.test('reads no more bytes than a request can have: new keys without end', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start({ limits: { maxFailuresPerSecond: 1 } });
  const socket = await arrivals.dial(HERE);
  const client = await OwnRecords.over(socket, {
    ca: arrivals.authority.pem,
    ALPNProtocols: [ATTESTATION_ALPN],
    servername: 'records.test',
  });
  const ended = closed(socket);
  let answered = 0;
  socket.on('data', (chunk: Buffer) => {
    answered += chunk.length;
  });
  client.askForKeys(5_000);
  await ended;
  t.ok(answered < 16 * 1024, `${answered} bytes of answers to 135,000`);
  t.same(await outcomes(arrivals), { protocol: 1 });
  await arrivals.logIn(HERE);
  await arrivals.untilSessions(1);
});
