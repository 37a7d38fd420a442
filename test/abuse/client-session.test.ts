/**
 * A client with a valid certificate that says what it should not: its session ends or goes on in order, and the other sessions of
 * the same identity, which go through the same guard and the same acra-server, notice nothing.
 */
import t from 'tap';
import { attackedStack } from './support/attacked.ts';
import { HonestClient, tellHonest } from './support/honest.ts';
import { INSULTS } from './support/insults.ts';
import { holdMemory, pidOfIdentity, residents } from './support/memory.ts';
import { frame, RawClient } from './support/raw-client.ts';

t.test('a client that says what it should not', { timeout: 600_000 }, async (t) => {
  const target = await attackedStack(t);
  const { stack } = target;
  const { client: certificate } = stack.parts.certificates;
  const honest = await HonestClient.start(t, target);
  const pids = () =>
    (['guard', 'acra'] as const).map((kind) => pidOfIdentity(stack.enclave, kind, certificate.certificatePem));
  const before = pids();
  for (const [name, { says, ends, errors = [] }] of Object.entries(INSULTS)) {
    await t.test(name, async (t) => {
      const client = await RawClient.open(target, certificate);
      client.send(...says);
      if (ends === undefined) client.send(frame('Q', "SELECT 'and goes on'\0"));
      const isOn = () => client.received.slice(-5).some(({ body }) => body.includes('and goes on'));
      while (!isOn() && (await client.untilMore()) === 'came');
      const states = client.errors.map(({ sqlState }) => sqlState);
      const last = client.errors.at(-1)?.message ?? '';
      if (ends === undefined) {
        t.ok(isOn(), `the session goes on: ${client.types.slice(-20)}`);
        t.same(states, errors, last);
      } else {
        t.notOk(isOn());
        t.same(states, [ends], last);
        t.equal(client.types.at(-1), 'E', 'nothing follows');
      }
      client.socket.destroy();
      const report = await honest.report();
      tellHonest(t, name, report);
      t.same([report.statements.failures, report.sessions.failures, report.lost, report.wrong], [{}, {}, 0, 0]);
      holdMemory(t, name, residents(stack.enclave, certificate.certificatePem));
    });
  }
  t.same(pids(), before, 'guard and acra-server are the same');
  await honest.end();
});
