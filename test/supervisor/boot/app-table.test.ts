import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { appTable } from '../../../supervisor/boot/app-table.ts';
import { bootTable } from '../../../supervisor/boot/table.ts';
import { tableFor } from '../../../supervisor/boot/table-for.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

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

t.test('is walked where the measured enclave.yaml says so, even where that has faults', async (t) => {
  const folder = temporaryFolder(t);
  t.equal(tableFor(folder), bootTable, 'there is no file');
  for (const [yaml, table] of [
    ['{version: 1, workload: app}', appTable],
    ['{version: 1, workload: app, guard: {}}', appTable],
    ['{version: 1}', bootTable],
    ['{version: 1, workload: acra}', bootTable],
    ['{version: 1, workload: [app]}', bootTable],
    ['workload: "', bootTable],
  ] as const) {
    writeFileSync(join(folder, 'enclave.yaml'), yaml);
    t.equal(tableFor(folder), table, yaml);
  }
});
