/** Certificates that are called back, and TLS sessions from before: nothing of a certificate outlives it. */
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { closed } from '../support/closed.ts';
import { step } from '../support/stack.ts';
import { type Attacked, attackedStack } from './support/attacked.ts';
import { HonestClient, holdHonest, tellHonest } from './support/honest.ts';
import { holdMemory, residents } from './support/memory.ts';
import { RawClient, secure, startupPacket } from './support/raw-client.ts';
import { revoke } from './support/revoke.ts';

const METRICS = { health: { metricsIntervalMs: 200 } };

/** How many the front has refused for that. */
async function refusedAsRevoked({ stack }: Attacked): Promise<number> {
  const { body } = await request(`${stack.enclave.adminUrl}/metrics`, { signal: step() });
  return Number(/^acra_enclave_front_refused_total\{reason="revoked"\} (\d+)/m.exec(await body.text())?.[1] ?? -1);
}

/** The front tells its supervisor once a second. */
async function untilCounted(target: Attacked, count: number): Promise<void> {
  const signal = step();
  while ((await refusedAsRevoked(target)) !== count) signal.throwIfAborted();
}

async function holdRefused(t: Test, secured: TLSSocket, what: string, words: RegExp): Promise<void> {
  t.notOk(secured.isSessionReused(), `${what}: a handshake of its own`);
  const client = new RawClient(secured);
  client.send(startupPacket());
  t.equal(await client.untilEnd(), 'ended');
  t.same([client.types, client.errors[0]?.sqlState], ['E', '28000'], what);
  t.match(client.errors[0]?.message, words);
}

/** All that a server handed out to come back with. */
async function sessionsOf(target: Attacked): Promise<Buffer[]> {
  const secured = await secure(target, target.attacker);
  const sessions: Buffer[] = [];
  secured.on('session', (session) => sessions.push(session));
  const client = new RawClient(secured);
  client.send(startupPacket());
  await client.untilType('Z');
  const own = secured.getSession();
  secured.destroy();
  return own ? [...sessions, own] : sessions;
}

/** As another image would be: the entry is measured, the enclave starts anew. */
async function replaceEnclave(target: Attacked): Promise<Attacked> {
  const { stack, attacker } = target;
  await stack.enclave.supervisor?.stop();
  revoke(stack.enclaveFolder, attacker);
  await stack.allowMeasuredEnclave();
  stack.enclave.startSupervisor();
  await stack.enclave.until(({ ready }) => ready, step());
  return { ...target, address: await stack.enclave.untilServing(step()) };
}

t.test('a certificate that is called back', { timeout: 180_000 }, async (t) => {
  const before = await attackedStack(t, { enclaveSettings: METRICS });
  await holdRefused(t, await secure(before, before.revoked), 'on the list from the beginning', /is revoked/);
  const sessions = await sessionsOf(before);
  const target = await replaceEnclave(before);
  const honest = await HonestClient.start(t, target);
  await holdRefused(t, await secure(target, target.attacker), 'called back meanwhile', /is revoked/);
  for (const [index, session] of sessions.entries()) {
    await holdRefused(t, await secure(target, target.attacker, { session }), `with session ${index}`, /is revoked/);
    await holdRefused(t, await secure(target, undefined, { session }), `with session ${index} alone`, /none was shown/);
  }
  await untilCounted(target, 1 + sessions.length);
  const report = await honest.report();
  tellHonest(t, 'meanwhile', report);
  holdHonest(t, 'meanwhile', report);
  const { enclave, parts } = target.stack;
  holdMemory(t, 'afterwards', residents(enclave, parts.certificates.client.certificatePem));
  await honest.end();
});

const OLDER: ConnectionOptions = { maxVersion: 'TLSv1.2' };
const ROUNDS = 20;

/** @returns how many of these handshakes do not come about */
async function refusedRounds(secured: TLSSocket): Promise<number> {
  const gone = closed(secured).then(() => true);
  let refused = 0;
  for (let count = 0; count < ROUNDS; count += 1) {
    const failed = new Promise<boolean>((resolve) => {
      if (!secured.destroyed) secured.renegotiate({}, (error) => resolve(error !== null));
    });
    if (await Promise.race([gone, failed])) refused += 1;
  }
  return refused;
}

t.test(
  'a client of TLS 1.2, where that is allowed, that wants handshake after handshake',
  { timeout: 180_000 },
  async (t) => {
    const target = await attackedStack(t, { enclaveSettings: { ingress: { minTls: 'TLSv1.2' } } });
    const honest = await HonestClient.start(t, target);
    for (const [when, says] of [
      ['before its session', false],
      ['in its session', true],
    ] as const) {
      const secured = await secure(target, target.attacker, OLDER);
      t.equal(secured.getProtocol(), 'TLSv1.2');
      const client = new RawClient(secured);
      if (says) {
        client.send(startupPacket());
        await client.untilType('Z');
      }
      t.equal(await refusedRounds(secured), ROUNDS, `${when}: none of ${ROUNDS} comes about`);
      secured.destroy();
    }
    const sessions: Buffer[] = [];
    const first = await secure(target, target.attacker, OLDER);
    first.on('session', (session) => sessions.push(session));
    const own = first.getSession();
    for (const session of own ? [...sessions, own] : sessions) {
      const again = await secure(target, undefined, { ...OLDER, session });
      await holdRefused(t, again, 'with the session of another handshake', /none was shown/);
    }
    first.destroy();
    const report = await honest.report();
    tellHonest(t, 'meanwhile', report);
    holdHonest(t, 'meanwhile', report);
    await honest.end();
  },
);
