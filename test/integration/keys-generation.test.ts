/** The generation in the key policy, through the whole product: KMS opens the sets that it demands for the enclave, whatever the parent brings. */
import t from 'tap';
import { prepareStack, step } from '../support/stack.ts';
import { connect, Keys, setOf, tellDatabase } from './support/key-desk.ts';

const CONTEXT = { purpose: 'acra-master-key', application: 'demo' };

t.test('serves with the generation that the key policy demands, and with no older one', async (t) => {
  const stack = await prepareStack(t, { keysSource: 'parent' });
  const { cloud, keyArn } = stack.parts;
  const pin = (...generations: readonly number[]) =>
    cloud.putKeyPolicy(keyArn, stack.measure(), { encryptionContext: CONTEXT, keysBornInEnclave: true, generations });
  await pin(1);
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const keys = new Keys(stack);
  await keys.untilAwaited();
  const first = await keys.ceremony();
  await tellDatabase(stack, first);
  await keys.take(first);
  await stack.enclave.untilServing(step());

  const second = await keys.make({ kind: 'rotate-master' });
  t.equal(setOf(second).generation, 2, 'it is made before the policy lets it open');
  t.match(await keys.bring(second), { type: 'refusal', code: 'KMS_ACCESS_DENIED' });
  t.match(await keys.status(), { taken: { generation: 1 } }, 'and the enclave goes on with the first');
  await pin(1, 2);
  t.equal((await keys.take(second)).generation, 2);
  await pin(2);

  await stack.enclave.supervisor?.stop();
  stack.enclave.startSupervisor();
  await keys.untilAwaited();
  t.match(await keys.bring(first), { type: 'refusal', code: 'KMS_ACCESS_DENIED' }, 'the older set does not come back');
  t.equal((await keys.take(second)).generation, 2);
  const client = await connect(stack, await stack.enclave.untilServing(step()));
  await client.query('SELECT diagnosis FROM patients');
  await client.end();
});
