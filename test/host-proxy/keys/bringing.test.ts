/** Which key set the daemon brings and when, and what it tells of it. */
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { KeyFolder } from '../../../host-proxy/keys/key-folder.ts';
import { keySetDigest } from '../../../keys/set/key-set.ts';
import { KeyEnclave } from '../../keys/support/key-enclave.ts';
import { signedRequest, verifyingKeyOf } from '../../keys/support/signed-request.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { daemon, ROTATE, withSets } from './support/keeping-daemon.ts';
import { makerOfSets } from './support/made-sets.ts';

t.test('brings nothing while there is nothing, and says so (HOST_KEYS_MISSING)', async (t) => {
  const { says, keys, count, look } = await daemon(t);
  await says('boot');
  t.match(keys().status, { newest: null, taken: null, problem: { code: 'HOST_KEYS_MISSING' } });
  await look(30);
  t.equal(count('bring-keys'), 0);
});

t.test('brings the newest generation to the next boot, once', async (t) => {
  const { says, enclave, count, look, keys } = await withSets(t);
  enclave.restart();
  await says('second');
  t.equal(enclave.taken?.generation, 2);
  const before = count('bring-keys');
  await look(100);
  t.equal(count('bring-keys'), before);
  t.match(keys().status.taken, { generation: 2 });
});

t.test('brings a set that was stored but not brought when the daemon ended, to an enclave that serves', async (t) => {
  const { says, enclave, restart, change, count } = await withSets(t);
  enclave.refusing.set('bring-keys', 'KMS_UNAVAILABLE');
  await change(ROTATE);
  t.equal(enclave.taken?.generation, 2);
  enclave.refusing.clear();
  const brought = count('bring-keys');
  await restart();
  await says('first', 'serving');
  t.equal(enclave.taken?.generation, 3);
  t.equal(count('bring-keys'), brought + 1);
});

t.test('tells a refusal with the enclave’s code, and tries again by back-off, not in a tight loop', async (t) => {
  const { says, enclave, keys, logger, count, look, audit } = await withSets(t);
  enclave.restart();
  enclave.refusing.set('bring-keys', 'KMS_UNAVAILABLE');
  const before = count('bring-keys');
  await says('second');
  t.match(keys().status, { taken: null, problem: { code: 'KMS_UNAVAILABLE' }, refusals: 1 });
  await look(300);
  const tries = count('bring-keys') - before;
  t.ok(tries > 5 && tries < 20, `${tries} tries in five minutes`);
  t.equal(logger.records.filter(({ event, level }) => event === 'keys.refused' && level === 'error').length, 1);
  t.equal(audit().filter((what) => what === 'refused').length, 1, 'once for this boot');
  enclave.refusing.clear();
  await look(60);
  t.match(keys().status, { problem: null, taken: { generation: 2 } });
});

t.test(
  'brings a set once to an enclave that waits for operators’ shares of it, and calls that no refusal',
  async (t) => {
    const { says, enclave, keys, count, look, audit } = await withSets(t);
    enclave.restart();
    enclave.refusing.set('bring-keys', 'KEY_SHARES_AWAITED');
    const before = count('bring-keys');
    await says('second');
    await look(300);
    t.equal(count('bring-keys'), before + 1);
    t.match(keys().status, { taken: null, problem: { code: 'KEY_SHARES_AWAITED' }, refusals: 0 });
    t.notOk(audit().includes('refused'));
  },
);

t.test('takes it for no refusal that the enclave is not ready for keys yet', async (t) => {
  const { says, enclave, keys, look, audit } = await withSets(t);
  enclave.restart();
  enclave.refusing.set('bring-keys', 'KEYS_NOT_NOW');
  await says('second');
  t.match(keys().status, { problem: { code: 'KEYS_NOT_NOW' }, refusals: 0 });
  enclave.refusing.clear();
  await look(3);
  t.match(keys().status, { problem: null, taken: { generation: 2 } });
  t.notOk(audit().includes('refused'));
});

t.test('tries at once when the folder changes', async (t) => {
  const { says, enclave, look, folder, keys } = await withSets(t);
  const aside = temporaryFolder(t);
  const { sets } = await keys().list();
  for (const { name } of sets) {
    cpSync(join(folder, name), join(aside, name), { recursive: true });
    rmSync(join(folder, name), { recursive: true });
  }
  enclave.restart();
  await says('second');
  await look(200);
  t.match(keys().status.problem, { code: 'HOST_KEYS_MISSING' });
  for (const { name } of sets) cpSync(join(aside, name), join(folder, name), { recursive: true });
  await look();
  t.equal(enclave.taken?.generation, 2);
});

t.test('never brings an older set in the place of one that is refused', async (t) => {
  const { says, enclave, count } = await withSets(t);
  enclave.restart();
  enclave.refusing.set('bring-keys', 'KEY_SET_UNSEALABLE');
  const before = count('bring-keys');
  await says('second');
  t.equal(enclave.taken, undefined);
  t.equal(count('bring-keys'), before + 1, 'the newest, and no other');
});

t.test(
  'brings the set that the configuration pins, when the newest is another, and tells that it is older',
  async (t) => {
    const folder = join(temporaryFolder(t), 'keys');
    const maker = makerOfSets();
    const made = [await maker.next(), await maker.next(), await maker.next()];
    const store = new KeyFolder(folder);
    store.prepare();
    for (const each of made) await store.store(each);
    const pin = keySetDigest(made[1]?.keySet ?? Buffer.alloc(0));
    const { says, enclave, keys } = await daemon(t, { pin, chain: maker.enclave.chain }, folder);
    await says('boot');
    t.equal(enclave.takenSha256, pin);
    t.equal(keys().status.problem, null);
  },
);

