/** The ids by which stored values name their keys, as each key set tells them: those of its keys, whatever was changed. */
import t from 'tap';
import { clientIdFromName } from '../../../acra/client-id.ts';
import { clientKeyIds } from '../../../acra/keystore/key-ids.ts';
import type { KeyAction } from '../../../keys/requests/key-request.ts';
import { CLIENT_ID, keyRig, setOf } from './support/key-rig.ts';

const LATER = clientIdFromName('CN=later,O=Example', 'distinguished_name');

t.test('tells in each set the ids of the keys that the enclave then has', async (t) => {
  const enclave = await (await keyRig(t)).boot();
  let kept = await enclave.ceremony();
  await enclave.bring(kept);
  const keysOf = async () => (await enclave.brought)?.first.keys;
  let used = await keysOf();
  enclave.desk.followedBy(async ({ keys }) => {
    used = keys;
  });
  const change = async (action: KeyAction) => {
    kept = await enclave.make(action);
    t.match(await enclave.bring(kept), { type: 'keys-taken' }, action.kind);
    return setOf(kept).keyIds;
  };
  const inKeystore = async () => {
    if (used === undefined) throw new Error('the enclave has no keys');
    return clientKeyIds({ folder: used.keystoreFolder, masterKey: used.masterKey });
  };

  const [first] = setOf(kept).keyIds;
  t.match(first, { clientId: CLIENT_ID, current: /^[0-9a-f]{4}$/, old: [] });
  t.same(setOf(kept).keyIds, await inKeystore());

  const rotated = await change({ kind: 'rotate-data', clients: [CLIENT_ID] });
  t.same(rotated[0]?.old, [first?.current]);
  t.not(rotated[0]?.current, first?.current);
  t.same(rotated, await inKeystore());

  for (const kind of ['rotate-master', 'rotate-kms'] as const) t.same(await change({ kind }), rotated, kind);
  t.same(rotated, await inKeystore());

  const added = await change({ kind: 'add-clients', clients: [LATER] });
  t.same(new Set(added.map(({ clientId }) => clientId)), new Set([CLIENT_ID, LATER]));
  t.same(added, await inKeystore());

  const forgotten = await change({ kind: 'forget-data', clients: [CLIENT_ID] });
  t.same(
    forgotten,
    added.map((ids) => ({ ...ids, old: [] })),
  );
  t.same(forgotten, await inKeystore());
});
