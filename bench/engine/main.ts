/**
 * What a value costs through acra-server as an engine, in µs of CPU, against the same program in line in the same run: a
 * prepared SELECT of two protected cells, and of 1,000 rows of them.
 *
 *   node bench/engine/main.ts [--rounds 3]
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { PROGRAMS, startEngine } from '../../test/acra/engine/support/engine-rig.ts';
import { ENCRYPTOR_CONFIG, MASTER_KEY, startRig } from '../../test/emulator/acra-server/support/rig.ts';
import { median } from '../median.ts';
import { cpuTimesOf } from '../proc.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const rounds = Number(values.rounds);
const program = process.env['ACRA_SERVER'] ? 'acra-server' : 'the stand-in';
const command = PROGRAMS[program]?.command ?? { program: '', args: [] };
const VALUE = randomBytes(50).toString('base64');
const ROWS = 1_000;

const cpuUs = (pid = 0) => 1_000 * cpuTimesOf(pid).ownMs;

const disposers: (() => unknown)[] = [];
const teardown = { teardown: (run: () => unknown) => void disposers.unshift(run) };
const rig = await startRig(teardown);
const inLine = await rig.acra({ command });
const keystore = { folder: rig.keysFolder, masterKey: MASTER_KEY };
const clientId = rig.clientId('alice');
const own = await startEngine(teardown, { command, keystore, clientId, encryptorConfig: ENCRYPTOR_CONFIG });
const of = own.column('secret');
const stored = await own.engine.protect(of, Buffer.from(VALUE));

/** µs of acra-server's CPU, and of ours, for each value. */
async function measure(pid: number | undefined, count: number, valuesEach: number, run: () => Promise<unknown>) {
  const acraUs: number[] = [];
  const ownUs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const [before, ownBefore] = [cpuUs(pid), process.cpuUsage()];
    for (let at = 0; at < count; at += 1) await run();
    const { user, system } = process.cpuUsage(ownBefore);
    acraUs.push((cpuUs(pid) - before) / count / valuesEach);
    ownUs.push((user + system) / count / valuesEach);
  }
  return { acraUs: median(acraUs), ownUs: median(ownUs) };
}

function print(what: string, { acraUs, ownUs }: { acraUs: number; ownUs: number }, note = ''): void {
  console.log(`${what.padEnd(44)} ${acraUs.toFixed(0).padStart(5)} ${ownUs.toFixed(0).padStart(5)}  ${note}`);
}

console.log(`${program}; µs of CPU a value: its own, and of the process that asks\n`);
const baseline = await rig.through(inLine, async (client) => {
  for (let id = 0; id < ROWS; id += 1) {
    await client.query('INSERT INTO person (id, email, secret) VALUES ($1, $2, $2)', [id, VALUE]);
  }
  const one = { name: 'one', text: 'SELECT email, secret FROM person WHERE id = $1', values: [1] };
  const all = { name: 'all', text: 'SELECT email, secret FROM person' };
  const { pid } = inLine.child;
  return {
    one: await measure(pid, 1_000, 2, () => client.query(one)),
    all: await measure(pid, 5, 2 * ROWS, () => client.query(all)),
  };
});
print('in line, a row of two', baseline.one);
print(`in line, ${ROWS} rows of two`, baseline.all);
const ratio = (base: number, now: number) => `in line costs ${(base / now).toFixed(1)} × that`;
for (const cells of [1, 2, 16, 128, 2 * ROWS]) {
  const run = () => own.engine.reveal(of, Array(cells).fill(stored));
  await run();
  const result = await measure(own.pid, Math.ceil(4_000 / cells), cells, run);
  const base = cells > 2 ? baseline.all : baseline.one;
  print(`engine, ${cells} cell${cells > 1 ? 's' : ''} at once`, result, ratio(base.acraUs, result.acraUs));
}
for (const count of [1, 2, 64]) {
  const value = Buffer.from(VALUE);
  const run = () => Promise.all(Array.from({ length: count }, () => own.engine.protect(of, value)));
  await run();
  print(
    `engine, ${count} value${count > 1 ? 's' : ''} to store at once`,
    await measure(own.pid, Math.ceil(4_000 / count), count, run),
  );
}
for (const dispose of disposers) await dispose();