/** Two generations, and another second one, made from the first once more and never taken. */
async function withTwin(t: Test) {
  const made = await withSets(t);
  const { enclave, folder, keys, operator } = made;
  const twin = new KeyEnclave({ operators: [verifyingKeyOf(operator)], chain: enclave.chain });
  const [first, second] = (await keys().list()).sets;
  if (first === undefined || second === undefined) throw new Error('there are no sets');
  const files = await new KeyFolder(folder).read(first);
  await twin.answer({
    type: 'bring-keys',
    keySet: files.keySet.toString('base64'),
    transcript: files.transcript.toString('base64'),
  });
  const answer = await twin.answer({
    type: 'change-keys',
    request: signedRequest(twin, ROTATE, [operator]).toString('base64'),
  });
  if (answer.type !== 'keys-made') throw new Error(answer.type);
  await new KeyFolder(folder).store({
    keySet: Buffer.from(answer.keySet, 'base64'),
    transcript: Buffer.from(answer.transcript, 'base64'),
  });
  return { ...made, used: second };
}

t.test('brings of two sets of one generation the one that was taken, and tells that there are two', async (t) => {
  const { says, enclave, keys, restart, used } = await withTwin(t);
  enclave.restart();
  await restart();
  await says('second');
  t.equal(enclave.takenSha256, used.sha256);
  t.same(keys().status.doubled, [2]);
});

t.test('brings no twin in the place of the set that was in use and is damaged on disk', async (t) => {
  const { says, enclave, folder, keys, restart, look, logger, used } = await withTwin(t);
  const file = join(folder, used.name, 'key-set.json');
  writeFileSync(file, readFileSync(file).subarray(0, -1));
  enclave.restart();
  await restart();
  await says('second');
  t.equal(enclave.taken, undefined);
  t.match(keys().status, { taken: null, damaged: 1, problem: { code: 'HOST_KEYS_DAMAGED' } });
  await t.rejects(keys().first(), { code: 'HOST_KEYS_DAMAGED' });

  await t.test('but once the folder of that is out of the way, and as an alarm', async (t) => {
    renameSync(join(folder, used.name), join(temporaryFolder(t), used.name));
    await look(2);
    t.match(keys().status, { problem: null, taken: { generation: 2 } });
    t.match(
      logger.records.filter(({ event }) => event === 'keys.older'),
      [{ level: 'error', fields: { generation: 2, takenBefore: 2 } }],
    );
  });
});

t.test('tells a set on disk that is older than the one that was taken last', async (t) => {
  const { says, enclave, folder, keys, logger } = await withSets(t);
  const newest = (await keys().list()).sets.at(-1);
  rmSync(join(folder, newest?.name ?? ''), { recursive: true });
  enclave.restart();
  await says('second');
  t.match(
    logger.records.filter(({ event }) => event === 'keys.older'),
    [{ level: 'error', fields: { generation: 1, takenBefore: 2 } }],
  );
  t.match(keys().status, { newest: { generation: 1 }, audit: { lastTaken: { generation: 1 } } });
});

t.test('brings no older set in the place of one that is damaged on disk (HOST_KEYS_DAMAGED)', async (t) => {
  const { says, enclave, folder, keys, count, look } = await withSets(t);
  const newest = (await keys().list()).sets.at(-1);
  const file = join(folder, newest?.name ?? '', 'key-set.json');
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, -1));
  await look(2);
  t.match(keys().status.problem, { code: 'HOST_KEYS_NOT_ON_DISK' }, 'as long as the enclave lives that has it');
  enclave.restart();
  const before = count('bring-keys');
  await says('second');
  t.match(keys().status, { taken: null, damaged: 1, problem: { code: 'HOST_KEYS_DAMAGED' } });
  await look(100);
  t.equal(count('bring-keys'), before);
  await t.rejects(keys().first(), { code: 'HOST_KEYS_DAMAGED' }, 'nor are operators shown one, for their shares');

  await t.test('and brings it as soon as it is whole again', async (t) => {
    writeFileSync(file, whole);
    await look(2);
    t.match(keys().status, { problem: null, taken: { generation: 2 } });
  });
});

t.test('brings an older set once the folder of the damaged one is out of the way', async (t) => {
  const { says, enclave, folder, keys, look } = await withSets(t);
  const name = (await keys().list()).sets.at(-1)?.name ?? '';
  writeFileSync(join(folder, name, 'transcript.json'), '');
  enclave.restart();
  await says('second');
  t.match(keys().status, { taken: null, problem: { code: 'HOST_KEYS_DAMAGED' } });
  renameSync(join(folder, name), join(temporaryFolder(t), name));
  await look(2);
  t.match(keys().status, { problem: null, taken: { generation: 1 } });
});

t.test(
  'says that the set in use is not on disk any more, before the enclave ends (HOST_KEYS_NOT_ON_DISK)',
  async (t) => {
    const { folder, keys, look } = await withSets(t);
    const newest = (await keys().list()).sets.at(-1);
    rmSync(join(folder, newest?.name ?? ''), { recursive: true });
    await look(2);
    t.match(keys().status.problem, { code: 'HOST_KEYS_NOT_ON_DISK' });
  },
);
