/** acra-server's log from its pipe to the parent's file: through the supervisor's buffer, the control connection and host-proxy. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t, { type Test as TapTest } from 'tap';
import { ControlServer } from '../../../../host-proxy/enclave/control-server.ts';
import { EnclaveView } from '../../../../host-proxy/enclave/view.ts';
import { LogSink } from '../../../../host-proxy/logs/log-sink.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { ControlConnection } from '../../../../supervisor/control/connection.ts';
import { LogBuffer } from '../../../../supervisor/control/log-buffer.ts';
import { StatusBoard } from '../../../../supervisor/status.ts';
import { AcraOutput } from '../../../../supervisor/workloads/acra/output.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

interface LoggedCase {
  readonly what: string;
  readonly lines: readonly string[];
}

const logged = JSON.parse(
  readFileSync(new URL('../../../vectors/acra/acra-0.96.0-alarms.json', import.meta.url), 'utf8'),
) as readonly LoggedCase[];

async function chain(t: TapTest) {
  const folder = temporaryFolder(t);
  const socketPath = join(folder, 'control.sock');
  const file = join(folder, 'host.log');
  const sink = new LogSink({ level: 'info', file, clock: systemClock });
  const view = new EnclaveView(systemClock, 20_000);
  const server = new ControlServer({ socketPath, maxFrameBytes: 1 << 20, view, sink });
  await server.start(new AbortController().signal);
  const status = new StatusBoard(systemClock);
  const logs = new LogBuffer({ clock: systemClock, maxRecords: 1_000, onRecord: () => control.pushLogs() });
  const control: ControlConnection = new ControlConnection({
    socketPath,
    hello: { type: 'hello', protocol: 1, bootId: 'boot', release: '0', simulated: true },
    logs,
    logger: logs,
    currentStatus: () => status.current,
    onFailure: (error) => t.fail(String(error)),
    onStopRequest: () => undefined,
    clock: systemClock,
    random: seededRandom('chain'),
  });
  await control.start(new AbortController().signal);
  t.teardown(async () => {
    await control.stop();
    await server.stop();
    sink.close();
  });
  const output = new AcraOutput('acra-server-2', logs);
  /** What has arrived at the parent when acra-server has said `bytes`, in pieces as a pipe gives them. */
  const say = async (bytes: Buffer): Promise<Record<string, unknown>[]> => {
    const stderr = new PassThrough();
    output.attach([stderr]);
    const pieces = function* () {
      for (let at = 0; at < bytes.length; at += 4_096) yield bytes.subarray(at, at + 4_096);
    };
    await pipeline(pieces, stderr);
    await control.flush(AbortSignal.timeout(10_000));
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"source":"enclave"'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { say, output };
}

const alarms = (records: readonly Record<string, unknown>[]) =>
  records
    .filter(({ event }) => event === 'acra.alarm')
    .map(({ level, fields }) => ({ level, ...(fields as Record<string, unknown>) }) as Record<string, unknown>);

const EXPECTED: Readonly<Record<string, string>> = {
  'INSERT … ON CONFLICT': 'unexamined',
  'WITH … INSERT': 'unexamined',
  'two statements in one query': 'unexamined',
  DO: 'unexamined',
  'COPY … FROM STDIN': 'unexamined',
  'one parameter for two columns': 'plaintext',
  'a prepared statement whose name has 20,000 bytes': 'plaintext',
  'parameters beside a search by a literal': 'plaintext',
  'a number in hexadecimal': 'plaintext',
  'a literal that is no bytea': 'plaintext',
  'a parameter that is no bytea': 'plaintext',
  'PREPARE of a name that exists': 'plaintext',
  'more values than columns': 'unexamined',
  'a poison record': 'poison',
};

/** The one that was read, and the one with which acra-server ends: poison is never grouped. */
const POISON_RECORDS = 2;

t.same(logged.map(({ what }) => what).sort(), Object.keys(EXPECTED).sort(), 'every case has its alarm');

for (const { what, lines } of logged) {
  t.test(`raises an alarm at the parent for ${what}`, async (t) => {
    const { say, output } = await chain(t);
    const raised = alarms(await say(Buffer.from(lines.map((line) => `${line}\n`).join(''))));
    const concern = EXPECTED[what] ?? '';
    const ofConcern = raised.filter((alarm) => alarm['concern'] === concern);
    t.equal(ofConcern.length, concern === 'poison' ? POISON_RECORDS : 1, 'one statement, one alarm');
    t.ok(
      raised.every((alarm) => alarm['level'] === (alarm['concern'] === 'unexamined' ? 'error' : 'fatal')),
      'what is no proof of harm is no fatal alarm',
    );
    t.ok(
      raised.every((alarm) => alarm['child'] === 'acra-server-2'),
      'each names its acra-server',
    );
    t.equal(output.alarms.get(concern as 'plaintext'), ofConcern.length, 'all are counted');
  });
}

for (const field of ['error', 'portal', 'statement', 'placeholder']) {
  t.test(`finds code and message of a poison record's and a bind's line with 1 MiB in "${field}"`, async (t) => {
    const { say, output } = await chain(t);
    const line = (fields: Record<string, unknown>) =>
      `${JSON.stringify(Object.fromEntries(Object.entries({ ...fields, [field]: '"\\'.repeat(1 << 19) }).sort()))}\n`;
    const raised = alarms(
      await say(
        Buffer.from(
          line({ level: 'error', msg: 'Failed to handle Bind packet' }) +
            line({ level: 'warning', msg: 'Detected poison record, exit', code: 101 }),
        ),
      ),
    );
    t.match(raised, [{ concern: 'plaintext' }, { concern: 'poison', acraCode: 101 }]);
    t.ok(output.codes.has(101), 'and it will not be started again');
  });
}

t.test('raises an alarm for a record that cannot be read', async (t) => {
  const { say } = await chain(t);
  const raised = alarms(await say(Buffer.from(`{${'"a":1,'.repeat(20_000)}"code":101}\n`)));
  t.match(raised, [{ concern: 'unread' }]);
});

t.test('begins anew with each process, though its records follow at once', async (t) => {
  const { say, output } = await chain(t);
  const line = Buffer.from(
    `${JSON.stringify({ level: 'error', msg: 'Failed to handle Bind packet', unixTime: '1.000', session_id: 1 })}\n`,
  );
  await say(line);
  await say(line);
  t.equal(output.alarms.get('plaintext'), 2);
});

t.test('raises none for an ordinary start', async (t) => {
  const { say } = await chain(t);
  const vector = new URL('../../../vectors/acra/acra-0.96.0-log.jsonl', import.meta.url);
  const start = readFileSync(vector, 'utf8').split('\n').slice(0, 18);
  t.match(start.at(-1), 'Disabling future logs');
  t.same(alarms(await say(Buffer.from(`${start.join('\n')}\n`))), []);
});
