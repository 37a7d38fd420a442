/** What the desk makes and takes: sets that hold what was asked for and open at the next boot, one after the other. */
import { readdirSync } from 'node:fs';
import t, { type Test } from 'tap';
import { describeKeyFile } from '../../../acra/keystore/layout.ts';
import type { KeyAction } from '../../../keys/requests/key-request.ts';
import { parseVerifier } from '../../../postgres/scram/verifier.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { KEY_SET_AWAITED } from '../../../wire/control/messages.ts';
import { CLIENT_ID, type KeptSet, keyRig, madeSet, setOf, USER } from './support/key-rig.ts';

const OTHER_CLIENT = 'b'.repeat(128);
const textOf = (secret: SecretBuffer | undefined) => secret?.use((bytes) => bytes.toString());
const clientsOf = (kept: KeptSet) =>
  new Set(setOf(kept).keystore.flatMap(({ path }) => describeKeyFile(path)?.clientId ?? []));

/** Takes a first set, and others as an enclave does that serves. */
async function serving(t: Test, keys: object = {}, database: object = {}) {
  const rig = await keyRig(t, keys, database);
  const enclave = await rig.boot();
  const first = await enclave.ceremony();
  t.match(await enclave.bring(first), { type: 'keys-taken', generation: 1 });
  enclave.desk.followedBy(async () => undefined);
  return { rig, enclave, first };
}

/** What a boot of its own opens of a set. */
async function openedIn(t: Test, rig: Awaited<ReturnType<typeof keyRig>>, kept: KeptSet) {
  const enclave = await rig.boot();
  t.match(await enclave.bring(kept), { type: 'keys-taken' });
  const { keys } = (await enclave.brought)?.first ?? {};
  if (keys === undefined) throw new Error('nothing was taken');
  return keys;
}

t.test('makes a first set in a ceremony, with a password that nobody knows, and takes nothing by it', async (t) => {
  const rig = await keyRig(t);
  const enclave = await rig.boot();
  t.match(enclave.status.current, { errorCode: KEY_SET_AWAITED, detail: /waiting for .* a ceremony/ });
  const kept = await enclave.ceremony();
  const set = setOf(kept);
  t.match(set, { generation: 1, previous: null, name: 'records', keeper: { kind: 'kms', keyArn: rig.keyArn } });
  t.match(set.keeper, { encryptionContext: { 'acra-enclave-generation': '1' } });
  t.same([...clientsOf(kept)], [CLIENT_ID]);
  t.match(set.secrets, [{ user: USER, slot: 'secret', verifier: /^SCRAM-SHA-256\$/ }]);
  t.same(await enclave.ask({ type: 'keys-status' }), { type: 'keys-status', ceremony: true });
  const keys = await openedIn(t, rig, kept);
  t.match(textOf(keys.databaseSecrets.get(USER)?.[0]), /^[A-Za-z0-9_-]{43}$/);
  t.same(keys.keyClients, [CLIENT_ID]);
});

t.test('gives the same set again to a request whose answer was lost, and carries it out once', async (t) => {
  const enclave = await (await keyRig(t)).boot();
  const request = await enclave.request({ kind: 'ceremony', clients: [CLIENT_ID], secrets: [] });
  const made = madeSet(await enclave.change(request));
  t.same(madeSet(await enclave.change(request)), made);
  const other = await enclave.ceremony();
  t.not(other.keySet, made.keySet);
  t.match(await enclave.change(request), { type: 'refusal', code: 'KEY_REQUEST_STALE' }, 'when another came between');
  await enclave.bring(made);
  t.match(await enclave.change(request), { type: 'refusal', code: 'KEY_REQUEST_STALE' }, 'when it is in use');
});

t.test('seals what operators send, in the place of all that the user had: the first is tried first', async (t) => {
  const { rig, enclave } = await serving(t);
  await enclave.bring(await enclave.make({ kind: 'rotate-database', user: USER }));
  for (const texts of [['of an operator', 'the next'], ['the only one']]) {
    const request = await enclave.request({ kind: 'rotate-master' });
    const secrets = await Promise.all(texts.map((text) => enclave.sealed(USER, text, request)));
    const kept = madeSet(await enclave.change({ ...request, action: { kind: 'seal', secrets } }));
    t.same(
      setOf(kept).secrets.map(({ verifier }) => verifier),
      texts.map(() => null),
    );
    t.notOk(Buffer.from(kept.keySet, 'base64').includes('of an operator'));
    const { databaseSecrets } = await openedIn(t, rig, kept);
    t.same(databaseSecrets.get(USER)?.map(textOf), texts);
  }
});

