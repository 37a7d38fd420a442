/** What the whole product tells of statements: hints, counters, slow ones, and a guard that only reports. Never a value. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { request } from 'undici';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { childPid, logLines, type ServingStack, servingStack, step } from '../support/stack.ts';

const PLAINTEXT = 'plaintext marker';
const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
const HIDDEN = `INSERT INTO patients (id, name, email, diagnosis) VALUES (7, 'G', 'g@example.org', lower('${PLAINTEXT}')::bytea)`;
const health = { metricsIntervalMs: 200 };

/** Waits until all of these lines are told. @returns all of them */
async function metricsWith({ stack }: Pick<ServingStack, 'stack'>, ...lines: readonly string[]): Promise<string> {
  const signal = step();
  for (;;) {
    const { body } = await request(`${stack.enclave.adminUrl}/metrics`, { signal });
    const told = await body.text();
    if (lines.every((line) => told.includes(`acra_enclave_guard_${line}\n`))) return told;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const records = ({ stack }: ServingStack, event: string) =>
  logLines(stack.enclave, 'supervisor').filter((line) => line.event === event);

async function untilRecord(serving: ServingStack, event: string) {
  const signal = step();
  for (;;) {
    const found = records(serving, event);
    if (found.length > 0) return found;
    signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A session that meets a guard just ending is cut with it. */
async function onceItIsBack<Client>(connect: () => Promise<Client>): Promise<Client> {
  const signal = step();
  for (;;) {
    try {
      return await connect();
    } catch {
      signal.throwIfAborted();
    }
  }
}

const logText = ({ stack }: ServingStack) => readFileSync(stack.enclave.supervisor?.logFile ?? '', 'utf8');

t.test('a guard that enforces', async (t) => {
  const serving = await servingStack(t, { enclaveSettings: { health, guard: { slowStatementMs: 300 } } });
  const client = await connectThroughEnclave(serving.stack, serving.address);

  await t.test('tells the client the form that is accepted, and where it is described', async (t) => {
    await t.rejects(client.query(HIDDEN), {
      code: '0A000',
      hint: /^Give the value as a literal or a parameter.* See docs\/refusals\.md#value-hidden$/,
    });
  });

  await t.test('counts statements, refusals, values and time', async (t) => {
    await client.query(INSERT, [1, 'A', 'a@example.org', PLAINTEXT]);
    await client.query('SELECT email, diagnosis FROM patients WHERE email = $1', ['a@example.org']);
    await client.query('SELECT 1');
    const told = await metricsWith(
      serving,
      'statements_total{statement="insert",verdict="protected"} 1',
      'statements_total{statement="insert",verdict="refused"} 1',
      'statements_total{statement="select",verdict="protected"} 1',
      'refusals_total{reason="value-hidden",outcome="refused"} 1',
      'values_total{operation="encrypted"} 2',
      'values_total{operation="hashed"} 1',
      'values_total{operation="decrypted"} 2',
      'mode{mode="enforce"} 1',
      'mode{mode="report"} 0',
      'relations{relations="listed"} 1',
    );
    for (const phase of ['judge', 'engine', 'database']) {
      const [, seconds] = new RegExp(`phase_seconds_total\\{phase="${phase}"\\} (.*)`).exec(told) ?? [];
      t.ok(Number(seconds) > 0 && Number(seconds) < 60, `${phase}: ${seconds}`);
    }
  });

  await t.test('logs a slow statement with its phases, and no value', async (t) => {
    await client.query(`SELECT diagnosis, pg_sleep(0.4) FROM patients WHERE email = 'a@example.org'`);
    const [found] = await untilRecord(serving, 'guard.slow-statement');
    t.match(found, { statement: 'select', verdict: 'protected', fingerprint: /^[0-9a-f]{16}$/, leftOut: 0 });
    t.ok(Number(found?.['databaseMs']) >= 390);
    t.ok(Number(found?.['judgeMs']) + Number(found?.['engineMs']) < 300);
  });

  await t.test('keeps its counters when the guard ends, with what it had not told', async () => {
    await client.query(INSERT, [2, 'B', 'b@example.org', PLAINTEXT]);
    client.on('error', () => undefined);
    process.kill(childPid(serving.stack.enclave, 'guard'), 'SIGTERM');
    await metricsWith(serving, 'statements_total{statement="insert",verdict="protected"} 2');
    const other = await onceItIsBack(() => connectThroughEnclave(serving.stack, serving.address));
    await other.query(INSERT, [3, 'C', 'c@example.org', PLAINTEXT]);
    await other.end();
    await metricsWith(serving, 'statements_total{statement="insert",verdict="protected"} 3');
  });

  t.notMatch(logText(serving), PLAINTEXT);
  t.notMatch(logText(serving), 'example.org');
});

t.test('a guard that reports', async (t) => {
  const guard = { mode: 'report', relations: 'any' };
  const serving = await servingStack(t, { enclaveSettings: { health, guard } });
  const { stack } = serving;
  const client = await connectThroughEnclave(stack, serving.address);
  const owner = await connectDirectly(stack);
  t.teardown(() => Promise.all([client.end(), owner.end()]));

  await t.test('passes what it would refuse as it is, counts it and logs it', async (t) => {
    // Where the table does not refuse plaintext by itself.
    for (const column of ['email', 'diagnosis'])
      await owner.query(`ALTER TABLE patients DROP CONSTRAINT acra_belt_${column}`);
    await client.query(HIDDEN);
    await client.query(INSERT, [8, 'H', 'h@example.org', PLAINTEXT]);
    const { rows } = await owner.query('SELECT diagnosis FROM patients WHERE id IN (7, 8) ORDER BY id');
    t.equal(rows[0].diagnosis.toString(), PLAINTEXT, 'as it was written');
    t.notMatch(rows[1].diagnosis.toString('latin1'), PLAINTEXT, 'what can be protected is');
    await t.rejects(client.query('SELEC 1'), { code: '42601', message: /^refused by acra-enclave/ });
    await metricsWith(
      serving,
      'statements_total{statement="insert",verdict="reported"} 1',
      'statements_total{statement="insert",verdict="protected"} 1',
      'refusals_total{reason="value-hidden",outcome="reported"} 1',
      'refusals_total{reason="syntax",outcome="refused"} 1',
      'mode{mode="report"} 1',
      'relations{relations="any"} 1',
    );
    const [found] = await untilRecord(serving, 'guard.would-refuse');
    t.match(found, { refusal: 'value-hidden', sqlState: '0A000', fingerprint: /^[0-9a-f]{16}$/ });
  });

  await t.test('is told at boot, by the status, and by a check of the configuration', async (t) => {
    t.match(records(serving, 'guard.weakened'), [
      { what: /guard\.mode is report/ },
      { what: /guard\.relations is any/ },
    ]);
    const { body } = await request(`${stack.enclave.adminUrl}/status`, { signal: step() });
    t.match(await body.json(), { guard });
    const check = await acraEnclave(['config', 'check', join(stack.enclaveFolder, 'enclave.yaml')]);
    t.equal(check.code, 0, check.stderr);
    t.match(check.stdout, /warning guard\.mode is report: .*plaintext/);
    t.match(check.stdout, /warning guard\.relations is any: .*plaintext/);
  });

  t.notMatch(logText(serving), PLAINTEXT);
});
