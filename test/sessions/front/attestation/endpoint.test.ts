/** Attestation on the public port: one request, one answer, end, for whoever asks; and nothing else behind that protocol. */
import { once } from 'node:events';
import type { ConnectionOptions } from 'node:tls';
import t from 'tap';
import { encodeStartupMessage } from '../../../../postgres/startup-message.ts';
import { ATTESTATION_ALPN } from '../../../../wire/requests/bounds.ts';
import { wholeClientHello } from '../../../abuse/support/client-hello.ts';
import { closed } from '../../../support/closed.ts';
import { Arrivals } from '../support/arrivals.ts';
import { ANSWER, answerTo, ask, frame, questions, REQUEST, turn, untilAsked, untilCounts } from './support/asker.ts';

const HERE = '198.51.100.7';

t.test('passes a request on unread, and its answer back, then ends', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const client = await ask(arrivals, HERE);
  t.equal(client.alpnProtocol, 'acra-attestation/1');
  t.equal(client.getProtocol(), 'TLSv1.3');
  client.write(REQUEST);
  const [question] = await untilAsked(arrivals, 1);
  t.same(question, { type: 'request', id: 1, payload: REQUEST.subarray(4).toString('base64') });
  arrivals.answer({ type: 'answer', id: 2, answer: { type: 'refusal', code: 'OTHER', message: 'for somebody else' } });
  arrivals.answer({ type: 'answer', id: 1, answer: ANSWER });
  arrivals.answer({ type: 'answer', id: 1, answer: ANSWER });
  t.same(await answerTo(client), ANSWER);
  // What tells the counts still sleeps, and no deadline.
  while (arrivals.clock.sleeping > 1) await turn();
  t.match(await arrivals.nextCounts(), { attesting: 0, attestations: { answered: 1 }, pending: 0, open: 0 });
  t.same(
    arrivals.told.filter(({ type }) => type === 'guard-wanted'),
    [],
    'nobody was asked for a guard',
  );
});

t.test('gives each of many its own answer', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const clients = await Promise.all(Array.from({ length: 5 }, () => ask(arrivals, HERE)));
  for (const [index, client] of clients.entries()) client.write(frame(`{"${index}":0}`));
  for (const { id, payload } of (await untilAsked(arrivals, 5)).toReversed()) {
    const answer = { type: 'refusal', code: 'ECHO', message: Buffer.from(payload, 'base64').toString() } as const;
    arrivals.answer({ type: 'answer', id, answer });
  }
  for (const [index, client] of clients.entries()) t.match(await answerTo(client), { message: `{"${index}":0}` });
  t.match((await arrivals.nextCounts()).attestations, { refused: 5 });
});

t.test('asks for no certificate, and opens nothing to one that is shown unasked', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const client = await ask(arrivals, HERE, { cert: arrivals.client.pem, key: arrivals.client.keyPem });
  // Its length counts itself, unlike that of a request.
  const startup = encodeStartupMessage({ minor: 0, parameters: new Map([['user', 'app']]) });
  client.write(Buffer.concat([startup, Buffer.alloc(4)]));
  const [question] = await untilAsked(arrivals, 1);
  t.match(Buffer.from(question?.payload ?? '', 'base64').toString('latin1'), /app/, 'a request like any other');
  client.destroy();
  t.equal(arrivals.sessions.length, 0);
});

t.test('answers the first request of a pipeline, and reads no other', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const client = await ask(arrivals, HERE);
  client.write(Buffer.concat([REQUEST, REQUEST, frame('x')]));
  await untilAsked(arrivals, 1);
  client.write(REQUEST);
  arrivals.answer({ type: 'answer', id: 1, answer: ANSWER });
  t.same(await answerTo(client), ANSWER);
  t.equal(questions(arrivals).length, 1);
});

for (const statedBytes of [0xffff_ffff, 0x8000_0000, 1_025]) {
  t.test(`refuses a request of ${statedBytes} bytes (REQUEST_MALFORMED), unread`, async (t) => {
    const arrivals = new Arrivals(t);
    await arrivals.start();
    const client = await ask(arrivals, HERE);
    client.write(frame('{', statedBytes));
    t.match(await answerTo(client), { type: 'refusal', code: 'REQUEST_MALFORMED' });
    t.same(questions(arrivals), []);
    t.match((await arrivals.nextCounts()).attestations, { refused: 1 });
  });
}

t.test('passes on what comes byte by byte, and a request of no bytes', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const slow = await ask(arrivals, HERE);
  for (const byte of REQUEST) slow.write(Buffer.of(byte));
  const [question] = await untilAsked(arrivals, 1);
  t.equal(question?.payload, REQUEST.subarray(4).toString('base64'));
  (await ask(arrivals, HERE)).write(frame(''));
  t.equal((await untilAsked(arrivals, 2))[1]?.payload, '');
  slow.destroy();
});

t.test('answers one that has closed its side behind its request', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const client = await ask(arrivals, HERE, { allowHalfOpen: true } as ConnectionOptions);
  client.end(REQUEST);
  await untilAsked(arrivals, 1);
  for (let turns = 0; turns < 20; turns++) await turn();
  arrivals.answer({ type: 'answer', id: 1, answer: ANSWER });
  t.same(await answerTo(client), ANSWER);
  t.match((await arrivals.nextCounts()).attestations, { answered: 1 });
});

t.test('forgets one that closes its side in its handshake, or before its request has come', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const begun = await arrivals.dial(HERE, await wholeClientHello({ ALPNProtocols: [ATTESTATION_ALPN] }));
  await once(begun, 'data');
  begun.end();
  const { attesting } = await untilCounts(arrivals, ({ attestations }) => attestations.gone === 1);
  t.equal(attesting, 0);
  const client = await ask(arrivals, HERE, { allowHalfOpen: true } as ConnectionOptions);
  client.end(REQUEST.subarray(0, -1));
  t.equal(await answerTo(client), undefined);
  await untilCounts(arrivals, ({ attestations }) => attestations.gone === 2);
});

t.test('forgets one that leaves before its answer', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const client = await ask(arrivals, HERE);
  client.write(REQUEST);
  await untilAsked(arrivals, 1);
  client.destroy();
  await closed(client);
  t.equal((await untilCounts(arrivals, ({ attestations }) => attestations.gone === 1)).attesting, 0);
  arrivals.answer({ type: 'answer', id: 1, answer: ANSWER });
});

t.test('gives a connection to the key of before no attestation of another (REQUEST_KEY_CHANGED)', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const [waiting, silent] = [await ask(arrivals, HERE), await ask(arrivals, HERE)];
  waiting.write(REQUEST);
  await untilAsked(arrivals, 1);
  arrivals.show({ isOfAnotherKey: true });
  silent.write(REQUEST);
  const later = await ask(arrivals, HERE);
  later.write(REQUEST);
  for (const { id } of await untilAsked(arrivals, 3)) arrivals.answer({ type: 'answer', id, answer: ANSWER });
  for (const each of [waiting, silent]) t.match(await answerTo(each), { type: 'refusal', code: 'REQUEST_KEY_CHANGED' });
  t.same(await answerTo(later), ANSWER);
});

t.test('answers over a certificate that was renewed for the same key meanwhile', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const client = await ask(arrivals, HERE);
  client.write(REQUEST);
  await untilAsked(arrivals, 1);
  arrivals.show({ isOfAnotherKey: false });
  arrivals.answer({ type: 'answer', id: 1, answer: ANSWER });
  t.same(await answerTo(client), ANSWER);
});
