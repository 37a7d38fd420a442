import t from 'tap';
import { bootTable } from '../../../supervisor/boot/table.ts';

const names = bootTable.phases.map(({ name }) => name);

t.test('commits to the configuration as soon as it is read, before anything leaves the enclave', async (t) => {
  const at = names.indexOf('commitment');
  t.same(names.slice(at - 2, at), ['configuration', 'tls-key']);
  for (const later of ['heartbeat', 'egress', 'credentials', 'kms-entropy', 'master-key']) {
    t.ok(names.indexOf(later) > at, later);
  }
});

t.test(
  'sends the heartbeat when the enclave has checked itself, and before anything outside is reachable',
  async (t) => {
    const at = names.indexOf('heartbeat');
    t.same(names.slice(at - 3, at), ['commitment', 'requests', 'clock-kept']);
    t.equal(names[at + 1], 'egress');
  },
);

t.test('prepares the machine before anything else, and tells of failures from then on', async (t) => {
  t.same(names.slice(0, 2), ['machine', 'control']);
});

t.test('sets entropy and clock right before the first key or certificate is needed', async (t) => {
  t.ok(names.indexOf('nsm') < names.indexOf('entropy'), 'the module gives both');
  t.ok(names.indexOf('entropy') < names.indexOf('clock'));
  t.ok(names.indexOf('clock') < names.indexOf('credentials'), 'signatures and TLS depend on the time');
});

t.test('takes randomness of KMS before the first key that outlives the boot', async (t) => {
  t.equal(names.indexOf('kms-entropy'), names.indexOf('credentials') + 1);
  t.equal(names.indexOf('key-set'), names.indexOf('kms-entropy') + 1, 'a ceremony makes keys');
  t.equal(names.indexOf('master-key'), names.indexOf('key-set') + 1);
});

t.test('keeps the names of phases apart', async (t) => {
  t.equal(new Set(names).size, names.length);
});
