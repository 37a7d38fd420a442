/**
 * A database that lies behind a real login: the session that is lied to ends or goes on in order, no other session of its identity
 * notices, and nobody is asked for anything that does not belong to a session.
 */
import t from 'tap';
import { liedToStack } from './support/attacked.ts';
import { holdLie } from './support/cases.ts';
import { HonestClient } from './support/honest.ts';
import { LIES } from './support/lies.ts';
import { pidOfIdentity } from './support/memory.ts';

t.test('a database that lies harms no session but the one that is lied to', { timeout: 300_000 }, async (t) => {
  const target = await liedToStack(t);
  const { enclave, parts } = target.stack;
  const honest = await HonestClient.start(t, target);
  const pids = () =>
    (['guard', 'acra'] as const).map((kind) => pidOfIdentity(enclave, kind, parts.certificates.client.certificatePem));
  const before = pids();
  for (const [name, lie] of Object.entries(LIES)) {
    await t.test(name, (t) => holdLie(t, target, honest, name, lie));
  }
  t.same(pids(), before, 'guard and acra-server are the same');
  await honest.end();
});
