/** Which sets a running enclave takes in the place of the one that it has: the next ones of its own line. */
import t, { type Test } from 'tap';
import { keyRig } from './support/key-rig.ts';

async function scene(t: Test) {
  const rig = await keyRig(t);
  const enclave = await rig.boot();
  return { rig, enclave, good: await enclave.ceremony() };
}

t.test('raises an alarm for an older set, or another of the same generation, while it has a newer one', async (t) => {
  const { enclave, good } = await scene(t);
  await enclave.bring(good);
  enclave.desk.followedBy(async () => undefined);
  const [next, fork] = [await enclave.make({ kind: 'rotate-kms' }), await enclave.make({ kind: 'rotate-master' })];
  t.match(await enclave.bring(next), { type: 'keys-taken', generation: 2 });
  for (const offered of [good, fork]) {
    t.match(await enclave.bring(offered), { type: 'refusal', code: 'KEY_SET_ROLLED_BACK' });
    t.match(enclave.logger.records.at(-1), { level: 'error', event: 'keys.refused' });
  }
  t.match(await enclave.ask({ type: 'keys-status' }), { taken: { generation: 2 } });
});

t.test('takes no next set that was made from another one than that in use (KEY_SET_OTHER_LINE)', async (t) => {
  const { rig, enclave, good } = await scene(t);
  // The parent has two enclaves, and operators change the keys of both.
  const other = await rig.boot();
  for (const each of [enclave, other]) {
    await each.bring(good);
    each.desk.followedBy(async () => undefined);
    await each.bring(await each.make({ kind: 'rotate-kms' }));
  }
  const [next, fork] = [await enclave.make({ kind: 'rotate-kms' }), await other.make({ kind: 'rotate-master' })];
  t.match(await enclave.bring(fork), { type: 'refusal', code: 'KEY_SET_OTHER_LINE' });
  t.match(enclave.logger.records.at(-1), { level: 'error', event: 'keys.refused' });
  t.match(await enclave.bring(next), { type: 'keys-taken', generation: 3 });
});
