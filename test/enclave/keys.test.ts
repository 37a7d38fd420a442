/** Keys that are born in a machine and change in it: from the ceremony over changes under an open session and a restart to their end by the key policy. */
import { join } from 'node:path';
import t from 'tap';
import type { KeyAction } from '../../keys/requests/key-request.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { connect, setOf, tellDatabase } from '../support/key-parent.ts';
import { EnclaveStack } from './support/enclave-stack.ts';
import { explaining } from './support/explaining.ts';
import { storedGenerations, storeSet, untilServingWith } from './support/kept-keys.ts';

const RENEW_EVERY_MS = 10_000;
const DRAIN_MS = 2_000;
/** For a clock that runs slower than the parent's, and for what is done with it: an emulated CPU beside other work. */
const SLACK_MS = 20_000;
/** Of an image that there is not. */
const OTHER_PCRS = new Map([0, 1, 2].map((index) => [toPcrIndex(index), Buffer.alloc(48, 0xa5)] as const));
const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
const CHANGES: readonly KeyAction[] = [{ kind: 'rotate-master' }, { kind: 'add-clients', clients: ['a'.repeat(128)] }];

t.test('a machine whose keys are born in it', async (t) => {
  const lease = { renewEveryMs: RENEW_EVERY_MS, maxAgeMs: 3_600_000 };
  const stack = await EnclaveStack.prepare(t, { lease, restart: { drainMs: DRAIN_MS } }, { keysSource: 'parent' });
  const folder = join(stack.root, 'keys');
  const { keys } = stack;
  const image = await stack.build();
  await stack.allow(image);
  await stack.run(image, { host: { keys: { folder } } });
  const test = explaining(t, stack);
  const rows: string[] = [];
  const enter = (what: string) => {
    rows.push(what);
    return [rows.length, 'Ada', `${what}@example.org`, what];
  };
  const diagnoses = async (client: Awaited<ReturnType<typeof connect>>) =>
    (await client.query('SELECT diagnosis FROM patients ORDER BY id')).rows.map(({ diagnosis }) => diagnosis);

  await test('serves with the keys of a ceremony that its operators have asked for', async (t) => {
    await keys.untilAwaited();
    t.same(await keys.status(), { type: 'keys-status', ceremony: true });
    const first = await keys.ceremony();
    await tellDatabase(stack, first);
    await storeSet(folder, first);
    await untilServingWith(stack, 1);
  });
  const session = await connect(stack, await stack.untilServing());

  for (const [index, action] of CHANGES.entries()) {
    await test(`takes the set of ${action.kind} under a session that goes on`, async (t) => {
      await session.query(INSERT, enter(`before ${action.kind}`));
      const made = await keys.make(action);
      t.equal(setOf(made).generation, index + 2);
      await storeSet(folder, made);
      await untilServingWith(stack, index + 2);
      await session.query(INSERT, enter(`after ${action.kind}`));
      t.same(await diagnoses(session), rows, 'in the session from before');
    });
  }
  await session.end();

  await test('serves again with the newest of the sets that the parent kept, and all rows are readable', async (t) => {
    await stack.daemon?.stop();
    await stack.startDaemon('run');
    await untilServingWith(stack, CHANGES.length + 1);
    t.same(await storedGenerations(folder), [1, 2, 3]);
    const again = await connect(stack, await stack.untilServing());
    t.same(await diagnoses(again), rows);
    await again.end();
  });

  await test('ends within renewEvery and drain when the key policy turns it away (LEASE_REFUSED)', async (t) => {
    const last = await connect(stack, await stack.untilServing());
    const ended = new Promise((resolve) => last.once('end', resolve));
    const startedMs = performance.now();
    await stack.allow({ pcrs: OTHER_PCRS });
    await ended;
    const tookMs = performance.now() - startedMs;
    t.comment(`from the change of the policy to the end of the session: ${Math.round(tookMs)} ms`);
    t.ok(tookMs < RENEW_EVERY_MS + DRAIN_MS + SLACK_MS, `${Math.round(tookMs)} ms`);
    const failed = await stack.until(({ enclave }) => enclave?.state === 'failed');
    t.equal(failed.enclave?.errorCode, 'LEASE_REFUSED');
    t.equal(failed.publicAddress, null, 'the public port is closed');
  });
});
