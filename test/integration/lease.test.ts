/** Whoever takes the key away ends the service, without reaching the enclave: by policy, by the key itself, by silence. */
import t, { type Test as TapTest } from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { logLines, servingStack, step } from '../support/stack.ts';

const RENEW_EVERY_MS = 300;
const DRAIN_MS = 500;
const settings = (lease: object = {}) => ({
  enclaveSettings: {
    lease: { renewEveryMs: RENEW_EVERY_MS, maxAgeMs: 3_600_000, ...lease },
    restart: { drainMs: DRAIN_MS },
  },
});

const renewals = (stack: Stack) =>
  logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'lease.renewed').length;

async function untilRenewed(stack: Stack): Promise<void> {
  const before = renewals(stack);
  await stack.enclave.until(() => renewals(stack) > before, step());
}

async function leasing(t: TapTest, lease: object = {}) {
  const { stack, address } = await servingStack(t, settings(lease));
  const client = await connectThroughEnclave(stack, address);
  const ended = new Promise((resolve) => client.on('error', resolve));
  t.teardown(() => client.end().catch(() => undefined));
  return { stack, client, ended };
}

async function endsWith(t: TapTest, stack: Stack, errorCode: string): Promise<void> {
  const status = await stack.enclave.until(({ enclave }) => enclave?.state === 'failed', step());
  t.match(status, { ready: false, enclave: { errorCode } });
  await stack.enclave.supervisor?.exited;
}

t.test('ends the service in order when the key policy names another measurement (LEASE_REFUSED)', async (t) => {
  const { stack, client, ended } = await leasing(t);
  await untilRenewed(stack);
  t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }], 'a renewal costs no session');
  await stack.parts.cloud.putKeyPolicy(stack.parts.keyArn, new Map([[toPcrIndex(0), Buffer.alloc(48, 1)]]));
  await ended;
  await endsWith(t, stack, 'LEASE_REFUSED');
});

t.test('serves on while KMS is out of order, and renews when it is back', async (t) => {
  const { stack, client } = await leasing(t);
  stack.parts.cloud.kms.faults.next('Decrypt', { kind: 'throttle' }, 2);
  stack.parts.cloud.kms.faults.next('Decrypt', { kind: 'expired-token' }, 1);
  const outages = () => logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'lease.outage').length;
  await stack.enclave.until(() => outages() >= 3, step());
  await untilRenewed(stack);
  t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
});

t.test('ends the service when KMS is out of order for too long (LEASE_EXPIRED)', async (t) => {
  // The age counts from before the boot's end, which on a busy machine takes seconds.
  const { stack, ended } = await leasing(t, { maxAgeMs: 10_000 });
  stack.parts.cloud.kms.faults.next('Decrypt', { kind: 'throttle' }, 1_000);
  await ended;
  await endsWith(t, stack, 'LEASE_EXPIRED');
});
