/** Data keys that nobody has seen are rotated in the running enclave, and forgotten when it is proved that nothing is under them, by an operator’s commands alone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { connectDirectly } from '../../cli/demo/clients.ts';
import { writeVerificationFiles } from '../../cli/demo/verification.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { prepareStack, step } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { LOGIN, wordsThrough } from './support/existing-data.ts';
import { connect } from './support/key-desk.ts';
import { shownCertificate } from './support/shown-certificate.ts';
import { changeInDatabase } from './support/verifier-login.ts';

const ROWS = 300;
const IDS = Array.from({ length: ROWS }, (_, at) => at + 1);
const rowOf = (id: number) => [id, `name ${id}`, `${id}@example.org`, id % 9 === 0 ? null : `diagnosis of ${id}`];
const ALL = IDS.map(rowOf);
const DIAGNOSES = ALL.filter(([, , , diagnosis]) => diagnosis !== null).length;
/** Where a searchable column has the id of its key. */
const EMAIL_KEY_ID = "encode(substr(email, 59, 2), 'hex')";

t.test('rotate data, keys ids, data reencrypt, its proof, forget-old: every row is read at every step', async (t) => {
  const folder = temporaryFolder(t);
  const keysFolder = join(folder, 'keys');
  const stack = await prepareStack(t, { keysSource: 'parent', hostSettings: { keys: { folder: keysFolder } } });
  await stack.allowMeasuredEnclave();
  const { measurements, trustRoot } = await writeVerificationFiles(stack);
  const { operators, clientFiles } = stack.parts;
  const client = ['--client', clientFiles.certificate];
  const enclave = ['--enclave', stack.enclaveFolder];
  const proof = ['--measurements', measurements, '--trust-root', trustRoot];
  const daemon = ['--config', join(stack.options.root, 'host-proxy.yaml')];
  const change = [...enclave, ...proof, ...daemon, '--key', operators[0]?.privateKeyFile ?? '', '--json'];
  const run = async (words: readonly string[]) => {
    const { code, stdout, stderr } = await acraEnclave(words);
    t.equal(code, 0, `${words.slice(0, 3).join(' ')}: ${stderr}`);
    return JSON.parse(stdout);
  };
  const write = (name: string, content: unknown) => {
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify(content));
    return file;
  };

  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  await stack.enclave.until(({ reason }) => reason?.code === 'HOST_KEYS_MISSING', step());
  const first = await run(['keys', 'ceremony', ...change, ...client]);
  await changeInDatabase(stack, /'(SCRAM[^']+)'/.exec(first.database[0])?.[1] ?? '');
  const address = await stack.enclave.untilServing(step());
  const session = await connect(stack, address);
  const insert = 'INSERT INTO patients VALUES ($1, $2, $3, $4)';
  for (const row of ALL) await session.query(insert, row);
  const read = async () => {
    const text = 'SELECT id, name, email, diagnosis FROM patients ORDER BY id';
    return (await session.query({ text, rowMode: 'array' })).rows;
  };
  const direct = await connectDirectly(stack);
  t.teardown(() => direct.end());
  const keysOfEmails = async () => {
    const { rows } = await direct.query(`SELECT ${EMAIL_KEY_ID} AS id, count(*)::int FROM patients GROUP BY 1`);
    return Object.fromEntries(rows.map(({ id, count }) => [id, count]));
  };

  const rotated = await run(['keys', 'rotate', 'data', ...change, ...client]);
  t.match(rotated, { generation: 2, taken: true });
  const ids = await run(['keys', 'ids', ...enclave, ...proof, ...daemon, '--json']);
  const [{ current, old }] = ids.clients;
  t.same(await keysOfEmails(), { [old[0]]: ROWS });
  t.same(await read(), ALL, 'old rows are read with the new keys');
  await session.query('UPDATE patients SET name = name, email = $1 WHERE id = 1', ['1@example.org']);
  t.same(await keysOfEmails(), { [old[0]]: ROWS - 1, [current]: 1 }, 'the session writes under the new one');

  const ca = join(folder, 'shown.pem');
  writeFileSync(ca, (await shownCertificate(address)).toString());
  const reencrypt = (keyIds: string, ...words: readonly string[]) => {
    const through = [...wordsThrough(stack, address), '--ca', ca];
    return ['data', 'reencrypt', ...enclave, ...LOGIN, ...through, '--key-ids', keyIds, ...words, '--json'];
  };
  const keyIds = write('key-ids.json', ids);
  const forget = (file: string) => ['keys', 'forget-old', ...change, ...client, '--proof', file];

  const early = await acraEnclave(reencrypt(keyIds, '--check'));
  t.match(early, { code: 1, stdout: /"outcome": ?"left"/ });
  t.match(await acraEnclave(forget(write('left.json', JSON.parse(early.stdout)))), { stderr: /KEY_PROOF/ });

  const older = ['--key-set', join(keysFolder, first.name)];
  const olderIds = write('older-ids.json', await run(['keys', 'ids', ...enclave, ...proof, ...older, '--json']));
  const ofOlder = await acraEnclave(reencrypt(olderIds, '--check'));
  t.match(JSON.parse(ofOlder.stdout), { outcome: 'proved', current: old[0] });
  t.match(
    await acraEnclave(forget(write('of-older.json', JSON.parse(ofOlder.stdout)))),
    { stderr: /KEY_PROOF/ },
    'what is proved by the ids of an older set has nothing forgotten',
  );

  const done = await run(reencrypt(keyIds));
  t.match(done, { outcome: 'proved', written: ROWS - 1 + DIAGNOSES, states: { old: 0 } });
  t.same(await keysOfEmails(), { [current]: ROWS });
  t.same(await read(), ALL);
  const proved = write('proof.json', await run(reencrypt(keyIds, '--check')));

  t.match(await run(forget(proved)), { generation: 3, taken: true });
  t.same((await run(['keys', 'ids', ...enclave, ...proof, ...daemon, '--json'])).clients, [
    { ...ids.clients[0], old: [] },
  ]);
  t.same(await read(), ALL, 'nothing needs the old keys, in the session that began before');
  const another = await connect(stack, address);
  t.same((await another.query({ text: 'SELECT id FROM patients WHERE email = $1', values: ['7@example.org'] })).rows, [
    { id: 7 },
  ]);
  await another.end();
  await session.end();
});
