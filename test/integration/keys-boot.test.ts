/** An enclave that makes its own keys: from a ceremony to protected rows, and to the next boot with the same keys. */
import t from 'tap';
import { KEY_SET_AWAITED } from '../../wire/control/messages.ts';
import { prepareStack, step } from '../support/stack.ts';
import { connect, Keys, setOf, tellDatabase } from './support/key-desk.ts';

t.test('serves with keys that were born in it, and serves again with the set that it handed out', async (t) => {
  const stack = await prepareStack(t, { keysSource: 'parent' });
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const keys = new Keys(stack);
  const { enclave } = await keys.untilAwaited();
  t.match(enclave, { state: 'booting', errorCode: KEY_SET_AWAITED, detail: /no key set: waiting .* ceremony/ });
  t.same(await keys.status(), { type: 'keys-status', ceremony: true });

  const first = await keys.ceremony();
  t.match(setOf(first), { generation: 1, previous: null, name: 'demo' });
  t.same(await keys.status(), { type: 'keys-status', ceremony: true }, 'making takes nothing');
  await tellDatabase(stack, first);
  const taken = await keys.take(first);
  t.equal(taken.generation, 1);
  const client = await connect(stack, await stack.enclave.untilServing(step()));
  await client.query("INSERT INTO patients VALUES (1, 'Ada', 'ada@example.org', 'well')");
  await client.end();
  t.match(await keys.status(), { taken: { generation: 1, sha256: taken.sha256 }, ceremony: false });

  await t.test('at the next boot', async (t) => {
    await stack.enclave.supervisor?.stop();
    stack.enclave.startSupervisor();
    await keys.untilAwaited();
    t.same(await keys.take(first), taken);
    const client = await connect(stack, await stack.enclave.untilServing(step()));
    const { rows } = await client.query("SELECT diagnosis FROM patients WHERE email = 'ada@example.org'");
    t.same(rows, [{ diagnosis: 'well' }]);
    await client.end();
  });
});
