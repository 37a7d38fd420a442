/**
 * One acra-server as a supervised child: how it is launched, when it listens, what its exits and log lines mean.
 * Its TLS key lies in a folder of its own (memory, 0600) only from launch until it listens.
 */
import { closeSync, fchownSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AcraProgram } from '../../../acra/obtain/program.ts';
import { type AcraUse, acraServerEnvironment, MASTER_KEY_VARIABLE } from '../../../acra/server/environment.ts';
import type { AcraExitCode } from '../../../acra/server/exit.ts';
import { explainExit } from '../../../acra/server/exit.ts';
import type { EnclaveConfig } from '../../../config/enclave.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { TcpEndpoint, UnixEndpoint } from '../../../wire/endpoint.ts';
import type { ChildSpec, ProcessHandle } from '../../children/child.ts';
import type { Exit, ExitVerdict } from '../../children/exit.ts';
import { startProcess } from '../../children/process.ts';
import { connect } from '../../probes/connect.ts';
import type { AcraOutput } from './output.ts';

/** A connection that nobody takes costs a tenth of a millisecond. */
const LISTEN_POLL_MS = 10;
const READY_TIMEOUT_MS = 20_000;

export interface AcraChildDeps {
  /** Names it in logs, beside others. */
  readonly name: string;
  readonly program: AcraProgram;
  readonly listen: TcpEndpoint | UnixEndpoint;
  /** Its command line, asked for at each launch. @throws AcraError */
  readonly command: () => readonly string[];
  readonly config: EnclaveConfig;
  /** Asked for at each launch, as it is then. */
  readonly masterKey: () => SecretBuffer;
  /** Before each launch, while no process of it runs. */
  readonly prepare?: () => void;
  /** In line: where it reads its TLS key from. */
  readonly serverKey?: { readonly file: string; readonly pem: SecretBuffer };
  readonly use: AcraUse;
  readonly umask?: number;
  readonly confinement: Confinement;
  readonly clock: Clock;
  readonly output: AcraOutput;
}

export function serverKeyFile(folder: string): string {
  return join(folder, 'server.key');
}

export function acraChildSpec(deps: AcraChildDeps): ChildSpec {
  return {
    name: deps.name,
    launch: () => launchMember(deps),
    probe: (signal) => untilListening(deps, signal),
    judgeExit: (exit) => judge(exit, deps.output),
    restart: { ...deps.config.restart, probeTimeoutMs: READY_TIMEOUT_MS },
  };
}

/** A launch that fails, and a process that has ended, leave no key behind. */
function launchMember(deps: AcraChildDeps): ProcessHandle {
  const { name, program, listen, config, serverKey, use, umask, confinement, clock, output } = deps;
  deps.prepare?.();
  // A socket file that a killed acra-server left would make the next one exit with code 0 (contract 3.3).
  if (listen.kind === 'unix') rmSync(listen.path, { force: true });
  writeServerKey(deps);
  const removeKey = () => serverKey && rmSync(serverKey.file, { force: true });
  try {
    const handle = startProcess({
      name,
      program: program.program,
      arguments: [...program.leadingArguments, ...deps.command()],
      environment: acraServerEnvironment(config.acra.memoryLimitMiB, use),
      secrets: [{ variable: MASTER_KEY_VARIABLE, value: deps.masterKey(), encoding: 'base64' }],
      ...(umask === undefined ? {} : { umask }),
      confinement,
      clock,
      onStreams: (streams) => output.attach(streams),
    });
    return { ...handle, exited: handle.exited.finally(removeKey) };
  } catch (error) {
    removeKey();
    throw error;
  }
}

/** Always a new file: the folder is acra-server's, and a link that it left there would lead our hand elsewhere. */
function writeServerKey({ serverKey, confinement: { user } }: AcraChildDeps): void {
  if (!serverKey) return;
  const { file, pem: key } = serverKey;
  rmSync(file, { force: true });
  const fd = openSync(file, 'wx', 0o600);
  try {
    if (user) fchownSync(fd, user.uid, user.gid);
    key.use((pem) => writeFileSync(fd, pem));
  } finally {
    closeSync(fd);
  }
}

/** Listening is all that can be asked before the database is there; what lies behind is the health monitor's. */
async function untilListening(deps: AcraChildDeps, signal: AbortSignal): Promise<void> {
  const { listen, serverKey } = deps;
  for (;;) {
    const socket = await connect(listen, deps.config.health.probeTimeoutMs, signal);
    if (socket) {
      socket.destroy();
      break;
    }
    await deps.clock.sleep(LISTEN_POLL_MS, signal);
  }
  if (serverKey) rmSync(serverKey.file, { force: true });
}

/** Ends that acra-server itself came to, after a word in its log. */
const EXPLAINED_BY_LOG: ReadonlySet<AcraExitCode> = new Set([
  'ACRA_EXIT_CONFIGURATION',
  'ACRA_EXIT_WITHOUT_ERROR',
  'ACRA_EXIT_FAILURE',
  'ACRA_EXIT_CRASH',
  'ACRA_EXIT_UNKNOWN',
]);

function judge(exit: Exit, { codes, lastError }: AcraOutput): ExitVerdict {
  const { errorCode, meaning, restart, alert } = explainExit({ ...exit, requested: false, logCodes: codes });
  const said =
    lastError !== undefined && EXPLAINED_BY_LOG.has(errorCode) ? ` The last error in its log: ${lastError}` : '';
  return { code: errorCode, meaning: `${meaning}${said}`, restart: restart === 'back-off', alert };
}
