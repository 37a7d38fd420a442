/**
 * Floods of one attacker while an honest client works: all that the honest one asks succeeds, memory and logs stay bounded. How long it
 * takes is told, and stands in docs/abuse.md.
 */
import { statSync } from 'node:fs';
import t from 'tap';
import { attackedStack } from './support/attacked.ts';
import { FLOODS } from './support/floods.ts';
import { HonestClient, holdHonest, tellHonest } from './support/honest.ts';
import { holdMemory, residents } from './support/memory.ts';
import { FLOOD_MS, forAWhile } from './support/pace.ts';

/** What a daemon may write down of a flood (20 records of a kind a minute, and a summary). */
const MAX_LOG_BYTES = 200_000;

t.test('floods', { timeout: 60_000 + 12 * (FLOOD_MS + 30_000) }, async (t) => {
  const target = await attackedStack(t);
  const { enclave, parts } = target.stack;
  const honest = await HonestClient.start(t, target);
  const { certificatePem } = parts.certificates.client;
  const logBytes = () => [enclave.supervisor, enclave.hostProxy].map((daemon) => statSync(daemon?.logFile ?? '').size);
  await honest.report();
  await forAWhile(FLOOD_MS);
  const quiet = await honest.report();
  tellHonest(t, 'quiet', quiet);
  holdMemory(t, 'quiet', residents(enclave, certificatePem));
  for (const [name, flood] of Object.entries(FLOODS)) {
    await t.test(name, async (t) => {
      const before = logBytes();
      t.comment(await flood(target));
      const during = await honest.report();
      tellHonest(t, name, during);
      holdHonest(t, name, during);
      holdMemory(t, name, residents(enclave, certificatePem));
      for (const [index, bytes] of logBytes().entries()) {
        const written = bytes - (before[index] ?? 0);
        t.ok(written < MAX_LOG_BYTES, `${['supervisor', 'host-proxy'][index]} wrote ${written} bytes`);
      }
    });
  }
  await forAWhile(FLOOD_MS);
  tellHonest(t, 'afterwards', await honest.report());
  t.equal(enclave.supervisor?.exit ?? enclave.hostProxy?.exit, undefined);
  await honest.end();
});
