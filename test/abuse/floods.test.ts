/**
 * Floods of one attacker while an honest client works: all that the honest one asks succeeds, memory and logs stay bounded. How long it
 * takes is told, and stands in docs/abuse.md.
 */
import t from 'tap';
import { attackedStack, FEW_SESSIONS } from './support/attacked.ts';
import { holdFlood } from './support/cases.ts';
import { FLOODS } from './support/floods.ts';
import { HonestClient, tellHonest } from './support/honest.ts';
import { holdMemory, residents } from './support/memory.ts';
import { FLOOD_MS, forAWhile } from './support/pace.ts';

t.test('floods', { timeout: 60_000 + 14 * (FLOOD_MS + 30_000) }, async (t) => {
  const target = await attackedStack(t, FEW_SESSIONS);
  const { enclave, parts } = target.stack;
  const honest = await HonestClient.start(t, target);
  await honest.report();
  await forAWhile(FLOOD_MS);
  tellHonest(t, 'quiet', await honest.report());
  holdMemory(t, 'quiet', residents(enclave, parts.certificates.client.certificatePem));
  for (const [name, flood] of Object.entries(FLOODS)) {
    await t.test(name, (t) => holdFlood(t, target, honest, name, flood));
  }
  await honest.report();
  await forAWhile(FLOOD_MS);
  tellHonest(t, 'afterwards', await honest.report());
  t.equal(enclave.supervisor?.exit ?? enclave.hostProxy?.exit, undefined);
  await honest.end();
});
