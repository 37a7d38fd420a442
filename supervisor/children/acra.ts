/**
 * acra-server as a supervised child: how it is launched, when it listens, what its exits and log lines mean.
 * Its TLS key lies in a folder of its own (memory, 0600) only from launch until it listens.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, fchownSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { acraServerArguments } from '../../acra/server/command-line.ts';
import { acraServerEnvironment } from '../../acra/server/environment.ts';
import { explainExit } from '../../acra/server/exit.ts';
import type { AcraServerOptions } from '../../acra/server/options.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { Confinement } from '../platform.ts';
import { connect } from '../probes/connect.ts';
import type { AcraOutput } from './acra-output.ts';
import type { ChildSpec, Exit, ProcessHandle } from './child.ts';
import { launchAcra } from './launch.ts';

const LISTEN_POLL_MS = 50;
const READY_TIMEOUT_MS = 20_000;
/** What an ended process has said is read in less. */
const OUTPUT_GRACE_MS = 1_000;
const MIB = 1024 * 1024;

export interface AcraChildDeps {
  readonly program: AcraProgram;
  readonly options: AcraServerOptions;
  readonly config: EnclaveConfig;
  readonly masterKey: SecretBuffer;
  readonly serverKey: SecretBuffer;
  readonly confinement: Confinement;
  readonly clock: Clock;
  readonly output: AcraOutput;
}

export function serverKeyFile(folder: string): string {
  return join(folder, 'server.key');
}

export function acraChildSpec(deps: AcraChildDeps): ChildSpec {
  return {
    name: 'acra-server',
    launch: () => launch(deps),
    probe: (signal) => untilListening(deps, signal),
    judgeExit: (exit) => judge(exit, deps.output.codes),
    restart: { ...deps.config.restart, probeTimeoutMs: READY_TIMEOUT_MS },
  };
}

function launch(deps: AcraChildDeps): ProcessHandle {
  const { options } = deps;
  // A socket file that a killed acra-server left would make the next one exit with code 0 (contract 3.3).
  if (options.listen.kind === 'unix') rmSync(options.listen.path, { force: true });
  writeServerKey(deps);
  const child = launchProcess(deps);
  deps.output.attach([child.stdout, child.stderr]);
  return {
    pid: child.pid ?? 0,
    exited: untilEnded(child, deps).finally(() => rmSync(options.tls.serverKeyFile, { force: true })),
    kill: (signal) => void child.kill(signal),
  };
}

/** The exit, once the output is read to its end; what acra-server left running may hold the output open for ever. */
function untilEnded(child: ChildProcess, { clock, confinement }: AcraChildDeps): Promise<Exit> {
  return new Promise((resolve) => {
    const closed = new AbortController();
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('close', (code, signal) => {
      closed.abort();
      resolve({ code, signal });
    });
    child.once('exit', () => {
      confinement.clear();
      clock.sleep(OUTPUT_GRACE_MS, closed.signal).then(
        () => {
          child.stdout?.destroy();
          child.stderr?.destroy();
        },
        () => undefined,
      );
    });
  });
}

/** A launch that fails leaves no key behind. */
function launchProcess({ program, options, config, masterKey, confinement }: AcraChildDeps): ChildProcess {
  const { memoryLimitMiB, maxMemoryMiB, maxTasks } = config.acra;
  try {
    return launchAcra({
      program,
      arguments: acraServerArguments(options),
      environment: acraServerEnvironment({ memoryLimitMiB }),
      masterKey,
      user: confinement.user,
      enclose: (pid) => confinement.enclose(pid, { maxMemoryBytes: maxMemoryMiB * MIB, maxTasks }),
    });
  } catch (error) {
    rmSync(options.tls.serverKeyFile, { force: true });
    throw error;
  }
}

/** Always a new file: the folder is acra-server's, and a link that it left there would lead our hand elsewhere. */
function writeServerKey({ options, serverKey, confinement: { user } }: AcraChildDeps): void {
  const { serverKeyFile: file } = options.tls;
  rmSync(file, { force: true });
  const fd = openSync(file, 'wx', 0o600);
  try {
    if (user) fchownSync(fd, user.uid, user.gid);
    serverKey.use((pem) => writeFileSync(fd, pem));
  } finally {
    closeSync(fd);
  }
}

/** Listening is all that can be asked before the database is there; what lies behind is the health monitor's. */
async function untilListening(deps: AcraChildDeps, signal: AbortSignal): Promise<void> {
  const { listen, tls } = deps.options;
  for (;;) {
    const socket = await connect(listen, deps.config.health.probeTimeoutMs, signal);
    if (socket) {
      socket.destroy();
      break;
    }
    await deps.clock.sleep(LISTEN_POLL_MS, signal);
  }
  rmSync(tls.serverKeyFile, { force: true });
}

function judge(exit: Exit, logCodes: ReadonlySet<number>) {
  const { errorCode, meaning, restart, alert } = explainExit({ ...exit, requested: false, logCodes });
  return { code: errorCode, meaning, restart: restart === 'back-off', alert };
}
