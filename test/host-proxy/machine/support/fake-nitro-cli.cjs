#!/usr/bin/env node
/**
 * Stands in for nitro-cli, which needs Nitro hardware. It does what aws-nitro-enclaves-cli 1.5 does as far as a caller can
 * see: arguments, JSON (json_output.rs), error texts, exit codes (the error's number), the log, and a detached process that
 * owns each enclave and inherits the environment. Its state lies in the folder of the script.
 */
const { spawn } = require('node:child_process');
const { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { errorMessage } = require('./nitro-cli-errors.cjs');

const folder = __dirname;
const [command, ...words] = process.argv.slice(2);
const option = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const behaviour = existsSync(join(folder, 'behaviour.json'))
  ? JSON.parse(readFileSync(join(folder, 'behaviour.json'), 'utf8'))
  : {};
appendFileSync(join(folder, 'calls'), `${JSON.stringify([command, ...words])}\n`);

// At the level info, which is the default, every call tells what it does.
if (!['warn', 'error'].includes(process.env.RUST_LOG)) appendFileSync(join(folder, 'log'), 'Start Nitro CLI\n');

/** As in behaviour.json: the error's number, the innermost step, what stands in its text. */
function fail(number, step, ...info) {
  const steps = process.env.BACKTRACE === '1' ? ['Failed to execute', step] : undefined;
  process.stderr.write(`${errorMessage(number, info, steps)}\n`);
  return number;
}

const isAlive = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1][0] !== 'Z';
  } catch {
    return false;
  }
};

function enclaves() {
  const files = readdirSync(folder).filter((name) => name.endsWith('.enclave'));
  return files.flatMap((name) => {
    const enclave = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    if (isAlive(enclave.ProcessID)) return [enclave];
    rmSync(join(folder, name)); // As nitro-cli removes stale sockets.
    return [];
  });
}

function run() {
  if (behaviour.run) return behaviour.run.stdout === undefined ? fail(...behaviour.run.fail) : process.stdout.write(behaviour.run.stdout) && 0;
  const memory = Number(option('--memory'));
  const needed = Math.ceil(statSync(option('--eif-path')).size / 2 ** 20) * 4;
  if (memory < needed) return fail(26, `At least ${needed} MB must be allocated (which is 4 times the EIF file size)`, 'memory', memory, needed);
  process.stderr.write('Start allocating memory...\n');
  const env = behaviour.foreignOwner ? {} : process.env;
  const owner = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env });
  appendFileSync(join(folder, 'owners'), `${owner.pid}\n`);
  if (behaviour.hang) {
    owner.once('exit', () => {
      process.stderr.write('Failed connections: 1\n');
      process.exitCode = finish(fail(39, 'Failed to connect to 1 enclave processes'));
    });
    return undefined;
  }
  owner.unref();
  const info = {
    EnclaveName: option('--enclave-name'),
    EnclaveID: `i-0123456789abcdef0-enc${owner.pid.toString(16)}`,
    ProcessID: owner.pid,
    EnclaveCID: Number(option('--enclave-cid')),
    NumberOfCPUs: Number(option('--cpu-count')),
    CPUIDs: [1, 3],
    MemoryMiB: memory,
  };
  const described = { ...info, State: 'RUNNING', Flags: words.includes('--debug-mode') ? 'DEBUG_MODE' : 'NONE', Measurements: {} };
  writeFileSync(join(folder, `${info.EnclaveID}.enclave`), JSON.stringify(described));
  process.stderr.write(`Started enclave with enclave-cid: ${info.EnclaveCID}, memory: ${memory} MiB, cpu-ids: [1, 3]\n`);
  process.stdout.write(`${JSON.stringify(info, null, 2)}\n`);
  return 0;
}

function terminate() {
  if (behaviour.terminate) return fail(...behaviour.terminate.fail);
  const enclave = enclaves().find(({ EnclaveID }) => EnclaveID === option('--enclave-id'));
  if (!enclave) return fail(11, 'Failed to connect to specific enclave process');
  process.kill(enclave.ProcessID, 'SIGKILL');
  // The reply comes when all is freed.
  while (isAlive(enclave.ProcessID)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  rmSync(join(folder, `${enclave.EnclaveID}.enclave`));
  process.stderr.write(`Successfully terminated enclave ${enclave.EnclaveID}.\n`);
  process.stdout.write(`${JSON.stringify({ EnclaveName: enclave.EnclaveName, EnclaveID: enclave.EnclaveID, Terminated: true }, null, 2)}\n`);
  return 0;
}

function describe() {
  if (behaviour.describe?.fail) return fail(...behaviour.describe.fail);
  if (!behaviour.describe?.slow) return answer();
  const waiting = setInterval(() => {
    if (!existsSync(folder)) process.exit(1); // The test has failed meanwhile.
    if (!existsSync(join(folder, 'answer'))) return;
    clearInterval(waiting);
    process.exitCode = finish(answer());
  }, 20);
  return undefined;
}

/** First what those said that answered; then the error, if there were others. */
function answer() {
  const { others = [], unanswered = 0 } = behaviour;
  if (unanswered > 0) process.stderr.write(`Failed connections: ${unanswered}\n`);
  process.stdout.write(`${JSON.stringify([...others, ...enclaves()], null, 2)}\n`);
  return unanswered > 0 ? fail(39, `Failed to connect to ${unanswered} enclave processes`) : 0;
}

/** Nobody can tell that a process was killed but by what it did not do. */
function finish(code) {
  appendFileSync(join(folder, 'finished'), `${command}\n`);
  return code;
}

function attach() {
  const enclave = enclaves().find(({ EnclaveID }) => EnclaveID === option('--enclave-id'));
  if (enclave?.Flags !== 'DEBUG_MODE') return fail(44, 'Failed to connect to enclave console');
  process.stdout.write(`Connecting to the console for enclave ${enclave.EnclaveCID}...\nSuccessfully connected to the console.\n[    0.000000] Linux version 6.12\n`);
  setInterval(() => undefined, 60_000);
  return undefined;
}

const done = { 'run-enclave': run, 'terminate-enclave': terminate, 'describe-enclaves': describe, console: attach }[command]();
if (done !== undefined) process.exitCode = done;
