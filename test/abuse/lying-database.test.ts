/**
 * A database that lies behind a real login: the session that is lied to ends or goes on in order, no other session of its identity
 * notices, and nobody is asked for anything that does not belong to a session.
 */
import t from 'tap';
import { type LiedTo, liedToStack } from './support/attacked.ts';
import { HonestClient, tellHonest } from './support/honest.ts';
import { type DatabaseLie, LIES } from './support/lies.ts';
import { holdMemory, residents } from './support/memory.ts';
import { frame, RawClient } from './support/raw-client.ts';

/** One lie told to one session; @returns the client and what the database has heard of it */
async function tell(target: LiedTo, name: string, { lie, asks }: DatabaseLie) {
  const { database, stack } = target;
  database.lies.set(name, lie);
  const client = await RawClient.open(target, stack.parts.certificates.client, { application_name: name });
  client.send(asks ?? frame('Q', 'SELECT id, email FROM patients LIMIT 1\0'));
  return client;
}

t.test('a database that lies harms no session but the one that is lied to', async (t) => {
  const target = await liedToStack(t);
  const { stack, database } = target;
  const honest = await HonestClient.start(t, target);
  for (const [name, told] of Object.entries(LIES)) {
    await t.test(name, async (t) => {
      const client = await tell(target, name, told);
      if (told.ends === undefined) {
        t.equal(await client.untilType('Z'), 'came', 'the session goes on');
        client.socket.destroy();
      } else {
        t.equal(await client.untilEnd(), 'ended');
        const [last] = client.errors.slice(-1);
        t.equal(last?.sqlState ?? 'without a word', told.ends, last?.message ?? '');
      }
      t.notMatch(client.types, /[RGWv]/, 'the client was asked for nothing');
      const heard = database.liedTo.at(-1)?.heard.map(({ type }) => type) ?? [];
      t.notOk(heard.includes('p') && heard.lastIndexOf('p') > heard.indexOf('Q'), 'no password behind the login');
      const report = await honest.report();
      tellHonest(t, name, report);
      t.same([report.statements.failures, report.sessions.failures, report.lost, report.wrong], [{}, {}, 0, 0]);
      holdMemory(t, name, residents(stack.enclave, stack.parts.certificates.client.certificatePem));
    });
  }
  const report = await honest.report();
  t.same([report.lost, report.wrong], [0, 0]);
  await honest.end();
});
