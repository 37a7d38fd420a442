/** Programs that are killed while clients work: what comes back, how soon, and who notices. */
import t from 'tap';
import { APPLICATION } from '../../cli/demo/database.ts';
import { childPid, step } from '../support/stack.ts';
import { type Attacked, attackedStack } from './support/attacked.ts';
import { HonestClient, holdHonest, tellHonest } from './support/honest.ts';
import { holdMemory, pidOfIdentity, residents } from './support/memory.ts';
import { backAfter, FLOOD_MS, forAWhile } from './support/pace.ts';
import { frame, RawClient } from './support/raw-client.ts';

const BACK_MS = 1_000;
/** A busy machine takes its time to start a program; what it took is told. */
const PATIENCE_MS = 10_000;

async function works(target: Attacked, certificate: Attacked['attacker']): Promise<boolean> {
  const client = await RawClient.open(target, certificate).catch(() => undefined);
  if (!client || client.socket.destroyed) return false;
  client.send(frame('Q', `SELECT email FROM patients LIMIT 1 /* ${APPLICATION.user} */\0`));
  const answered = await client.untilType('Z');
  client.socket.destroy();
  return answered === 'came' && client.errors.length === 0;
}

/** Until a session of that identity works again. */
const backMs = (target: Attacked, certificate: Attacked['attacker']) =>
  backAfter(PATIENCE_MS, () => works(target, certificate));

t.test('an acra-server that is killed every second', { timeout: 180_000 + 2 * FLOOD_MS }, async (t) => {
  const target = await attackedStack(t);
  const { enclave, parts } = target.stack;
  const { client, otherClients } = parts.certificates;
  const honest = await HonestClient.start(t, target);
  const other = await HonestClient.start(t, target, { certificate: otherClients[0] as Attacked['attacker'] });
  await other.report();
  await honest.report();
  let killed = 0;
  for (let passedMs = 0; passedMs < FLOOD_MS; passedMs += 1_000) {
    const pid = pidOfIdentity(enclave, 'acra', client.certificatePem);
    try {
      process.kill(pid, 'SIGKILL');
      killed += 1;
    } catch {
      // It has not been started again yet.
    }
    await forAWhile(1_000);
  }
  const report = await honest.report();
  tellHonest(t, `killed ${killed} times`, report);
  t.same({ lost: report.lost, wrong: report.wrong }, { lost: 0, wrong: 0 }, 'no session is lost, no answer wrong');
  t.same(report.sessions.failures, {}, 'new sessions come');
  for (const failure of Object.keys(report.statements.failures)) t.match(failure, /^58000 /, failure);
  const ofOther = await other.report();
  tellHonest(t, 'the other identity', ofOther);
  holdHonest(t, 'the other identity', ofOther);
  holdMemory(t, 'afterwards', residents(enclave, client.certificatePem));
  t.comment(`protected values again after ${await backMs(target, client)} ms`);
  await enclave.until(({ ready }) => ready, step());
  await Promise.all([honest.end(), other.end()]);
});

t.test('a guard that is killed costs its own identity its sessions, and is back', { timeout: 180_000 }, async (t) => {
  const target = await attackedStack(t);
  const { enclave, parts } = target.stack;
  const { client } = parts.certificates;
  const honest = await HonestClient.start(t, target);
  t.ok(await works(target, target.attacker));
  const acras = () => [client, target.attacker].map((each) => pidOfIdentity(enclave, 'acra', each.certificatePem));
  const before = [enclave.supervisor?.pid, childPid(enclave, 'front'), ...acras()];
  await honest.report();
  for (let count = 0; count < 3; count += 1) {
    process.kill(pidOfIdentity(enclave, 'guard', target.attacker.certificatePem), 'SIGKILL');
    const tookMs = await backMs(target, target.attacker);
    t.comment(`back after ${tookMs} ms, wanted ${BACK_MS}`);
    t.ok(tookMs < PATIENCE_MS);
  }
  const report = await honest.report();
  tellHonest(t, 'the other identity', report);
  holdHonest(t, 'the other identity', report);
  t.same([enclave.supervisor?.pid, childPid(enclave, 'front'), ...acras()], before, 'all else is the same process');
  await honest.end();
});

t.test('a front that is killed is back, and guards and acra-servers stay', { timeout: 180_000 }, async (t) => {
  const target = await attackedStack(t);
  const { enclave, parts } = target.stack;
  const identities = [parts.certificates.client, target.attacker];
  for (const each of identities) t.ok(await works(target, each));
  const others = () =>
    identities.flatMap(({ certificatePem }) => [
      pidOfIdentity(enclave, 'guard', certificatePem),
      pidOfIdentity(enclave, 'acra', certificatePem),
    ]);
  const before = [enclave.supervisor?.pid, ...others()];
  for (let count = 0; count < 3; count += 1) {
    process.kill(childPid(enclave, 'front'), 'SIGKILL');
    const tookMs = await backMs(target, target.attacker);
    t.comment(`back after ${tookMs} ms, wanted ${BACK_MS}`);
    t.ok(tookMs < PATIENCE_MS);
    t.ok(await works(target, parts.certificates.client));
  }
  t.same([enclave.supervisor?.pid, ...others()], before, 'all else is the same process');
  t.ok(enclave.supervisor?.exit === undefined);
});
