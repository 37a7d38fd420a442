/** What becomes of operators' requests on the parent: nothing is begun that cannot be kept and recorded. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HostProxyError } from '../../../host-proxy/errors.ts';
import { AUDIT_FILE } from '../../../host-proxy/keys/audit-log.ts';
import { ReportedError } from '../../../wire/errors.ts';
import { signedRequest, verifyingKeyOf } from '../../keys/support/signed-request.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { CEREMONY, daemon, ROTATE, withSets } from './support/keeping-daemon.ts';

t.test('stores what a ceremony made before it brings it, and records each step', async (t) => {
  const { says, keys, change, audit, enclave } = await daemon(t);
  await says('boot');
  const changed = await change(CEREMONY);
  t.match(changed, { kind: 'made', stored: { generation: 1, action: 'ceremony' } });
  t.equal(enclave.taken?.generation, 1);
  t.match(keys().status, {
    problem: null,
    newest: { generation: 1 },
    taken: { generation: 1, sha256: enclave.takenSha256 },
  });
  t.same(audit(), ['approved', 'made', 'taken']);
});

t.test('rejects a change while the newest set is not in use, and asks the enclave for nothing', async (t) => {
  const { enclave, keys, change, count } = await withSets(t);
  enclave.refusing.set('bring-keys', 'KMS_UNAVAILABLE');
  await change(ROTATE);
  const before = count('change-keys');
  await rejectsCode(() => change(ROTATE), HostProxyError, 'HOST_KEYS_NOT_TAKEN');
  t.equal(count('change-keys'), before);
  t.equal(keys().status.sets, 3);
});

t.test(
  'rejects a ceremony where there are sets already, though the enclave has none (HOST_KEYS_NOT_TAKEN)',
  async (t) => {
    const { enclave, change, says } = await withSets(t);
    enclave.restart();
    enclave.refusing.set('bring-keys', 'KMS_UNAVAILABLE');
    await says('second');
    await rejectsCode(() => change(CEREMONY), HostProxyError, 'HOST_KEYS_NOT_TAKEN');
  },
);

t.test('records what the enclave refuses to do, with its code', async (t) => {
  const { enclave, change, audit, logger } = await withSets(t);
  enclave.refusing.set('change-keys', 'KEY_REQUEST_UNAPPROVED');
  const error = await change(ROTATE).catch((each: unknown) => each);
  t.ok(error instanceof ReportedError && error.code === 'KEY_REQUEST_UNAPPROVED');
  t.same(audit().slice(-2), ['approved', 'denied']);
  t.match(logger.records.at(-1), { level: 'error', event: 'keys.denied' });
});

t.test('begins no change that it cannot record (HOST_KEYS_AUDIT)', async (t) => {
  const { folder, change, count } = await withSets(t);
  const before = count('change-keys');
  rmSync(join(folder, AUDIT_FILE));
  mkdirSync(join(folder, AUDIT_FILE));
  await rejectsCode(() => change(ROTATE), HostProxyError, 'HOST_KEYS_AUDIT');
  t.equal(count('change-keys'), before);
});

t.test('tells an audit log that is broken, and goes on', async (t) => {
  const { folder, restart, keys, logger, change, enclave } = await withSets(t);
  const file = join(folder, AUDIT_FILE);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"generation":1', '"generation":9'));
  await restart();
  t.equal(keys().status.audit.broken, true);
  t.ok(logger.records.some(({ event, level }) => event === 'keys.audit-broken' && level === 'error'));
  await change(ROTATE);
  t.equal(enclave.taken?.generation, 3);
});

t.test('keeps its log whole whatever a request says of who has signed it', async (t) => {
  const { restart, keys, enclave, operator } = await withSets(t);
  const odd = ['x'.repeat(256), '\ud800', 'A'.repeat(64), verifyingKeyOf(operator).keyId];
  const { signatures, ...envelope } = JSON.parse(signedRequest(enclave, ROTATE, [operator]).toString());
  const sent = { ...envelope, signatures: odd.map((keyid) => ({ ...signatures[0], keyid })) };
  await keys().change(Buffer.from(JSON.stringify(sent)));
  await restart();
  t.match(keys().status.audit, { broken: false, lastTaken: { generation: 3, set: enclave.takenSha256 } });
  const { sets } = await keys().list();
  t.same(sets.at(-1)?.approvedBy, ['unnamed', verifyingKeyOf(operator).keyId]);
});

t.test('changes the TLS key without a set', async (t) => {
  const { change, audit, keys } = await withSets(t);
  t.same(await change({ kind: 'rotate-tls' }), { kind: 'changed', what: 'the TLS key' });
  t.same(audit().slice(-2), ['approved', 'changed']);
  t.equal(keys().status.sets, 2);
});
