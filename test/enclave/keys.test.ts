/** Keys that are born in a machine and change in it: SIGKILL at each step of a ceremony and of a rotation, and a change under an open session. */
import t from 'tap';
import type { KeyAction } from '../../keys/requests/key-request.ts';
import { explaining } from './support/explaining.ts';
import { killAtEachStep } from './support/kill-at-each-step.ts';
import { KilledParts } from './support/killed-parts.ts';

t.test('keys that are born in a machine', async (t) => {
  const world = await KilledParts.prepare(t);
  const { keys } = world.stack;
  const test = explaining(t, world.stack);
  await world.untilWell();
  t.same(await keys.status(), { type: 'keys-status', ceremony: true });

  const ceremony: KeyAction = { kind: 'ceremony', clients: [...keys.clientIds], secrets: [] };
  await killAtEachStep(t, [ceremony, { kind: 'rotate-master' }], world);
  t.same(world.stored, [1, 2]);

  await test('change by add-clients under a session that goes on', async (t) => {
    const session = await world.connect();
    await world.requireRows(t, session);
    t.match(await world.change({ kind: 'add-clients', clients: ['a'.repeat(128)] }), { kind: 'made', taken: true });
    await world.expectStored();
    await world.requireSets(t);
    await world.requireRows(t, session);
    await session.end();
    await world.requireRows(t);
  });
});
