/** Another TLS key while clients work: their sessions keep the key that they began with. */
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { publicKeySha256 } from '../../../../encoding/public-key-hash.ts';
import { shownCertificate } from '../../../integration/support/shown-certificate.ts';
import { FleetRig } from './support/fleet-rig.ts';
import { worker } from './support/worker.ts';

t.test('shows another TLS key to those who come, and costs no session', async (t) => {
  const rig = await FleetRig.start(t);
  const client = await rig.connect();
  const working = worker(client, 10_000);
  const keyShown = async () => publicKeySha256(await shownCertificate(rig.address));
  const before = rig.tlsKey.shown.sha256.toString('hex');
  t.equal(await keyShown(), before);
  const { keySha256 } = rig.tlsKey.rotate();
  const other = await rig.connect();
  t.equal(await keyShown(), keySha256.toString('hex'));
  const front = rig.fleet.members.find(({ id }) => id === 'front');
  // A front that comes later serves with it, too.
  const { pid } = front?.child ?? {};
  await other.query('SELECT 1');
  t.ok((await working.end()) > 0);
  await Promise.all([client, other].map((each) => each.end()));
  process.kill(pid ?? 0, 'SIGKILL');
  for (const run = front?.child; run?.pid === pid || run?.state.kind !== 'running'; ) await setImmediate();
  t.equal(await keyShown(), keySha256.toString('hex'));
});
