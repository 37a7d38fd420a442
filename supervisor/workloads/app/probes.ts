/** Whether a service of an application is ready: by a TCP connection, an HTTP answer, or a command that ends with 0. */
import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { ProgramProbe } from '../../../config/app/programs.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { SupervisorError } from '../../errors.ts';
import { connect } from '../../probes/connect.ts';

/** Between two tries before it is ready. A command costs a process each time. */
const POLL_MS = { tcp: 50, http: 100, command: 500 } as const;

export interface ProbeDeps {
  readonly program: string;
  readonly probe: ProgramProbe;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Runs a command as the program's user in the program's place. @returns its exit code; null where there was none */
  readonly run: (command: readonly string[], signal: AbortSignal) => Promise<number | null>;
}

/** @returns undefined when it is ready, else what was found. @throws the signal's reason */
async function ask({ probe, timeoutMs, clock, run }: ProbeDeps, signal: AbortSignal): Promise<string | undefined> {
  if ('tcp' in probe) {
    const socket = await connect(probe.tcp, timeoutMs, signal);
    if (socket === undefined) return 'no connection';
    leave(socket, timeoutMs, clock);
    return undefined;
  }
  using deadline = new Deadline(clock, timeoutMs, signal);
  if ('http' in probe) {
    const status = await statusOf(probe.http, deadline.signal).catch(() => undefined);
    signal.throwIfAborted();
    if (status === undefined) return 'no answer';
    return status >= 200 && status < 400 ? undefined : `status ${status}`;
  }
  const code = await run(probe.command, deadline.signal);
  signal.throwIfAborted();
  return code === 0 ? undefined : `exit code ${code ?? 'none'}`;
}

/** What the program says is taken until it ends too: else the kernel answers it by a reset, which ends programs that expect none. */
function leave(socket: Socket, timeoutMs: number, clock: Clock): void {
  const left = new AbortController();
  socket.once('close', () => left.abort());
  socket.resume().end();
  clock
    .sleep(timeoutMs, left.signal)
    .catch(() => undefined)
    .finally(() => socket.destroy());
}

function statusOf(url: string, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { signal, agent: false }, (response) => {
      response.resume().on('error', () => undefined);
      resolve(response.statusCode);
      response.destroy();
    });
    // A program that changes the protocol unasked gives neither error nor answer.
    asked
      .on('error', reject)
      .once('close', () => resolve(undefined))
      .end();
  });
}

/** Resolves when it is ready. @param onFound told why it is not, at each try @throws the signal's reason */
export async function untilReady(
  deps: ProbeDeps,
  signal: AbortSignal,
  onFound: (found: string) => void,
): Promise<void> {
  const kind = 'tcp' in deps.probe ? 'tcp' : 'http' in deps.probe ? 'http' : 'command';
  for (let found = await ask(deps, signal); found !== undefined; found = await ask(deps, signal)) {
    onFound(found);
    await deps.clock.sleep(POLL_MS[kind], signal);
  }
}

/** @throws SupervisorError PROGRAM_NOT_READY; the signal's reason */
export async function requireReady(deps: ProbeDeps, signal: AbortSignal): Promise<void> {
  const found = await ask(deps, signal);
  if (found === undefined) return;
  throw new SupervisorError('PROGRAM_NOT_READY', `${deps.program} does not answer its probe`, { found });
}
