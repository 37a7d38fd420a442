/** A request of operators that concerns no key set: another TLS key for this boot. */
import t from 'tap';
import { keyRig } from './support/key-rig.ts';

t.test('has another TLS key made when it serves, once for a request, and records it', async (t) => {
  const enclave = await (await keyRig(t)).boot();
  await enclave.bring(await enclave.ceremony());
  const request = await enclave.request({ kind: 'rotate-tls' });
  t.match(await enclave.change(request), { type: 'refusal', code: 'KEYS_NOT_NOW' }, 'while it boots');
  enclave.desk.followedBy(async () => undefined);
  const answer = await enclave.change(request);
  t.match(answer, {
    type: 'keys-changed',
    what: /^the TLS key [0-9a-f]{64} takes over when its certificate is installed$/,
  });
  t.match(await enclave.change(request), { type: 'refusal', code: 'KEY_REQUEST_STALE' });
  const [rotated, ...more] = enclave.logger.records.filter(({ event }) => event === 'keys.changed');
  t.match(rotated, { fields: { action: 'rotate-tls', tlsKeySha256: /^[0-9a-f]{64}$/, approvedBy: /./ } });
  t.equal(more.length, 0);
});
