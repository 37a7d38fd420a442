#!/usr/bin/env node
/**
 * Stands in for nitro-cli, which needs Nitro hardware. It does what aws-nitro-enclaves-cli 1.5 does as far as a caller can
 * see: arguments, JSON (json_output.rs), error texts (document_errors.rs), exit codes (the error's number), and a detached
 * process that owns each enclave and inherits the environment. Its state lies in the folder of the script.
 */
const { spawn } = require('node:child_process');
const { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const folder = __dirname;
const [command, ...words] = process.argv.slice(2);
const option = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const behaviour = existsSync(join(folder, 'behaviour.json'))
  ? JSON.parse(readFileSync(join(folder, 'behaviour.json'), 'utf8'))
  : {};
appendFileSync(join(folder, 'calls'), `${JSON.stringify([command, ...words])}\n`);

function fail(code, text, step) {
  const number = `E${String(code).padStart(2, '0')}`;
  const backtrace = process.env.BACKTRACE === '1' && step ? `\n\nBacktrace:\n  Action: Run Enclave\n  Subactions:\n    Failed to execute\n    ${step}\n  Root error file: src/x.rs\n  Root error line: 1\n  Version: 1.5.0` : '';
  process.stderr.write(`[ ${number} ] ${text}\n\nFor more details, please visit https://docs.aws.amazon.com/enclaves/latest/user/cli-errors.html#${number}${backtrace}\n\nIf you open a support ticket, please provide the error log found at "/var/log/nitro_enclaves/err1.log"\n`);
  return code;
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
  if (memory < needed) return fail(26, `Insufficient memory requested. User provided \`memory\` is ${memory} MB, but based on the EIF file size, the minimum memory should be ${needed} MB`);
  process.stderr.write('Start allocating memory...\n');
  const owner = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  owner.unref();
  appendFileSync(join(folder, 'owners'), `${owner.pid}\n`);
  if (behaviour.hang) return setInterval(() => undefined, 60_000) && undefined;
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
  if (!enclave) return fail(11, 'Socket error. This is used as an error for catching any other socket operation errors not covered by previous custom errors.');
  process.kill(enclave.ProcessID, 'SIGKILL');
  rmSync(join(folder, `${enclave.EnclaveID}.enclave`));
  process.stderr.write(`Successfully terminated enclave ${enclave.EnclaveID}.\n`);
  process.stdout.write(`${JSON.stringify({ EnclaveName: enclave.EnclaveName, EnclaveID: enclave.EnclaveID, Terminated: true }, null, 2)}\n`);
  return 0;
}

function describe() {
  if (behaviour.describe) return fail(...behaviour.describe.fail);
  process.stdout.write(`${JSON.stringify([...(behaviour.others ?? []), ...enclaves()], null, 2)}\n`);
  return 0;
}

function attach() {
  const enclave = enclaves().find(({ EnclaveID }) => EnclaveID === option('--enclave-id'));
  if (enclave?.Flags !== 'DEBUG_MODE') return fail(44, 'Enclave console connection failure.');
  process.stdout.write(`Connecting to the console for enclave ${enclave.EnclaveCID}...\nSuccessfully connected to the console.\n[    0.000000] Linux version 6.12\n`);
  setInterval(() => undefined, 60_000);
  return undefined;
}

const done = { 'run-enclave': run, 'terminate-enclave': terminate, 'describe-enclaves': describe, console: attach }[command]();
if (done !== undefined) process.exitCode = done;
