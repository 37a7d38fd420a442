/** An enclave that makes its own keys: from a ceremony to protected rows, and to the next boot with the same keys. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toPcrIndex } from '../../wire/brands.ts';
import { KEY_SET_AWAITED } from '../../wire/control/messages.ts';
import { failedBoot, logLines, prepareStack, step } from '../support/stack.ts';
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

const LEASE = { renewEveryMs: 300, maxAgeMs: 3_600_000 };

t.test('waits for KMS that is out of order, and ends when KMS refuses the set that is in use now', async (t) => {
  const stack = await prepareStack(t, { keysSource: 'parent', enclaveSettings: { lease: LEASE } });
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const keys = new Keys(stack);
  await keys.untilAwaited();
  const first = await keys.ceremony();
  await tellDatabase(stack, first);
  const records = (event: string) => logLines(stack.enclave, 'supervisor').filter((each) => each.event === event);
  stack.parts.cloud.kms.faults.next('Decrypt', { kind: 'throttle' }, 2);
  await keys.take(first);
  t.match(records('boot.retry'), [{ what: 'waiting for KMS to open the key set' }, {}]);
  await stack.enclave.untilServing(step());

  const next = await keys.make({ kind: 'rotate-master' });
  const { sha256 } = await keys.take(next);
  const renewed = records('lease.renewed').length;
  await stack.enclave.until(() => records('lease.renewed').length > renewed + 1, step());
  const asked = stack.parts.cloud.kms.audit().findLast(({ operation }) => operation === 'Decrypt');
  t.match(asked, { encryptionContext: { 'acra-enclave-generation': '2' } });

  await stack.parts.cloud.putKeyPolicy(stack.parts.keyArn, new Map([[toPcrIndex(0), Buffer.alloc(48, 1)]]));
  await stack.enclave.until(({ enclave }) => enclave?.state === 'failed', step());
  await stack.enclave.supervisor?.exited;
  t.match(records('keys.lease-lost'), [{ level: 'error', code: 'LEASE_REFUSED', sha256, generationInUse: 2 }]);
});

t.test(
  'ends a boot that was brought no key set in its time, and says what it waited for (BOOT_DEADLINE)',
  async (t) => {
    const enclaveSettings = { deadlines: { keySetMs: 300 } };
    const stack = await prepareStack(t, { keysSource: 'parent', enclaveSettings });
    await stack.allowMeasuredEnclave();
    const { enclave } = await failedBoot(stack.enclave);
    t.match(enclave, { errorCode: 'BOOT_DEADLINE', detail: /still waiting: no key set.*KEY_SET_MISSING/ });
  },
);

t.test('ends a boot whose configuration names an operator without a key (KEY_OPERATOR_INVALID)', async (t) => {
  const stack = await prepareStack(t, { keysSource: 'parent' });
  writeFileSync(join(stack.enclaveFolder, 'operators/ben.pem'), 'no key');
  await stack.allowMeasuredEnclave();
  const { enclave } = await failedBoot(stack.enclave);
  t.match(enclave, { phase: 'requests', errorCode: 'KEY_OPERATOR_INVALID' });
});
