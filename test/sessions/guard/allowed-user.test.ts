/** Which user of which database a certificate may be. */
import t from 'tap';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { allowedUser } from '../../../sessions/guard/access.ts';
import { SecretChoice } from '../../../sessions/guard/secret-choice.ts';
import { sqlStateOf } from '../../emulator/acra-server/support/sql-state.ts';

const secrets = new SecretChoice([SecretBuffer.take(Buffer.from('pencil'))], () => undefined);
const USERS = [
  { name: 'app', databases: ['shop', 'app'], secrets },
  { name: 'b\u00fcro', databases: ['l\u00e4ger'], secrets },
];
const latin1 = (text: string) => Buffer.from(text).toString('latin1');
const startup = (parameters: Readonly<Record<string, string>>) => ({
  minor: 0,
  parameters: new Map(Object.entries(parameters)),
});
const stateOf = (parameters: Readonly<Record<string, string>>, users = USERS) =>
  sqlStateOf(() => allowedUser(startup(parameters), users));

t.test('lets a certificate be its users at their databases, the one of the same name by default', async (t) => {
  t.equal(allowedUser(startup({ user: 'app', database: 'shop' }), USERS).name, 'app');
  t.equal(allowedUser(startup({ user: 'app' }), USERS).name, 'app');
  t.equal(allowedUser(startup({ user: latin1('b\u00fcro'), database: latin1('l\u00e4ger') }), USERS).name, 'b\u00fcro');
});

t.test('refuses any other pair (28000), and says which there are', async (t) => {
  for (const parameters of [
    { user: 'other', database: 'shop' },
    { user: 'APP', database: 'shop' },
    { user: 'app ', database: 'shop' },
    { user: 'app', database: 'Shop' },
    { user: 'app', database: latin1('l\u00e4ger') },
    { user: latin1('b\u00fcro') },
    { user: 'b\u00fcro', database: 'l\u00e4ger' },
    { user: 'postgres', database: 'postgres' },
  ]) {
    t.equal(stateOf(parameters), '28000', JSON.stringify(parameters));
  }
  t.equal(stateOf({ user: 'app' }, []), '28000');
  t.throws(() => allowedUser(startup({ user: 'x' }), USERS), { message: /"x"; .* "app", "b\u00fcro"$/ });
});

t.test('compares names as PostgreSQL cuts them, at 63 bytes', async (t) => {
  const name = 'n'.repeat(63);
  const users = [{ name, databases: [name], secrets }];
  t.equal(stateOf({ user: `${name}more` }, users), undefined);
  t.equal(stateOf({ user: name.slice(1) }, users), '28000');
});
