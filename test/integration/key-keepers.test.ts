/** An enclave whose data key several keep: it serves while enough of them give their shares, and waits in words of its own while they do not. */
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { openOperatorShare } from '../../keys/keepers/operator-share.ts';
import { logLines, prepareStack, step } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { farRoute, keepByKmsKeys, keepByOperators, loadShare } from './support/kept-keys.ts';
import { connect, Keys, setOf, tellDatabase } from './support/key-desk.ts';

t.test('is kept by two of three KMS keys of two regions', async (t) => {
  const socket = join(temporaryFolder(t), 'kms2.sock');
  const route = await farRoute(t, socket);
  const stack = await prepareStack(t, {
    keysSource: 'parent',
    hostSettings: { kms2: { connect: `unix://${socket}` } },
  });
  const [home, second, far] = await keepByKmsKeys(t, stack, route);
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const keys = new Keys(stack);
  await keys.untilAwaited();
  const first = await keys.ceremony();
  await tellDatabase(stack, first);
  await keys.take(first);
  const client = await connect(stack, await stack.enclave.untilServing(step()));
  await client.query("INSERT INTO patients VALUES (1, 'Ada', 'ada@example.org', 'well')");
  await client.end();

  await t.test('waits while two of them refuse, and says which (KEY_SHARES_REFUSED)', async (t) => {
    await stack.enclave.supervisor?.stop();
    await far?.disable();
    await second?.disable();
    stack.enclave.startSupervisor();
    await keys.untilAwaited();
    const refused = await keys.bring(first);
    t.match(refused, { type: 'refusal', code: 'KEY_SHARES_REFUSED' });
    t.match(refused, { message: new RegExp(`${far?.keyArn}: KMS_KEY_UNUSABLE`) });
    const { enclave } = await keys.untilAwaited();
    t.match(enclave, { state: 'booting', phase: 'key-set', detail: /KMS_KEY_UNUSABLE/ });
  });

  await t.test('serves with the two that are left, and tells the one that is missing', async (t) => {
    await second?.enable();
    await keys.take(first);
    const client = await connect(stack, await stack.enclave.untilServing(step()));
    const { rows } = await client.query("SELECT diagnosis FROM patients WHERE email = 'ada@example.org'");
    t.same(rows, [{ diagnosis: 'well' }]);
    await client.end();
    const missing = logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'keys.share-missing');
    t.match(missing.at(-1), { keyArn: far?.keyArn, code: 'KMS_KEY_UNUSABLE' });
    t.notOk(missing.some(({ keyArn }) => keyArn === home?.keyArn));
  });
});

t.test('is kept by two of three operators, without any KMS', async (t) => {
  const stack = await prepareStack(t, { keysSource: 'parent', operators: ['alice', 'bob', 'carol'] });
  const privateKeys = keepByOperators(stack);
  const keyOf = (name: string) => privateKeys.get(name) as KeyObject;
  const keys = new Keys(stack);
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  await keys.untilAwaited();
  const first = await keys.ceremony();
  await tellDatabase(stack, first);

  await t.test('serves once two have shown that they can open what was made for them', async (t) => {
    t.match(await keys.bring(first), { type: 'refusal', code: 'KEY_SHARES_AWAITED' });
    await keys.untilSharesAwaited(/^waiting for key shares of operators: 0 of 2/);
    t.match(await loadShare(keys, setOf(first), keyOf('alice')), {
      type: 'share-loaded',
      needed: 2,
      loaded: ['alice'],
    });
    await keys.untilSharesAwaited(/^waiting for key shares of operators: 1 of 2 \(alice\)/);
    t.match(await loadShare(keys, setOf(first), keyOf('carol')), { loaded: ['alice', 'carol'] });
    await keys.take(first);
    const client = await connect(stack, await stack.enclave.untilServing(step()));
    await client.query("INSERT INTO patients VALUES (1, 'Ada', 'ada@example.org', 'well')");
    await client.end();
  });

  const second = await keys.make({ kind: 'reshare' });
  t.match(setOf(second), { generation: 2, keeper: { kind: 'operators', k: 2 } });

  await t.test('waits for them after a restart, and takes no share of before the re-share', async (t) => {
    await stack.enclave.supervisor?.stop();
    stack.enclave.startSupervisor();
    await keys.untilAwaited();
    t.match(await keys.bring(second), { type: 'refusal', code: 'KEY_SHARES_AWAITED' });
    t.match(await loadShare(keys, setOf(first), keyOf('alice')), { type: 'refusal', code: 'KEY_SHARE_UNEXPECTED' });
    const old = await openOperatorShare(setOf(first), keyOf('alice'));
    const wrong = await loadShare(keys, setOf(second), keyOf('alice'), old);
    t.match(wrong, { type: 'refusal', code: 'KEY_SHARE_WRONG', message: /alice/ });
    await keys.untilSharesAwaited(/0 of 2/);
    for (const name of ['bob', 'carol']) await loadShare(keys, setOf(second), keyOf(name));
    t.match(await keys.take(second), { generation: 2 });
    const client = await connect(stack, await stack.enclave.untilServing(step()));
    const { rows } = await client.query("SELECT diagnosis FROM patients WHERE email = 'ada@example.org'");
    t.same(rows, [{ diagnosis: 'well' }]);
    await client.end();
  });

  const asked = stack.parts.cloud.kms.audit().map(({ operation }) => operation);
  t.same(asked, ['CreateKey'], 'KMS was never asked');
});
