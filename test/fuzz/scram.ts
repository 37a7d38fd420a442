/** SCRAM as server and as client, the messages that carry it, and the texts of verifiers: nobody is let in by what is nearly right. */
import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { tlsServerEndPoint } from '../../postgres/scram/channel-binding.ts';
import { ScramClient } from '../../postgres/scram/client.ts';
import {
  AUTHENTICATION_OK,
  decodeAuthentication,
  decodeInitialResponse,
  decodeResponse,
  encodeAuthenticationSasl,
  encodeInitialResponse,
  encodeResponse,
  encodeSaslContinue,
  encodeSaslFinal,
} from '../../postgres/scram/sasl-messages.ts';
import { preparePassword } from '../../postgres/scram/saslprep.ts';
import { ScramServer } from '../../postgres/scram/server.ts';
import { parseVerifier } from '../../postgres/scram/verifier.ts';
import { decodeBase64, encodeBase64 } from '../../runtime/base64.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { CERTIFICATES } from '../postgres/scram/support/certificates.ts';
import { fuzzer } from '../support/fuzz.ts';
import { anyBytes, hostile, mutated } from '../support/hostile-bytes.ts';
import {
  BINDING,
  BOUND_FLAG,
  CLIENT_KEY,
  fixedRandom,
  honestAnswers,
  ITERATIONS,
  PLAIN,
  SALT,
  signedAnswers,
  VERIFIER,
  VERIFIER_TEXT,
  withoutProof,
} from './support/scram.ts';
import { laterValueOrState, valueOrState } from './support/value-or-state.ts';

const PLUS = `${PLAIN}-PLUS`;
const LOGIN_STATE = /^(08P01|28000|28P01)$/;
const mock = { secret: SecretBuffer.take(Buffer.alloc(32, 1)), iterations: ITERATIONS };
const OWN_NONCE = fixedRandom.bytes(18).toString('base64');

const HEADERS = ['n,,', 'y,,', `${BOUND_FLAG},,`];
const BARE = ['n=,r=client-nonce', 'n=app,r=x,x=y', 'n=,r=~'].map((text) => Buffer.from(text));
const header = fc.constantFrom(...HEADERS);
const beginnings = HEADERS.flatMap((flag) => BARE.map((rest) => ({ flag, rest, first: Buffer.from(flag + rest) })));
const isBound = (flag: string) => flag.startsWith('p');

function challengedServer(flag: string, first: Buffer) {
  const channelBinding = flag.startsWith('y') ? undefined : BINDING;
  const server = new ScramServer({ user: 'app', verifier: VERIFIER, mock, random: fixedRandom, channelBinding });
  return { server, challenge: () => server.start(isBound(flag) ? PLUS : PLAIN, first) };
}

function startedClient(flag: string) {
  const channelBinding = flag.startsWith('n') ? undefined : BINDING;
  const client = ScramClient.fromKeys({ ...VERIFIER, clientKey: CLIENT_KEY, random: fixedRandom, channelBinding });
  const { initialResponse } = client.start(isBound(flag) ? [PLUS, PLAIN] : [PLAIN]);
  return { client, bare: initialResponse.subarray(flag.length) };
}

const challenges = fc
  .tuple(
    fc.constantFrom(`${OWN_NONCE}theirs`, `${OWN_NONCE}theirs`, OWN_NONCE, `${OWN_NONCE.slice(1)}theirs`),
    fc.constantFrom(SALT.toString('base64'), SALT.toString('base64'), '', 'QQ==', 'QR=='),
    fc.constantFrom('4096', '4096', '4095', '04096', '100000', '100001'),
    fc.constantFrom('', '', ',', ',x=y'),
  )
  .map(([nonce, salt, iterations, behind]) => Buffer.from(`r=${nonce},s=${salt},i=${iterations}${behind}`));
const verifierTexts = fc
  .tuple(
    fc.constantFrom('4096', '4096', '04096', '4095', '100000', '100001'),
    fc.constantFrom(SALT.toString('base64'), SALT.toString('base64'), '', 'QQ==', 'QR=='),
    fc.constantFrom('', '', '\n', ':', '$'),
  )
  .map(([iterations, salt, behind]) =>
    VERIFIER_TEXT.toString()
      .replace(/\$.*?\$/, () => `$${iterations}:${salt}$`)
      .concat(behind),
  )
  .map((text) => Buffer.from(text));
/** Two certificates of nothing but the algorithm of their signature: ECDSA with SHA-256, and RSASSA-PSS with its own. */
const SMALL_CERTIFICATES = [
  '30113000300a06082a8648ce3d040302030100',
  '30233000301c06092a864886f70d01010a300fa00d300b0609608648016503040201030100',
].map((hex) => Buffer.from(hex, 'hex'));

