/** What an application does to an acra-server in line that must not go unnoticed, from its session to the parent's log. */
import type { Client } from 'pg';
import t, { type Test as TapTest } from 'tap';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { withoutRealAcraServer } from '../acra/support/real-acra-server.ts';
import { poisonRecord } from '../support/poison-record.ts';
import type { LogLine } from '../support/stack.ts';
import { IN_LINE, logLines, servingStack, step } from '../support/stack.ts';

const alarmsOf = (stack: Stack) =>
  logLines(stack.enclave, 'host-proxy')
    .filter(({ event, source }) => event === 'acra.alarm' && source === 'enclave')
    .map(({ level, fields }) => ({ level, ...(fields as LogLine) }) as LogLine);

/** The first that fits, of those that came after the first `skip`. */
async function untilAlarm(stack: Stack, wanted: (alarm: LogLine) => boolean, skip = 0): Promise<LogLine | undefined> {
  const find = () => alarmsOf(stack).slice(skip).find(wanted);
  await stack.enclave.until(() => find() !== undefined, step());
  return find();
}

const unnoticed: [what: string, concern: string, run: (session: Client) => Promise<unknown>][] = [
  [
    'a statement that acra-server cannot read',
    'unexamined',
    (session) =>
      session.query("INSERT INTO patients (id, name, diagnosis) VALUES (1, 'A', 'gout') ON CONFLICT DO NOTHING"),
  ],
  [
    'parameters that it does not encrypt, under a name of 20,000 bytes',
    'plaintext',
    (session) =>
      session.query({
        name: 'n'.repeat(20_000),
        text: "UPDATE patients SET diagnosis = $1 WHERE email = 'a@example.org'",
        values: ['gout'],
      }),
  ],
  [
    'a statement of 20,000 bytes with a value that it does not encrypt',
    'plaintext',
    (session) => session.query(`UPDATE patients SET name = '${'n'.repeat(20_000)}', diagnosis = 0x41`),
  ],
];

t.test('the real acra-server', { skip: withoutRealAcraServer }, async (t) => {
  const { stack, address } = await servingStack(t, IN_LINE);
  for (const [what, concern, run] of unnoticed) {
    await t.test(`raises an alarm at the parent for ${what}`, async (t) => {
      t.capture(console, 'error'); // The driver warns of the long name.
      const before = alarmsOf(stack).length;
      const session = await connectThroughEnclave(stack, address);
      // The database refuses what is stored as plaintext; by then it has seen it.
      await run(session).catch(() => undefined);
      await session.end();
      t.ok(await untilAlarm(stack, (alarm) => alarm['concern'] === concern, before));
    });
  }
});

/** Nothing in them can hold a protected value, and acra-server writes three to five records of each. */
const harmless = [
  'DISCARD ALL',
  'DEALLOCATE ALL',
  'LISTEN news',
  'VACUUM',
  'CREATE TEMP TABLE scratch (a int)',
  'SELECT count(*) FILTER (WHERE id > 1) FROM patients',
];
const PLAINTEXT = 'UPDATE patients SET diagnosis = 0x41';

t.test('of statements that acra-server cannot read', { skip: withoutRealAcraServer }, async (t) => {
  const { stack, address } = await servingStack(t, IN_LINE);
  const session = await connectThroughEnclave(stack, address);
  /** What the statements raise; the log keeps its order, so all of it is there when what comes after it is. */
  const raisedBy = async (t: TapTest, statements: readonly string[]) => {
    const before = alarmsOf(stack).length;
    for (const sql of statements) await session.query(sql);
    await session.query(PLAINTEXT).catch(() => undefined);
    const last = await untilAlarm(stack, ({ concern }) => concern === 'plaintext', before);
    t.match(last, { level: 'fatal' }, 'a value that went out as it came is a fatal alarm');
    return alarmsOf(stack)
      .slice(before)
      .filter(({ concern }) => concern !== 'plaintext');
  };

  t.test('raises no more alarms than there were, none of them fatal', async (t) => {
    const raised = await raisedBy(t, harmless);
    t.ok(raised.length >= 1 && raised.length <= harmless.length, `${raised.length} alarms`);
    t.ok(raised.every(({ level, concern }) => level === 'error' && concern === 'unexamined'));
  });

  t.test('keeps the alarms that prove harm visible after a hundred of them', async (t) => {
    const flood = Array.from({ length: 100 }, () => 'DISCARD ALL');
    t.ok((await raisedBy(t, flood)).every(({ level }) => level === 'error'));
    await session.query('SELECT 1; SELECT 2');
    t.match(await untilAlarm(stack, ({ concern }) => concern === 'undetected'), { level: 'fatal' });
    await session.end();
  });
});

t.test('raises an alarm at the parent for a poison record', async (t) => {
  const { stack, address } = await servingStack(t, IN_LINE);
  const owner = await connectDirectly(stack);
  await owner.query("INSERT INTO patients (id, name, diagnosis) VALUES (99, 'P', $1)", [await poisonRecord(stack)]);
  await owner.end();
  const session = await connectThroughEnclave(stack, address);
  await session.query('SELECT diagnosis FROM patients').catch(() => undefined);
  t.match(await untilAlarm(stack, ({ acraCode }) => acraCode === 101), {
    level: 'fatal',
    concern: 'poison',
  });
  await stack.enclave.until(({ publicAddress }) => publicAddress === null, step());
  t.pass('and the public port is closed');
});
