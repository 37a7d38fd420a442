/** stop, status, logs and console as a user runs them, against a daemon with a stand-in for QEMU. */
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KMS_ERRORS } from '../../kms/errors.ts';
import { fakeMachine } from '../host-proxy/machine/support/fake-machine.ts';
import { RunningHost } from '../host-proxy/machine/support/running-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave, start } from './support/acra-enclave.ts';

t.test('shows, follows and stops a running enclave', async (t) => {
  const running = new RunningHost(fakeMachine(t, { does: 'serve' }));
  const config = ['--config', running.machine.configFile];
  const done = running.run();
  await running.untilStage('serving');
  const [table, json, logs, records, console] = await Promise.all([
    acraEnclave(['status', ...config]),
    acraEnclave(['status', ...config, '--json']),
    acraEnclave(['logs', ...config, '-n', '100']),
    acraEnclave(['logs', ...config, '-n', '2', '--json']),
    acraEnclave(['console', ...config, '--no-follow']),
  ]);
  t.equal(table.code, 0);
  t.match(table.stdout, /^state +serving$/m);
  t.match(table.stdout, /^PCR0 +abababababababab…$/m);
  t.match(JSON.parse(json.stdout), {
    state: 'serving',
    ready: true,
    machine: { stage: 'serving', restarts: 0, driver: 'qemu' },
  });
  t.match(logs.stdout, /info +host-proxy enclave\.stage stage="serving"/);
  t.equal(records.stdout.trim().split('\n').length, 2);
  t.match(JSON.parse(records.stdout.split('\n')[0] ?? ''), { source: 'host-proxy' });
  t.match(console.stdout, 'Linux version');
  const following = start(['console', ...config]);
  await once(following.child.stdout ?? following.child, 'data');
  const stop = await acraEnclave(['stop', ...config]);
  t.match(stop.stdout, 'the enclave has stopped: it stopped in order');
  t.match(stop.stderr, 'stopping');
  await done;
  const followed = await following.outcome;
  t.equal(followed.code, 0);
  t.match(followed.stdout, /^stopping in order$/m, 'followed to the end');
});

t.test('ends with 1 and the reason when no daemon runs (HOST_NOT_RUNNING)', async (t) => {
  const { configFile } = fakeMachine(t, { does: 'serve' });
  const commands = ['stop', 'status', 'logs', 'console'];
  for (const { code, stderr } of await Promise.all(commands.map((name) => acraEnclave([name, '-c', configFile])))) {
    t.equal(code, 1);
    t.match(stderr, 'HOST_NOT_RUNNING');
    t.match(stderr, 'what to do:');
  }
});

t.test('ends with 1 and the reason when the enclave is not started again (ENCLAVE_FAILED)', async (t) => {
  const { code, stderr } = await acraEnclave(['run', '--config', fakeMachine(t, { does: 'fail' }).configFile]);
  t.equal(code, 1);
  t.match(stderr, 'ENCLAVE_FAILED');
  t.match(stderr, 'failed, phase master-key');
  t.match(stderr, 'the enclave said KMS_ACCESS_DENIED: ');
  t.match(stderr, `what to do: ${KMS_ERRORS.KMS_ACCESS_DENIED.action}`, 'the advice of its own code');
});

t.test('rejects to run without a section that says how (HOST_RUN_MISSING)', async (t) => {
  const file = join(temporaryFolder(t), 'host-proxy.yaml');
  const minimal =
    'version: 1\nenclave: {transport: vsock, cid: 16}\ndatabase: {connect: "tcp://a:1"}\nkms: {connect: "tcp://a:1"}\n';
  writeFileSync(file, minimal);
  const { code, stderr } = await acraEnclave(['run', '--config', file]);
  t.equal(code, 78, 'no restart mends it');
  t.match(stderr, 'HOST_RUN_MISSING');
});

t.test(
  'ends with 78 where others may enter the runtime folder, which no restart mends (HOST_RUNTIME_FOLDER)',
  async (t) => {
    const { config, configFile } = fakeMachine(t, { does: 'serve' });
    chmodSync(config.runtimeFolder, 0o755);
    for (const command of ['run', 'host-proxy']) {
      const { code, stderr } = await acraEnclave([command, '--config', configFile]);
      t.equal(code, 78, command);
      t.match(stderr, 'HOST_RUNTIME_FOLDER');
    }
  },
);

for (const words of [
  ['--no-such-option'],
  ['no-such-command'],
  ['status', '--bad'],
  ['run'],
  ['config', 'check'],
  ['eif', 'describe'],
])
  t.test(`tells a wrong use with --json as JSON, with a code: ${words.join(' ')} (CLI_USAGE)`, async (t) => {
    const { code, stdout, stderr } = await acraEnclave([...words, '--json']);
    t.equal(code, 1);
    t.equal(stdout, '');
    t.match(JSON.parse(stderr), { error: { code: 'CLI_USAGE', message: /./, action: /--help/ } });
    t.notMatch(stderr, 'Usage:');
  });

t.test('tells a wrong use without --json as text, and help itself with code 0', async (t) => {
  const wrong = await acraEnclave(['status', '--bad']);
  t.equal(wrong.code, 1);
  t.match(wrong.stderr, "unknown option '--bad'");
  const help = await acraEnclave(['status', '--help', '--json']);
  t.equal(help.code, 0);
  t.match(help.stdout, 'Usage: ');
  t.equal((await acraEnclave(['--version', '--json'])).code, 0);
});
