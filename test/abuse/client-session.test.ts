/**
 * A client with a valid certificate that says what it should not: its session ends or goes on in order, and the other sessions of
 * the same identity, which go through the same guard and the same acra-server, notice nothing.
 */
import t from 'tap';
import { attackedStack } from './support/attacked.ts';
import { holdInsult } from './support/cases.ts';
import { HonestClient } from './support/honest.ts';
import { FALSE_VALUES, INSULTS } from './support/insults.ts';
import { pidOfIdentity } from './support/memory.ts';

t.test('a client that says what it should not', { timeout: 600_000 }, async (t) => {
  const target = await attackedStack(t);
  const { enclave, parts } = target.stack;
  const honest = await HonestClient.start(t, target);
  const pids = () =>
    (['guard', 'acra'] as const).map((kind) => pidOfIdentity(enclave, kind, parts.certificates.client.certificatePem));
  const before = pids();
  for (const [name, insult] of Object.entries({ ...INSULTS, ...FALSE_VALUES })) {
    await t.test(name, (t) => holdInsult(t, target, honest, name, insult));
  }
  t.same(pids(), before, 'guard and acra-server are the same');
  await honest.end();
});
