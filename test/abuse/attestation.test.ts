/**
 * Strangers that ask what the enclave is, without a certificate: whatever they say, they get a document or a refusal and nothing else, and
 * however many they are, sessions go on. How long those take is told, and stands in docs/abuse.md.
 */
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { FrameReader } from '../../wire/control/frame.ts';
import { ATTESTATION_ALPN, MAX_ANSWER_BYTES } from '../../wire/requests/bounds.ts';
import { parseEnclaveAnswer } from '../../wire/requests/messages.ts';
import { ATTACKER, type Attacked, attackedStack, FEW_SESSIONS } from './support/attacked.ts';
import { REQUEST, secureForAttestation, untilSecure } from './support/attestation.ts';
import { ATTESTATION_FLOODS, HTTP_LISTENER } from './support/attestation-floods.ts';
import { type AttestationInsult, attestationInsults } from './support/attestation-insults.ts';
import { holdFloods } from './support/cases.ts';
import { wholeClientHello } from './support/client-hello.ts';
import { HonestClient, holdHonest, tellHonest } from './support/honest.ts';
import { dripped, FLOOD_MS } from './support/pace.ts';
import { dial, drain, RawClient, secure, startupPacket } from './support/raw-client.ts';

/** Longer than any limit of the endpoint, or of a session's handshake. */
const MAX_MS = 17_000;
/** What is said is tried here, not how often. */
const OFTEN = {
  enclaveSettings: { ingress: { limits: { attestation: { maxPerSecond: 1_000, maxPerSecondPerAddress: 1_000 } } } },
};

/** All that has come: whole answers and no byte more. */
function answersIn(bytes: Buffer): string[] {
  const reader = new FrameReader(MAX_ANSWER_BYTES);
  const payloads = [...reader.push(bytes)];
  const taken = payloads.reduce((sum, payload) => sum + 4 + payload.length, 0);
  if (taken !== bytes.length) throw new Error(`${bytes.length - taken} bytes that are no answer`);
  return payloads.map((payload) => {
    const answer = parseEnclaveAnswer(payload);
    return answer.type === 'attestation' ? 'document' : answer.code;
  });
}

async function holdInsult(t: Test, target: Attacked, name: string, { says, gets, options }: AttestationInsult) {
  const secured = await untilSecure(secureForAttestation(target, ATTACKER, options));
  t.equal(secured.alpnProtocol, ATTESTATION_ALPN);
  const said = drain(secured);
  secured.write(says);
  t.same(answersIn(await said), [gets], name);
}

t.test('strangers that say what they should not', { timeout: 120_000 }, async (t) => {
  const target = await attackedStack(t, OFTEN);
  const honest = await HonestClient.start(t, target);
  const { certificatePem: cert, privateKeyPem: key } = target.attacker;
  for (const [name, insult] of Object.entries(attestationInsults({ cert, key }))) {
    await holdInsult(t, target, name, insult);
  }
  const both = await secure(target, target.attacker, { ALPNProtocols: [ATTESTATION_ALPN, 'postgresql'] });
  t.equal(both.alpnProtocol, 'postgresql', 'who names both wants a session');
  const session = new RawClient(both);
  session.send(startupPacket());
  t.equal(await session.untilType('Z'), 'came');
  session.socket.destroy();
  const report = await honest.report();
  tellHonest(t, 'meanwhile', report);
  holdHonest(t, 'meanwhile', report);
  await honest.end();
});

/** Early data that nobody has a key for (RFC 8446 section 4.2.10). */
const EARLY = Buffer.concat(
  Array.from({ length: 4 }, () => Buffer.concat([Buffer.of(0x17, 3, 3, 0x40, 0), Buffer.alloc(16_384)])),
);

t.test('strangers that say too little, too slowly, or too early', { timeout: 120_000 }, async (t) => {
  const target = await attackedStack(t, OFTEN);
  const honest = await HonestClient.start(t, target);
  const hello = await wholeClientHello({ ALPNProtocols: [ATTESTATION_ALPN] });
  const begun = (...bytes: Buffer[]) => {
    const socket = dial(target, ATTACKER);
    for (const part of bytes) socket.write(part);
    return socket;
  };
  const slow = begun();
  dripped(slow, hello, 500);
  const asked = await untilSecure(secureForAttestation(target));
  asked.write(REQUEST.subarray(0, -1));
  const loud = await untilSecure(secureForAttestation(target));
  loud.write(Buffer.alloc(1_000_000));
  const STAGES: Readonly<Record<string, Socket>> = {
    'a ClientHello byte by byte': slow,
    'half a ClientHello': begun(hello.subarray(0, 100)),
    'a ClientHello and nothing more': begun(hello),
    'a ClientHello and early data': begun(hello, EARLY),
    'a ClientHello and junk': begun(hello, Buffer.alloc(100_000, 0x2a)),
    'a handshake and nothing more': await untilSecure(secureForAttestation(target)),
    'a request without its last byte': asked,
    'a megabyte': loud,
  };
  await Promise.all(
    Object.entries(STAGES).map(async ([name, socket]) => {
      const beganMs = performance.now();
      const said = await drain(socket);
      const tookMs = performance.now() - beganMs;
      t.ok(tookMs < MAX_MS, `${name}: ended after ${(tookMs / 1000).toFixed(1)} s, told ${said.length} bytes`);
    }),
  );
  const report = await honest.report();
  tellHonest(t, 'meanwhile', report);
  holdHonest(t, 'meanwhile', report);
  await honest.end();
});

t.test('floods of requests for attestation', { timeout: 60_000 + 10 * (FLOOD_MS + 30_000) }, async (t) => {
  await holdFloods(t, await attackedStack(t, { ...FEW_SESSIONS, ...HTTP_LISTENER }), ATTESTATION_FLOODS);
});
