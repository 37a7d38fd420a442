/** Front, guard and acra-server as users of a machine of their own: who reaches whom, and what becomes of the others when one ends. */
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { EnclaveStack, step } from '../enclave/support/enclave-stack.ts';
import { askGuest } from './support/guest-port.ts';
import type { SabotageAnswer, SabotageRequest } from './support/sabotage.ts';
import { SABOTAGE_PORT } from './support/sabotage.ts';

/** wire/image-layout.ts, supervisor/machine/user-numbers.ts: the first of each kind. */
const ACRA_UID = 1000;
const FRONT_UID = 100_000;
const GUARD_UID = 100_001;
const STRANGER_UID = 4_242;

async function sabotage(stack: EnclaveStack, request: SabotageRequest): Promise<SabotageAnswer> {
  return JSON.parse(await askGuest(stack.guestPath, SABOTAGE_PORT, JSON.stringify(request), step())) as SabotageAnswer;
}

t.test('the programs of sessions in a machine', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  const { address } = await stack.serve({ init: 'test/vm/images/saboteur.ts' });
  const connect = () => connectThroughEnclave(stack, address);
  const read = 'SELECT diagnosis FROM patients WHERE id = 1';
  const session = await connect();
  await session.query("INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'A', 'a@example.org', 'gout')");
  /** The next process of that program. */
  const untilReady = (child: RegExp, after: unknown) =>
    stack.untilRecord(
      ({ event, fields }) =>
        event === 'child.ready' && child.test(String(fields?.['child'])) && Number(fields?.['pid']) > Number(after),
    );
  const kill = (uid: number) => sabotage(stack, { do: 'signal-acra', signal: 'SIGKILL', uid });

  for (const [who, uid, allowed] of [
    ['a stranger', STRANGER_UID, []],
    ['the front', FRONT_UID, ['/run/front/front.sock', /\/guard\.sock$/]],
    ['the guard', GUARD_UID, [/\/guard\.sock$/, /\/acra\.sock$/]],
    ['acra-server', ACRA_UID, [/\/acra\.sock$/]],
  ] as const) {
    await t.test(`lets ${who} reach no socket but those that are for it, and read nobody else`, async (t) => {
      const { sockets, environments, paths } = await sabotage(stack, { do: 'reach', uid });
      t.ok((paths as string[]).length >= 6, String(paths));
      const reached = (sockets as string[]).filter((path) => !/saboteur/.test(path));
      t.ok(
        reached.every((path) => allowed.some((each) => (typeof each === 'string' ? each === path : each.test(path)))),
        `${who} reached ${reached.join(', ') || 'none'}`,
      );
      t.equal(reached.length, allowed.length, `${who} reached ${reached.join(', ') || 'none'}`);
      const { acra } = await sabotage(stack, { do: 'stats' });
      if (uid !== ACRA_UID)
        t.notOk((environments as number[]).includes(Number((acra as SabotageAnswer)['pid'])), 'no master key');
    });
  }

  await t.test('keeps a session when its acra-server is killed, and answers right', async (t) => {
    const { pid } = await kill(ACRA_UID);
    t.type(pid, 'number');
    t.same((await session.query(read)).rows, [{ diagnosis: 'gout' }]);
    await untilReady(/^acra-/, pid);
    t.same((await session.query(read)).rows, [{ diagnosis: 'gout' }]);
  });

  await t.test('brings a guard back, with the acra-server that there was', async (t) => {
    const before = await sabotage(stack, { do: 'stats' });
    const ended = new Promise<void>((resolve) => session.once('end', () => resolve()));
    const { pid } = await kill(GUARD_UID);
    await untilAborted(ended, step());
    await untilReady(/^guard-/, pid);
    const again = await connect();
    t.same((await again.query(read)).rows, [{ diagnosis: 'gout' }]);
    await again.end();
    const after = await sabotage(stack, { do: 'stats' });
    const pidOf = (stats: SabotageAnswer) => (stats['acra'] as SabotageAnswer)['pid'];
    t.equal(pidOf(after), pidOf(before));
    t.equal(after['zombies'], 0);
  });

  await t.test('brings the front back', async (t) => {
    const { pid } = await kill(FRONT_UID);
    t.type(pid, 'number');
    await untilReady(/^front$/, pid);
    await stack.until(({ ready }) => ready);
    const again = await connect();
    t.same((await again.query(read)).rows, [{ diagnosis: 'gout' }]);
    await again.end();
  });
});
