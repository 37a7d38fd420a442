/** A machine that serves is called back by the key policy alone: nobody reaches it, and it ends. */
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { EnclaveStack } from './support/enclave-stack.ts';

const RENEW_EVERY_MS = 5_000;
/** Of an image that there is not. */
const OTHER_PCRS = new Map([0, 1, 2].map((index) => [toPcrIndex(index), Buffer.alloc(48, 0xa5)] as const));

t.test('ends in order when KMS no longer grants the key to its measurements (LEASE_REFUSED)', async (t) => {
  const stack = await EnclaveStack.prepare(t, { lease: { renewEveryMs: RENEW_EVERY_MS, maxAgeMs: 3_600_000 } });
  const { image, address } = await stack.serve();
  const application = await connectThroughEnclave(stack, address);
  const ended = new Promise((resolve) => application.once('end', resolve));
  await stack.untilRecord(({ event }) => event === 'lease.renewed');
  t.same((await application.query('SELECT 1 AS one')).rows, [{ one: 1 }], 'a renewal costs no session');
  const startedMs = performance.now();
  await stack.allow({ ...image, pcrs: OTHER_PCRS });
  await ended;
  t.comment(`from the change of the policy to the end of the session: ${Math.round(performance.now() - startedMs)} ms`);
  const failed = await stack.until(({ enclave }) => enclave?.state === 'failed');
  t.equal(failed.enclave?.errorCode, 'LEASE_REFUSED');
  t.equal(failed.publicAddress, null, 'the public port is closed');
  t.not((await stack.daemon?.exited)?.code, 0, 'the daemon says that it failed');
});
