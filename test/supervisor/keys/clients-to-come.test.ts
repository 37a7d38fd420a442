/** Clients that the measured configuration lets be users of the database, and whose keys come when they come. */
import t from 'tap';
import { clientIdFromName } from '../../../acra/client-id.ts';
import { CLIENT_ID, keyRig, USER } from './support/key-rig.ts';

const NAMES = ['CN=billing,O=Example', 'CN=later,O=Example'];
const LATER_ID = clientIdFromName('CN=later,O=Example', 'distinguished_name');
const TWO_CLIENTS = { users: [{ name: USER, clients: NAMES }] };

t.test('takes a set without the keys of one of them, says whose, and takes these later', async (t) => {
  const enclave = await (await keyRig(t, {}, TWO_CLIENTS)).boot();
  const told = () => enclave.logger.records.filter(({ event }) => event === 'keys.client-keyless');
  t.match(await enclave.bring(await enclave.ceremony()), { type: 'keys-taken', generation: 1 });
  t.match(told(), [{ level: 'warn', fields: { client: /CN=later,O=Example/ } }]);
  t.same((await enclave.brought)?.first.keys.keyClients, [CLIENT_ID], 'it is none that is served');
  enclave.desk.followedBy(async ({ keys }) => {
    t.same(new Set(keys.keyClients), new Set([CLIENT_ID, LATER_ID]));
  });
  const added = await enclave.make({ kind: 'add-clients', clients: [LATER_ID] });
  t.match(await enclave.bring(added), { type: 'keys-taken', generation: 2 });
  t.equal(told().length, 1);
});
