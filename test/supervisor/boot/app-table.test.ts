import t from 'tap';
import { appTable } from '../../../supervisor/boot/app-table.ts';
import { bootTable } from '../../../supervisor/boot/table.ts';

const names = appTable.phases.map(({ name }) => name);

t.test('begins as a boot with Acra does, up to the heartbeat, but for the application’s own file system', async (t) => {
  const acra = bootTable.phases.map(({ name }) => name);
  const ours = names.filter((name) => name !== 'application');
  t.same(ours.slice(0, ours.indexOf('heartbeat') + 1), acra.slice(0, acra.indexOf('heartbeat') + 1));
});

t.test('starts no program before the enclave has committed, and its ways out and KMS are there', async (t) => {
  for (const before of ['commitment', 'application', 'egress', 'credentials', 'kms-entropy', 'certificate'])
    t.ok(names.indexOf(before) < names.indexOf('programs'), before);
  t.equal(names.at(-1), 'ready');
});