const changes: Readonly<Record<string, KeyAction>> = {
  'add-clients': { kind: 'add-clients', clients: [OTHER_CLIENT] },
  'rotate-master': { kind: 'rotate-master' },
  'rotate-kms': { kind: 'rotate-kms' },
  'rotate-data': { kind: 'rotate-data', clients: [CLIENT_ID] },
  'rotate-database': { kind: 'rotate-database', user: USER },
};

t.test('makes each next set from the one in use, whose keys it leaves as they are', async (t) => {
  const { rig, enclave, first } = await serving(t);
  const before = await openedIn(t, rig, first);
  const keysBefore = new Map(setOf(first).keystore.map(({ path, content }) => [path, content]));
  for (const [what, action] of Object.entries(changes)) {
    await t.test(what, async (t) => {
      const kept = await enclave.make(action);
      const set = setOf(kept);
      const { taken } = (await enclave.ask({ type: 'keys-status' })) as { taken?: { sha256: string } };
      t.match(set, { generation: 2, previous: taken?.sha256 });
      t.notSame(set.keeper, setOf(first).keeper, 'another data key');
      const keys = await openedIn(t, rig, kept);
      const isSame = keys.masterKey.use((next) => before.masterKey.use((bytes) => next.equals(bytes)));
      t.equal(isSame, what !== 'rotate-master');
      const isMockSame = keys.mockKey.use((next) => before.mockKey.use((bytes) => next.equals(bytes)));
      t.ok(isMockSame, 'challenges for users that do not exist stay as they are');
      const asBefore = set.keystore.filter(({ path, content }) => keysBefore.get(path) === content).length;
      t.equal(asBefore >= keysBefore.size - 3, what !== 'rotate-master', 'other files are as they were');
      t.equal(textOf(keys.databaseSecrets.get(USER)?.[0]), textOf(before.databaseSecrets.get(USER)?.[0]));
      t.equal(keys.databaseSecrets.get(USER)?.length, what === 'rotate-database' ? 2 : 1);
      t.same(keys.keyClients, what === 'add-clients' ? [CLIENT_ID, OTHER_CLIENT].toSorted() : [CLIENT_ID]);
      const rotated = set.keystore.filter(({ path }) => path.includes('.old/')).length;
      t.equal(rotated > 0, what === 'rotate-data');
    });
  }
  t.match(await enclave.ask({ type: 'keys-status' }), { taken: { generation: 1 } });
});

t.test('forgets old data keys, and settles on the newer of two passwords', async (t) => {
  const { rig, enclave } = await serving(t);
  for (const action of [changes['rotate-data'], changes['rotate-database']])
    if (action) t.match(await enclave.bring(await enclave.make(action)), { type: 'keys-taken' });
  const forgotten = await enclave.make({ kind: 'forget-data', clients: [CLIENT_ID] });
  t.notOk(setOf(forgotten).keystore.some(({ path }) => path.includes('.old/')));
  const both = await openedIn(t, rig, forgotten);
  const settled = await openedIn(t, rig, await enclave.make({ kind: 'settle-database', user: USER }));
  t.same(settled.databaseSecrets.get(USER)?.map(textOf), [textOf(both.databaseSecrets.get(USER)?.[1])]);
});

t.test('hands out verifiers that the database would take', async (t) => {
  const { first } = await serving(t);
  const [secret] = setOf(first).secrets;
  t.match(parseVerifier(Buffer.from(secret?.verifier ?? '')), { kind: 'verifier' });
});

t.test('makes no passwords where clients log in themselves, and none in the place of verifiers', async (t) => {
  const { first } = await serving(t, {}, { login: 'client', users: [] });
  t.same(setOf(first).secrets, []);
  const enclave = await (await keyRig(t, {}, { login: 'verifier' })).boot();
  const request = await enclave.request({ kind: 'ceremony', clients: [CLIENT_ID], secrets: [] });
  t.match(await enclave.change(request), { code: 'KEY_REQUEST_REFUSED', message: /verifier of each user/ });
  const verifier = setOf(await (await (await keyRig(t)).boot()).ceremony()).secrets[0]?.verifier ?? '';
  const secrets = [await enclave.sealed(USER, verifier, request)];
  const kept = madeSet(
    await enclave.change({ ...request, action: { kind: 'ceremony', clients: [CLIENT_ID], secrets } }),
  );
  t.match(setOf(kept).secrets, [{ user: USER, verifier: null }]);
});

