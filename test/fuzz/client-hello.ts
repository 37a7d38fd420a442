/** ClientHellos, of which the front reads which protocols they name before OpenSSL reads them. */
import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { MAX_HELLO_BYTES, readClientHello } from '../../sessions/front/client-hello.ts';
import { untilHello } from '../../sessions/front/peek-hello.ts';
import { wholeClientHello } from '../abuse/support/client-hello.ts';
import { alpn, clientHello, extension, records } from '../sessions/front/support/client-hellos.ts';
import { fuzzer } from '../support/fuzz.ts';
import { anyBytes, hostile, mutated } from '../support/hostile-bytes.ts';
import { reading, streamCuts } from './support/reading.ts';

const parser = 'ClientHello';
const patient = new AbortController().signal;
const ALPN = 'acra-attestation/1';
const TRUE_ONE = await wholeClientHello({ ALPNProtocols: [ALPN] });

const names = fc.array(fc.constantFrom(ALPN, 'postgresql', 'h2', '\x0a\x0a'), { maxLength: 3 });
const extensions = fc.array(
  fc.oneof(
    names.map((all) => alpn(...all)),
    fc.tuple(fc.integer({ min: 0, max: 0xffff }), anyBytes(12)).map(([type, content]) => extension(type, content)),
  ),
  { maxLength: 4 },
);
/** Changed inside, then put into records again, or changed in its records too. */
const made = fc
  .tuple(
    extensions.chain((all) => mutated(fc.constant(clientHello(all)))),
    fc.integer({ min: 1, max: 200 }),
  )
  .map(([message, partBytes]) => records(message, partBytes));
const inputs = fc.oneof(made, hostile(made), hostile(fc.constant(TRUE_ONE)));

export const CLIENT_HELLO = [
  fuzzer({
    parser,
    name: 'says what one names, more or unreadable, as early as it can be told and never otherwise later',
    inputs: fc.tuple(inputs, fc.nat()),
    holds: ([bytes, at]) => {
      const verdict = readClientHello(bytes);
      const early = readClientHello(bytes.subarray(0, at % (bytes.length + 1)));
      if (early.kind !== 'more') assert.deepEqual(early, verdict);
      if (verdict.kind === 'more') assert.ok(bytes.length < MAX_HELLO_BYTES);
      if (verdict.kind !== 'hello') return;
      assert.ok(verdict.helloBytes <= Math.min(bytes.length, MAX_HELLO_BYTES));
      assert.equal(readClientHello(bytes.subarray(0, verdict.helloBytes - 1)).kind, 'more');
      for (const name of verdict.protocols) assert.ok(name.length > 0 && bytes.length > name.length);
    },
  }),
  fuzzer({
    parser,
    share: 0.1,
    name: 'is looked at on a stream from which nothing is taken, however it is cut',
    inputs: fc.tuple(inputs, streamCuts),
    holds: async ([bytes, cutsAt]) => {
      const read = (own: Duplex) => untilHello(own, patient);
      const { result, told, left } = await reading(read, bytes, cutsAt);
      const verdict = readClientHello(bytes);
      assert.equal(told.length, 0);
      if (typeof result === 'string') assert.deepEqual([result, verdict.kind], ['08006', 'more']);
      else assert.deepEqual([result, left], [verdict, bytes]);
    },
  }),
];
