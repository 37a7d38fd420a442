import { existsSync, lstatSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { acraServerArguments } from '../../../../acra/server/command-line.ts';
import { IN_LINE } from '../../../../acra/server/environment.ts';
import type { AcraServerOptions } from '../../../../acra/server/options.ts';
import type { EnclaveConfig } from '../../../../config/enclave.ts';
import { enclaveSchema } from '../../../../config/enclave.ts';
import { loadConfig } from '../../../../config/load.ts';
import { type Clock, systemClock } from '../../../../runtime/clock.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { acraChildSpec, serverKeyFile } from '../../../../supervisor/workloads/acra/member.ts';
import { AcraOutput } from '../../../../supervisor/workloads/acra/output.ts';
import type { Confinement } from '../../../../system/processes/confinement.ts';
import { PROJECT } from '../../../project/imports.ts';
import { throwsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { othersMayEnter } from '../../../support/others-may-enter.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const PEM = '-----BEGIN PRIVATE KEY-----\n';
/** Another user where this process may become one that may enter the checkout, else itself. */
const MAY_CHANGE = process.getuid?.() === 0 && othersMayEnter(realpathSync(process.execPath));
const OWNER = MAY_CHANGE ? 65534 : (process.getuid?.() ?? 0);
const GROUP = MAY_CHANGE ? 65534 : (process.getgid?.() ?? 0);

/** Where acra-server would listen: in the folder's socket. */
const LIVES = 'setInterval(() => {}, 1e6)';
const listensOn = (path: string) => `require("net").createServer().listen(${JSON.stringify(path)})`;

interface Surroundings {
  /** Node runs this in the place of acra-server. */
  readonly script: (listenPath: string) => string;
  readonly user?: Confinement['user'];
  readonly enclose?: Confinement['enclose'];
  readonly clear?: Confinement['clear'];
  readonly clock?: Clock;
}

function surroundings(t: TapTest, { script, user, clock = systemClock, ...rest }: Surroundings) {
  const { enclose = () => undefined, clear = () => undefined } = rest;
  const folder = temporaryFolder(t);
  const config: EnclaveConfig = loadConfig(enclaveSchema, join(PROJECT, 'examples/enclave.yaml'));
  const listen = { kind: 'unix', path: join(folder, 'acra.sock') } as const;
  const keyFile = serverKeyFile(folder);
  const options: AcraServerOptions = {
    listen,
    database: { host: '127.0.0.1', port: 5432, serverName: 'db.internal' },
    keysFolder: folder,
    encryptorConfigFile: join(folder, 'encryptor.yaml'),
    tls: {
      clientCaFile: join(folder, 'ca.pem'),
      serverCertFile: join(folder, 'server.pem'),
      serverKeyFile: keyFile,
      databaseCaFile: join(folder, 'ca.pem'),
    },
    clientId: { from: 'distinguished_name' },
    poisonDetection: false,
  };
  const masterKey = SecretBuffer.take(Buffer.alloc(32, 1));
  const spec = acraChildSpec({
    name: 'acra-server',
    program: {
      kind: 'path',
      program: process.execPath,
      leadingArguments: ['-e', script(listen.path), '--'],
      sha256: '',
      description: 'a script',
    },
    listen,
    command: () => acraServerArguments(options),
    config,
    masterKey: () => masterKey,
    serverKey: { file: keyFile, pem: SecretBuffer.take(Buffer.from(PEM)) },
    use: IN_LINE,
    confinement: { folder, user, openDoor: () => folder, enclose, clear, release: () => undefined },
    clock,
    output: new AcraOutput('acra-server', new MemoryLogger()),
  });
  const launch = () => {
    const process = spec.launch();
    t.teardown(async () => {
      process.kill('SIGKILL');
      await process.exited;
    });
    return process;
  };
  return { folder, keyFile, config, spec, launch, listenPath: listen.path };
}

t.test('gives the TLS key to acra-server’s user alone, and takes it away when the process has ended', async (t) => {
  const { launch, keyFile } = surroundings(t, { script: () => LIVES, user: { uid: OWNER, gid: GROUP } });
  const process = launch();
  const { uid, gid, mode } = lstatSync(keyFile);
  t.same({ uid, gid, mode: mode & 0o7777 }, { uid: OWNER, gid: GROUP, mode: 0o600 });
  t.equal(readFileSync(keyFile, 'utf8'), PEM);
  process.kill('SIGKILL');
  await process.exited;
  t.notOk(existsSync(keyFile));
});

t.test('takes the TLS key away as soon as acra-server listens', async (t) => {
  const { launch, keyFile, spec } = surroundings(t, { script: listensOn });
  launch();
  t.ok(existsSync(keyFile));
  await spec.probe(AbortSignal.timeout(20_000));
  t.notOk(existsSync(keyFile));
});

t.test('writes the TLS key through no link that lies in its place', async (t) => {
  const { launch, keyFile } = surroundings(t, { script: () => LIVES, user: { uid: OWNER, gid: GROUP } });
  const victim = join(temporaryFolder(t), 'victim');
  writeFileSync(victim, 'as it was', { mode: 0o640 });
  const before = lstatSync(victim);
  symlinkSync(victim, keyFile);
  launch();
  t.ok(lstatSync(keyFile).isFile(), 'a file of its own');
  const { uid, gid, mode } = lstatSync(victim);
  t.same({ uid, gid, mode }, { uid: before.uid, gid: before.gid, mode: before.mode });
  t.equal(readFileSync(victim, 'utf8'), 'as it was');
});

t.test('leaves no TLS key behind when acra-server cannot be confined (CHILD_LAUNCH_FAILED)', async (t) => {
  const cause = new Error('no such cgroup');
  const enclose = () => {
    throw cause;
  };
  const { launch, keyFile } = surroundings(t, { script: () => LIVES, enclose });
  const error = throwsCode(launch, SupervisorError, 'CHILD_LAUNCH_FAILED');
  t.match(error.cause, { code: 'SYSTEM_LAUNCH_FAILED', cause });
  t.notOk(existsSync(keyFile));
});

t.test('removes the socket that a killed acra-server left, which would end the next one', async (t) => {
  const { launch, spec, listenPath } = surroundings(t, { script: listensOn });
  const left = createServer().listen(listenPath);
  await new Promise((resolve) => left.once('listening', resolve));
  t.teardown(() => left.close());
  launch();
  await spec.probe(AbortSignal.timeout(20_000));
  t.pass('it listens');
});

/** Ends at once, and leaves a process that holds its output open; writes down which. */
const leavesOne = (pidFile: string) => `
  const child = require("node:child_process").spawn("/bin/sleep", ["1000"], { stdio: "inherit", detached: true });
  require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
  process.exit(5);`;

t.test('notices the end of acra-server though a process that it left holds its output open', async (t) => {
  const clock = new FakeClock();
  const pidFile = join(temporaryFolder(t), 'pid');
  const { launch } = surroundings(t, { script: () => leavesOne(pidFile), clock });
  const { exited } = launch();
  await clock.untilSleeping();
  const left = Number(readFileSync(pidFile, 'utf8'));
  t.teardown(() => process.kill(left, 'SIGKILL'));
  t.ok(existsSync(`/proc/${left}`), 'it runs on');
  clock.advance(1000);
  t.same(await exited, { code: 5, signal: null });
});

t.test('waits for the output’s end no longer than it takes', async (t) => {
  const clock = new FakeClock();
  const { launch } = surroundings(t, { script: () => 'process.exit(5)', clock });
  t.same(await launch().exited, { code: 5, signal: null });
  t.equal(clock.sleeping, 0, 'no timer is left');
});

t.test('ends what acra-server left running, as soon as it has ended', async (t) => {
  const pidFile = join(temporaryFolder(t), 'pid');
  const { launch } = surroundings(t, {
    script: () => leavesOne(pidFile),
    clear: () => process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL'),
  });
  t.same(await launch().exited, { code: 5, signal: null }, 'its output is read to the end');
});

/** What acra-server writes before its end, how it ends, and what is told of it. */
const ENDS = [
  [
    [{ level: 'error', code: 532, msg: 'TLS', error: 'tls: failed to find any PEM data in key input' }],
    'process.exit(1)',
    {
      code: 'ACRA_EXIT_CONFIGURATION',
      meaning: /\. The last error in its log: tls: failed to find any PEM data in key input$/,
    },
  ],
  [
    [
      { level: 'error', msg: 'Configuring transport...', error: 'x509: invalid ECDSA parameters' },
      { level: 'error', msg: 'the value of a client', error: 'another value' },
      { level: 'info', msg: 'Configuring transport...' },
    ],
    'process.exit(1)',
    { code: 'ACRA_EXIT_FAILURE', meaning: /: Configuring transport\.\.\.: x509: invalid ECDSA parameters$/ },
  ],
  [
    [{ level: 'error', msg: 'the value of a client', error: 'another value' }],
    'process.exit(1)',
    { code: 'ACRA_EXIT_FAILURE', meaning: /with code 1\.$/ },
  ],
  [[], 'process.exit(0)', { code: 'ACRA_EXIT_WITHOUT_ERROR', meaning: /misses an option\.$/ }],
  [
    [{ level: 'error', msg: 'TLS', error: 'x509: of a session long ago' }],
    'process.kill(process.pid, "SIGKILL")',
    { code: 'ACRA_EXIT_KILLED', meaning: /out of memory\.$/ },
  ],
] as const;

for (const [records, end, told] of ENDS)
  t.test(
    `tells an end by ${told.code} with the last error that may be told, after ${records.length} records`,
    async (t) => {
      const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
      const script = () => `require("fs").writeSync(2, ${JSON.stringify(lines)}); ${end}`;
      const { launch, spec } = surroundings(t, { script });
      const { code, meaning } = spec.judgeExit(await launch().exited);
      t.equal(code, told.code);
      t.match(meaning, told.meaning);
    },
  );
