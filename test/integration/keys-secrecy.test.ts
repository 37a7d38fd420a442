/** Where secrets of key sets are while they change, and where they are not: nothing that the parent can read has one, and what was rotated away is gone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { describeKeyFile } from '../../acra/keystore/layout.ts';
import { useMasterKey } from '../../acra/keystore/master-key.ts';
import { databaseUserContext } from '../../acra/keystore/seal-file.ts';
import { themis } from '../../acra/keystore/themis.ts';
import { writeKeystore } from '../../acra/keystore/write-keystore.ts';
import { APPLICATION } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { Keyring } from '../../emulator/acra-server/keyring.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { filesBelow } from '../support/files-below.ts';
import { environmentVariable, processesNaming, searchMemory } from '../support/processes.ts';
import { acraPid, childPid, prepareStack, step } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { connect, type KeptSet, Keys, setOf, tellDatabase } from './support/key-desk.ts';

/** As people and programs write bytes. */
const forms = (secret: Buffer) => [
  secret,
  ...[secret.toString('base64').replace(/=+$/, ''), secret.toString('base64url'), secret.toString('hex')].map((text) =>
    Buffer.from(text),
  ),
];

/** All that the set has sealed, by the master key that acra-server was given. */
async function secretsIn(t: Test, stack: Stack, kept: KeptSet) {
  const masterKey = Buffer.from(environmentVariable(acraPid(stack.enclave), 'ACRA_MASTER_KEY') ?? '', 'base64');
  const folder = join(temporaryFolder(t), 'keystore');
  const { keystore, secrets } = setOf(kept);
  await writeKeystore(
    folder,
    keystore.map(({ path, content }) => {
      const file = describeKeyFile(path);
      if (file === undefined) throw new Error(path);
      return { file, content: Buffer.from(content, 'base64') };
    }),
  );
  const master = () => SecretBuffer.take(Buffer.from(masterKey));
  const keyring = await Keyring.load(themis, folder, master());
  const clientIds = [...new Set(keystore.flatMap(({ path }) => describeKeyFile(path)?.clientId ?? []))];
  const dataKeys = clientIds.flatMap((id) => [
    ...keyring.keys('storage-symmetric', id),
    ...keyring.keys('search-hmac', id),
  ]);
  const passwords = secrets.map(({ user, sealed }) =>
    useMasterKey(master(), (key) => themis.open(key, Buffer.from(sealed, 'base64'), databaseUserContext(user))),
  );
  return { masterKey, dataKeys, passwords: passwords.map((each) => each ?? Buffer.alloc(0)) };
}

t.test(
  'leaks no secret of a key set through a ceremony and changes, and forgets those that it rotated away',
  async (t) => {
    const stack = await prepareStack(t, { keysSource: 'parent' });
    await stack.allowMeasuredEnclave();
    await stack.enclave.startHostProxy();
    stack.enclave.startSupervisor();
    const keys = new Keys(stack);
    await keys.untilAwaited();
    const first = await keys.ceremony();
    await tellDatabase(stack, first);
    await keys.take(first);
    const address = await stack.enclave.untilServing(step());
    const client = await connect(stack, address);
    await client.query("INSERT INTO patients VALUES (1, 'Ada', 'ada@example.org', 'well')");
    const before = await secretsIn(t, stack, first);
    const given = 'a password that somebody chose';
    const steps = ['rotate-master', 'rotate-data', 'rotate-database', 'seal'] as const;
    let last = first;
    for (const kind of steps) {
      const request = await keys.request({ kind: 'rotate-kms' });
      const action =
        kind === 'rotate-master'
          ? { kind }
          : kind === 'rotate-data'
            ? { kind, clients: [...keys.clientIds] }
            : kind === 'rotate-database'
              ? { kind, user: APPLICATION.user }
              : { kind, secrets: [await keys.sealed('somebody', given, request)] };
      last = await keys.make(action, { nonce: request.nonce });
      await keys.take(last);
      t.equal((await client.query('SELECT diagnosis FROM patients')).rows[0]?.diagnosis, 'well', kind);
    }
    const after = await secretsIn(t, stack, last);
    t.notSame(after.masterKey, before.masterKey);
    t.ok(after.passwords.some((each) => each.toString() === given));
    const all = [before, after].flatMap(({ masterKey, dataKeys, passwords }) => [masterKey, ...dataKeys, ...passwords]);
    t.ok(all.every(({ length }) => length >= 30));

    await t.test('not in a file of the parent’s, or of the enclave’s, nor in a log', (t) => {
      const needles = all.flatMap(forms);
      for (const file of filesBelow(stack.options.root)) {
        const content = readFileSync(file);
        t.notOk(
          needles.some((needle) => content.includes(needle)),
          file,
        );
      }
      t.end();
    });

    await t.test('not in a command line', (t) => {
      t.same(
        all
          .flatMap(forms)
          .map((each) => each.toString('latin1'))
          .filter((text) => !text.includes('\0'))
          .flatMap(processesNaming),
        [],
      );
      t.end();
    });

    await t.test('not in host-proxy', (t) => {
      const needles = all.flatMap(forms);
      t.same(
        searchMemory(stack.enclave.hostProxy?.pid ?? 0, needles),
        needles.map(() => 0),
      );
      t.end();
    });

    await t.test('the old master key in no process of the enclave, and the rest where it is used alone', (t) => {
      const { supervisor } = stack.enclave;
      const pids = {
        supervisor: supervisor?.pid ?? 0,
        acraServer: acraPid(stack.enclave),
        front: childPid(stack.enclave, 'front'),
        guard: childPid(stack.enclave, 'guard'),
      };
      const has = (pid: number, secrets: readonly Buffer[]) => searchMemory(pid, secrets).some((count) => count > 0);
      const [old, master] = [forms(before.masterKey), forms(after.masterKey)];
      t.same(
        Object.values(pids).map((pid) => has(pid, old)),
        [false, false, false, false],
      );
      t.same(
        Object.values(pids).map((pid) => has(pid, master)),
        [true, true, false, false],
      );
      t.same(
        Object.values(pids).map((pid) => has(pid, after.dataKeys)),
        [false, true, false, false],
      );
      t.same(
        Object.values(pids).map((pid) => has(pid, after.passwords)),
        [true, false, false, true],
      );
      t.end();
    });
    await client.end();
  },
);
