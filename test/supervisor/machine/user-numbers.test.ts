/** Every child of the machine has a user of its own. */
import t from 'tap';
import { programsSection } from '../../../config/app/programs.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { UserNumbers } from '../../../supervisor/machine/user-numbers.ts';
import { ACRA_SERVER_ID } from '../../../wire/image-layout.ts';
import { throwsCode } from '../../support/coded-error.ts';

t.test('gives the first child the owner of the image’s keystore, and each its own', async (t) => {
  const users = new UserNumbers();
  t.same(
    ['a', 'b', 'c'].map((name) => users.take(name)),
    [ACRA_SERVER_ID, ACRA_SERVER_ID + 1, ACRA_SERVER_ID + 2],
  );
});

t.test('gives a number again only when it was given back', async (t) => {
  const users = new UserNumbers();
  for (const name of ['a', 'b', 'c']) users.take(name);
  users.giveBack('b');
  t.same([users.take('d'), users.take('e')], [ACRA_SERVER_ID + 1, ACRA_SERVER_ID + 3]);
});

t.test('rejects a name that has one, whatever numbers are free (CHILD_CONFINEMENT_TAKEN)', async () => {
  const users = new UserNumbers();
  for (const name of ['a', 'b']) users.take(name);
  users.giveBack('a');
  throwsCode(() => users.take('b'), SupervisorError, 'CHILD_CONFINEMENT_TAKEN');
});

t.test('gives programs of ours numbers that no program of an application can ask for', async (t) => {
  const users = new UserNumbers();
  const taken = (user: unknown) => programsSection.safeParse({ a: { command: ['/a'], user } }).success;
  for (const id of [users.take('first', 'session'), users.take('second', 'session')])
    for (const user of [id, `${id}:${id}`, `1000:${id}`]) t.notOk(taken(user), String(user));
  t.ok(taken(65_533));
});
