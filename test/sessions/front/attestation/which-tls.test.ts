/** Which TLS a connection gets: attestation's own for a ClientHello that names it alone, however it comes; sessions' for all others. */
import { once } from 'node:events';
import t from 'tap';
import { SSL_REQUEST } from '../../../../postgres/start-up.ts';
import { ATTESTATION_ALPN } from '../../../../wire/requests/bounds.ts';
import { wholeClientHello } from '../../../abuse/support/client-hello.ts';
import { Arrivals, lastWords } from '../support/arrivals.ts';
import { records } from '../support/client-hellos.ts';
import { ANSWER, answerTo, ask, questions, REQUEST, secureOver, turn, untilAsked } from './support/asker.ts';

const HERE = '198.51.100.7';
const HELLO = await wholeClientHello({ ALPNProtocols: [ATTESTATION_ALPN] });
/** An alert that ends the handshake, whichever (RFC 8446 section 6). */
const isFatalAlert = (words: string) => words.length === 7 && words.startsWith('\x15\x03\x03\x00\x02\x02');

t.test('knows attestation by its ClientHello, in one piece, byte by byte, and in many records', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const whole = await arrivals.dial(HERE, HELLO);
  await once(whole, 'data');
  const split = await arrivals.dial(HERE, records(HELLO.subarray(5), 100));
  await once(split, 'data');
  const slow = await arrivals.dial(HERE);
  for (const byte of HELLO) {
    slow.write(Buffer.of(byte));
    await turn();
  }
  await once(slow, 'data');
  t.match(await arrivals.nextCounts(), { attesting: 3, pending: 0 });
});

t.test('serves a session to a client that names both protocols, with the certificate that this takes', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  for (const ALPNProtocols of [
    ['postgresql', ATTESTATION_ALPN],
    [ATTESTATION_ALPN, 'postgresql'],
  ]) {
    const client = await ask(arrivals, HERE, { ALPNProtocols });
    t.equal(client.alpnProtocol, 'postgresql');
    client.write(REQUEST);
    t.match(await lastWords(client), /0A000.*unsupported frontend protocol/s, 'a request is no start-up packet');
  }
  t.same(questions(arrivals), []);
});

t.test('gives no TLS to attestation behind a request of PostgreSQL, or beside an unknown protocol', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const requested = await arrivals.dial(HERE, SSL_REQUEST);
  t.same(await once(requested, 'data'), [Buffer.from('S')]);
  requested.write(HELLO);
  t.ok(isFatalAlert(await lastWords(requested)));
  for (const protocols of [[ATTESTATION_ALPN, 'h2'], ['acra-attestation/2']]) {
    const hello = await wholeClientHello({ ALPNProtocols: protocols });
    t.ok(isFatalAlert(await lastWords(await arrivals.dial(HERE, hello))), protocols.join());
  }
  t.match((await arrivals.nextCounts()).refused, { protocol: 3 });
});

t.test(
  'leaves a ClientHello that does not come to its end to the limits of sessions, without a word in clear',
  async (t) => {
    const arrivals = new Arrivals(t);
    await arrivals.start({ limits: { tlsMs: 3_000 } });
    const begun = await arrivals.dial(HERE, HELLO.subarray(0, -1));
    while (!arrivals.clock.sleptMs.includes(3_000)) await turn();
    const before = arrivals.clock.sleeping;
    begun.write(HELLO.subarray(-1, -1));
    arrivals.clock.advance(3_000);
    t.equal(await lastWords(begun), '');
    t.ok(before > 0);
    t.match(await arrivals.nextCounts(), { refused: { late: 1 }, attestations: { late: 0 } });
  },
);

t.test(
  'speaks the TLS that is measured: 1.2 only where that is allowed, without resumption or renegotiation',
  async (t) => {
    const strict = new Arrivals(t);
    await strict.start();
    const old = await wholeClientHello({ ALPNProtocols: [ATTESTATION_ALPN], maxVersion: 'TLSv1.2' });
    t.ok(isFatalAlert(await lastWords(await strict.dial(HERE, old))));
    t.match((await strict.nextCounts()).attestations, { protocol: 1 });
    const lenient = new Arrivals(t);
    await lenient.start({ minTls: 'TLSv1.2' });
    let asked = 0;
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = await ask(lenient, HERE, { maxVersion });
      const sessions = [first.getSession()];
      first.on('session', (session) => sessions.push(session));
      if (maxVersion === 'TLSv1.2') {
        const refused = once(first, 'error');
        first.renegotiate({}, () => undefined);
        t.match(await refused, [{ message: /no renegotiation/ }]);
      }
      first.destroy();
      for (const session of sessions.filter((each) => each !== undefined)) {
        const again = await secureOver(lenient, await lenient.dial(HERE), { maxVersion, session });
        t.notOk(again.isSessionReused(), maxVersion);
        again.write(REQUEST);
        asked += 1;
        await untilAsked(lenient, asked);
        lenient.answer({ type: 'answer', id: asked, answer: ANSWER });
        t.same(await answerTo(again), ANSWER);
      }
    }
  },
);