/** How the logins of a client end that knows the password, and what a server says then that knows it. */
const CLIENT_ENDS = beginnings.map(({ flag, rest, first }) => {
  const serverFirst = challengedServer(flag, first).challenge();
  const unsigned = withoutProof(flag, serverFirst);
  return { flag, first, rest, serverFirst, unsigned, right: honestAnswers(flag, rest, serverFirst).clientFinal };
});
/** Of the same form, with another nonce, and with extensions. */
function nearlyUnsigned(unsigned: Buffer): Buffer[] {
  const text = unsigned.toString('latin1');
  return [text, text, text.replace(/.$/, '!'), `${text}x`, `${text},x=y`, `${text},`].map((each) => Buffer.from(each));
}
const SERVER_ENDS = HEADERS.map((flag) => {
  const serverFirst = Buffer.from(`r=${OWN_NONCE}theirs,s=${SALT.toString('base64')},i=${ITERATIONS}`);
  return { flag, serverFirst, right: honestAnswers(flag, startedClient(flag).bare, serverFirst).serverFinal };
});

export const SCRAM = [
  fuzzer({
    parser: 'SCRAM, server',
    name: 'challenges or refuses any beginning, and then lets in who knows the password',
    inputs: fc.tuple(header, hostile(fc.constantFrom(...beginnings.map(({ first }) => first)))),
    holds: ([flag, first]) => {
      const { server, challenge } = challengedServer(flag, first);
      const serverFirst = valueOrState(challenge, LOGIN_STATE);
      if (!serverFirst) return;
      const begin = first.toString('latin1').split(',', 1)[0];
      const { clientFinal, serverFinal } = honestAnswers(
        `${begin},,`,
        first.subarray(`${begin},,`.length),
        serverFirst,
      );
      assert.deepEqual(server.finish(clientFinal).serverFinal, serverFinal);
    },
  }),
  fuzzer({
    parser: 'SCRAM, server',
    name: 'lets nobody in by an end that is not the right one',
    inputs: fc.oneof(...CLIENT_ENDS.map((end) => hostile(fc.constant(end.right)).map((final) => ({ ...end, final })))),
    holds: ({ flag, first, right, final }) => {
      const { server, challenge } = challengedServer(flag, first);
      challenge();
      const done = valueOrState(() => server.finish(final), LOGIN_STATE);
      assert.equal(done !== undefined, final.equals(right));
      done?.clientKey.use((key) => CLIENT_KEY.use((own) => assert.deepEqual(key, own)));
    },
  }),
  fuzzer({
    parser: 'SCRAM, server',
    name: 'lets nobody in who knows the password and signs something else, or says more than that',
    inputs: fc.oneof(
      ...CLIENT_ENDS.map((end) =>
        fc
          .tuple(hostile(fc.constantFrom(...nearlyUnsigned(end.unsigned))), fc.constantFrom('', '', ',', ',x=y'))
          .map(([beginning, behind]) => ({ ...end, beginning, behind })),
      ),
    ),
    holds: ({ flag, first, rest, serverFirst, unsigned, beginning, behind }) => {
      const { server, challenge } = challengedServer(flag, first);
      challenge();
      const { clientFinal } = signedAnswers(rest, serverFirst, beginning);
      const final = Buffer.concat([clientFinal, Buffer.from(behind)]);
      if (valueOrState(() => server.finish(final), LOGIN_STATE) === undefined) return;
      assert.equal(behind, '');
      const extensions = beginning.subarray(unsigned.length).toString('latin1');
      assert.deepEqual(beginning.subarray(0, unsigned.length), unsigned);
      assert.match(extensions, /^(?:,[A-Za-z]=[^,\0]*)*$/);
    },
  }),
  fuzzer({
    parser: 'SCRAM, client',
    name: 'answers a challenge of its own login with the proof for it, or refuses it',
    inputs: fc.tuple(header, hostile(challenges)),
    holds: async ([flag, serverFirst]) => {
      const { client, bare: own } = startedClient(flag);
      const final = await laterValueOrState(client.continue(serverFirst), LOGIN_STATE);
      if (!final) return;
      assert.match(serverFirst.toString('latin1').slice(OWN_NONCE.length + 2), /^[^,]/);
      const answers = honestAnswers(flag, own, serverFirst);
      assert.deepEqual(final, answers.clientFinal);
      client.finish(answers.serverFinal);
      assert.ok(client.isProven);
    },
  }),
  fuzzer({
    parser: 'SCRAM, client',
    name: 'takes a challenge apart without keys, or refuses it',
    inputs: hostile(challenges),
    holds: (serverFirst) => {
      const client = ScramClient.asking({ random: fixedRandom, channelBinding: undefined });
      client.start([PLAIN]);
      const asked = valueOrState(() => client.challenge(serverFirst), LOGIN_STATE);
      if (!asked) return;
      const text = serverFirst.toString('latin1');
      assert.ok(text.startsWith(`r=${OWN_NONCE}`) && text[OWN_NONCE.length + 2] !== ',');
      assert.ok(text.endsWith(`,s=${asked.salt.toString('base64')},i=${asked.iterations}`));
      assert.ok(asked.iterations >= 4096 && asked.iterations <= 100_000);
    },
  }),
  fuzzer({
    parser: 'SCRAM, client',
    name: 'believes no server by an end that is not the right one',
    inputs: fc.oneof(
      ...SERVER_ENDS.map((end) =>
        hostile(fc.constantFrom(end.right, Buffer.from('e=invalid-proof'))).map((final) => ({ ...end, final })),
      ),
    ),
    holds: async ({ flag, serverFirst, right, final }) => {
      const { client } = startedClient(flag);
      await client.continue(serverFirst);
      valueOrState(() => client.finish(final), LOGIN_STATE);
      assert.equal(client.isProven, final.equals(right));
    },
  }),
  fuzzer({
    parser: 'SCRAM, messages',
    name: 'reads a message of a login and writes the same bytes, or refuses it',
    inputs: hostile(
      fc
        .oneof(
          fc.constantFrom(AUTHENTICATION_OK, encodeAuthenticationSasl([PLUS, PLAIN]), encodeAuthenticationSasl([])),
          anyBytes(30).map(encodeSaslContinue),
          anyBytes(30).map(encodeSaslFinal),
          anyBytes(30).map((data) => encodeInitialResponse(PLAIN, data)),
          anyBytes(30).map(encodeResponse),
        )
        .map((frame) => frame.subarray(5)),
    ),
    holds: (body) => {
      const told = valueOrState(() => decodeAuthentication(body), /^08P01$/);
      if (told?.kind === 'sasl') assert.deepEqual(encodeAuthenticationSasl(told.mechanisms).subarray(5), body);
      if (told?.kind === 'sasl-continue') assert.deepEqual(encodeSaslContinue(told.data).subarray(5), body);
      if (told?.kind === 'sasl-final') assert.deepEqual(encodeSaslFinal(told.data).subarray(5), body);
      if (told?.kind === 'ok') assert.deepEqual(AUTHENTICATION_OK.subarray(5), body);
      const initial = valueOrState(() => decodeInitialResponse(body), /^08P01$/);
      if (initial) assert.deepEqual(encodeInitialResponse(initial.mechanism, initial.data).subarray(5), body);
      const response = valueOrState(() => decodeResponse(body), /^08P01$/);
      if (response) assert.deepEqual(encodeResponse(response).subarray(5), body);
    },
  }),
  fuzzer({
    parser: 'SCRAM, verifiers',
    name: 'reads the one text of a verifier, or refuses it, and leaves it as it is',
    inputs: hostile(verifierTexts),
    holds: (text) => {
      const before = Buffer.from(text);
      const reading = parseVerifier(text);
      assert.deepEqual(text, before);
      if (reading.kind === 'refused') return;
      const { iterations, salt, storedKey, serverKey } = reading.verifier;
      assert.ok(iterations >= 4096 && iterations <= 100_000 && salt.length > 0);
      const [stored, server] = [storedKey, serverKey].map((key) => key.use((bytes) => bytes.toString('base64')));
      assert.equal(text.toString('latin1'), `${PLAIN}$${iterations}:${salt.toString('base64')}$${stored}:${server}`);
    },
  }),
  fuzzer({
    parser: 'SCRAM, verifiers',
    name: 'reads the one text of Base64 of some bytes, and any password, and leaves them as they are',
    inputs: fc.oneof(
      hostile(anyBytes(20).map(encodeBase64)),
      mutated(
        fc
          .constantFrom('pencil', 'p\u00e4ss', '\u00ad', '\u0627\u0031', '\u2168', '\u{e0001}')
          .map((text) => Buffer.from(text)),
      ),
    ),
    holds: (bytes) => {
      const before = Buffer.from(bytes);
      const decoded = decodeBase64(bytes);
      if (decoded) assert.deepEqual(encodeBase64(decoded), bytes);
      const prepared = preparePassword(bytes);
      assert.ok(prepared.length <= 20 * bytes.length);
      prepared.fill(0);
      assert.deepEqual(bytes, before);
    },
  }),
  fuzzer({
    parser: 'SCRAM, certificates',
    name: 'finds what a login is bound to in any certificate, or nothing',
    inputs: mutated(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...SMALL_CERTIFICATES) },
        fc.constantFrom(...CERTIFICATES.map(({ der }) => der)),
      ),
    ),
    holds: (raw) => {
      const binding = tlsServerEndPoint({ raw } as X509Certificate);
      assert.ok(binding === undefined || [28, 32, 48, 64].includes(binding.length));
    },
  }),
];