t.test('has the keys of one set in memory, zeroed and gone when others are in use', async (t) => {
  const { enclave } = await serving(t);
  const before = (await enclave.brought)?.first.keys;
  t.equal(readdirSync(enclave.keysFolder).length, 1);
  await enclave.bring(await enclave.make({ kind: 'rotate-master' }));
  t.throws(() => before?.masterKey.use(() => undefined), { code: 'RUNTIME_SECRET_WIPED' });
  t.throws(() => before?.databaseSecrets.get(USER)?.[0]?.use(() => undefined), { code: 'RUNTIME_SECRET_WIPED' });
  t.match(readdirSync(enclave.keysFolder), [/^generation-2-/]);
  await enclave.desk.stop();
  t.same(readdirSync(enclave.keysFolder), []);
});

async function exchangeFails(t: Test, code: 'KEYS_NOT_EXCHANGED' | 'KEYS_EXCHANGED_IN_PART') {
  const { enclave } = await serving(t);
  const made = await enclave.make({ kind: 'rotate-master' });
  enclave.desk.followedBy(() => Promise.reject(new SupervisorError(code, 'not this time')));
  t.match(await enclave.bring(made), { type: 'refusal', code });
  t.match(await enclave.ask({ type: 'keys-status' }), { taken: { generation: 1 } });
  return { enclave, made };
}

t.test('goes on with the old keys where others could not be put to use, and takes them later', async (t) => {
  const { enclave, made } = await exchangeFails(t, 'KEYS_NOT_EXCHANGED');
  t.match(readdirSync(enclave.keysFolder), [/^generation-1-/]);
  enclave.desk.followedBy(async () => undefined);
  t.match(await enclave.bring(made), { type: 'keys-taken', generation: 2 });
});

t.test(
  'has the lease of a set begin when its keeper was asked, however long it took to open all that is in it',
  async (t) => {
    const { rig, enclave } = await serving(t);
    const { logger } = enclave;
    const log = logger.log.bind(logger);
    Object.assign(logger, {
      log: (...told: Parameters<typeof log>) => {
        if (told[1] === 'keystore.checked') rig.clock.advance(60_000);
        log(...told);
      },
    });
    const made = await enclave.make({ kind: 'rotate-kms' });
    const askedMs = rig.clock.monotonicMs();
    let exchanged: number | undefined;
    enclave.desk.followedBy(async (next) => {
      exchanged = next.askedMs;
    });
    t.match(await enclave.bring(made), { type: 'keys-taken' });
    t.equal(exchanged, askedMs);
    t.equal(rig.clock.monotonicMs(), askedMs + 60_000);
  },
);

t.test('raises an alarm where two sets are in use at once', async (t) => {
  const { enclave } = await exchangeFails(t, 'KEYS_EXCHANGED_IN_PART');
  t.match(enclave.logger.records.at(-1), { level: 'error', event: 'keys.refused' });
});

t.test('finishes an exchange whose asker has left', async (t) => {
  const { enclave } = await serving(t);
  const made = await enclave.make({ kind: 'rotate-kms' });
  const asker = new AbortController();
  enclave.desk.followedBy(async (_next, signal) => {
    asker.abort(new Error('the parent has left'));
    signal.throwIfAborted();
  });
  await enclave.ask({ type: 'bring-keys', ...made }, asker.signal);
  t.match(await enclave.ask({ type: 'keys-status' }), { taken: { generation: 2 } });
});

t.test('counts what was done and refused, by what was asked', async (t) => {
  const { enclave } = await serving(t);
  await enclave.ask({ type: 'change-keys', request: 'AAAA' });
  const counts = Object.fromEntries(
    enclave.desk.samples.map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(' '), value]),
  );
  t.same(counts, {
    keys_in_use_generation: 1,
    'key_operations_total ceremony done': 1,
    'key_operations_total take done': 1,
    'key_operations_total unread refused': 1,
  });
});

t.test(
  'refuses more than it can work on, and everything before its boot has come to keys (KEYS_NOT_NOW)',
  async (t) => {
    const { enclave } = await serving(t);
    const request = await enclave.request({ kind: 'rotate-kms' });
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => enclave.change(request)));
    t.same(
      answers.map((answer) => (answer.type === 'refusal' ? answer.code : answer.type)),
      ['keys-made', 'keys-made', 'keys-made', 'keys-made', 'KEYS_NOT_NOW', 'KEYS_NOT_NOW'],
    );
    const booting = await (await keyRig(t)).boot();
    await booting.bring(await booting.ceremony());
    t.match(await booting.bring(await booting.make({ kind: 'rotate-kms' })), { code: 'KEYS_NOT_NOW' });
  },
);
