/**
 * The relays of others that carry vsock of enclaves: AWS's vsock-proxy (aws/aws-nitro-enclaves-cli) and the way in of Enclaver's enclaver-run
 * (edgebitio/enclaver). Both are built elsewhere and named by VSOCK_PROXY and ENCLAVER; with vsock-as-unix.c they run where there is no vsock,
 * which takes a C compiler. `enclaver-run` begins an enclave first: what stands for nitro-cli here says that it runs, as number 16.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../../emulator/free-port.ts';
import { isInstalled, type Program, startProgram } from '../../program.ts';
import { type Contender, ENDPOINTS, type Ground, type RelayKind, untilListening } from './contender.ts';

/** A thread for each connection, of which --num_workers are allowed; select(2) ends it at 1,024 descriptors, two a connection. */
const MAX_WORKERS = 500;
/** Enclaver's: where the enclave tells its state, and its log (src/constants.rs). */
const ENCLAVE_PORTS = [17_000, 17_001] as const;

function missing(variable: string): string | undefined {
  const program = process.env[variable];
  if (!program) return `${variable} does not name a program`;
  if (!isInstalled(program)) return `${variable} names ${program}, which is no program`;
  return isInstalled('cc') ? undefined : 'cc is not installed, which makes unix sockets of its vsock';
}

function asUnix(folder: string): NodeJS.ProcessEnv {
  const library = join(folder, 'vsock-as-unix.so');
  const source = new URL('vsock-as-unix.c', import.meta.url).pathname;
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl']);
  return { PATH: `${folder}:${process.env['PATH']}`, LD_PRELOAD: library, VSOCK_AS_UNIX: folder, RUST_LOG: 'error' };
}

/** Two processes, for it has one way each. */
async function startVsockProxy(name: string, { folder, peers }: Ground): Promise<Contender> {
  const env = asUnix(folder);
  const program = process.env['VSOCK_PROXY'] ?? '';
  const allowed = join(folder, 'allowed.yaml');
  const portOf = (endpoint: string) => endpoint.split(':').at(-1) ?? '';
  const lines = ENDPOINTS.map((each) => `- {address: 127.0.0.1, port: ${portOf(peers[each])}}`);
  writeFileSync(allowed, `allowlist:\n${lines.join('\n')}\n`);
  const own = { bulk: `unix://${folder}/1`, echo: `unix://${folder}/2` };
  const programs = ENDPOINTS.map((each, index) => {
    const args = ['--num_workers', String(MAX_WORKERS), '--config', allowed];
    return startProgram(program, [...args, String(index + 1), '127.0.0.1', portOf(peers[each])], {
      env,
      isQuiet: true,
    });
  });
  for (const each of ENDPOINTS) await untilListening(own[each], programs);
  return { name, ...own, programs };
}

export const VSOCK_PROXY: RelayKind = {
  name: 'vsock-proxy (AWS)',
  transports: ['out'],
  maxConnections: MAX_WORKERS,
  missing: () => missing('VSOCK_PROXY'),
  start: (ground) => startVsockProxy('vsock-proxy (AWS)', ground),
};

/** Takes connections and is silent, as an enclave that goes on running. */
function standForEnclave(folder: string): Program {
  const script = `require('node:net').createServer(() => {}).listen`;
  const listening = ENCLAVE_PORTS.map((port) => `${script}(${JSON.stringify(join(folder, String(port)))});`);
  return startProgram(process.execPath, ['--eval', listening.join('\n')]);
}

function writeNitroCli(folder: string): void {
  const told = { EnclaveName: 'bench', EnclaveID: 'i-0-enc0', ProcessID: 1, EnclaveCID: 16, Terminated: true };
  const file = join(folder, 'nitro-cli');
  writeFileSync(file, `#!/bin/sh\necho '${JSON.stringify(told)}'\n`);
  chmodSync(file, 0o755);
}

async function startEnclaver(name: string, { folder, peers }: Ground): Promise<Contender> {
  const env = { ...asUnix(folder), TOKIO_WORKER_THREADS: '1' };
  writeNitroCli(folder);
  const enclave = standForEnclave(folder);
  const [bulk, echo] = await freePorts(2);
  const ports = { bulk, echo };
  for (const each of ENDPOINTS) symlinkSync(peers[each].replace('unix://', ''), join(folder, String(ports[each])));
  const ingress = ENDPOINTS.map((each) => ({ listen_port: ports[each] }));
  const manifest = { version: 'v1', name: 'bench', target: 'bench:latest', sources: { app: 'bench:latest' }, ingress };
  const file = join(folder, 'enclaver.yaml');
  writeFileSync(file, JSON.stringify(manifest));
  const args = ['--eif-file', file, '--manifest-file', file];
  const relay = startProgram(process.env['ENCLAVER'] ?? '', args, { env, isQuiet: true });
  const own = { bulk: `tcp://127.0.0.1:${ports.bulk}`, echo: `tcp://127.0.0.1:${ports.echo}` };
  for (const each of ENDPOINTS) await untilListening(own[each], [relay]);
  return { name, ...own, programs: [relay], others: [enclave] };
}

export const ENCLAVER: RelayKind = {
  name: 'enclaver-run',
  transports: ['in'],
  missing: () => missing('ENCLAVER'),
  start: (ground) => startEnclaver('enclaver-run', ground),
};
