/** The machine that the doctor runs on. */
import { accessSync, closeSync, constants, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import { errnoName } from '../../system/libc/errno.ts';
import { close, lastErrno, socket } from '../../system/libc/socket-calls.ts';
import { AF_VSOCK, SOCK_CLOEXEC, SOCK_STREAM } from '../../system/libc/socket-constants.ts';
import { runCommand } from '../../system/processes/run-command.ts';
import type { CommandAnswer, ParentSystem } from './parent-system.ts';
import { addressesOf } from './probes/connect.ts';
import { askHttp } from './probes/http.ts';
import { postgresTlsAnswer } from './probes/postgres.ts';
import { dateOverTls } from './probes/tls.ts';

function orUndefined<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function mayOpen(path: string, mode: number): boolean {
  return orUndefined(() => accessSync(path, mode) ?? true) === true;
}

function isHidden(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return errorCode(error) === 'EACCES';
  }
}

function readRange(path: string, offset: number, bytes: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const range = Buffer.alloc(bytes);
    return range.subarray(0, readSync(fd, range, 0, bytes, offset));
  } finally {
    closeSync(fd);
  }
}

function vsockError(): string | undefined {
  const fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errnoName(lastErrno());
  close(fd);
  return undefined;
}

async function run(program: string, args: readonly string[], signal: AbortSignal): Promise<CommandAnswer | undefined> {
  try {
    return await runCommand({ program, arguments: args, environment: { LC_ALL: 'C' } }, signal);
  } catch (error) {
    if (errorCode(error) === 'ENCLAVE_PROGRAM_MISSING') return undefined;
    throw error;
  }
}

export function realSystem(clock: Clock): ParentSystem {
  return {
    clock,
    readText: (path) => orUndefined(() => readFileSync(path, 'utf8')),
    readRange: (path, offset, bytes) => orUndefined(() => readRange(path, offset, bytes)),
    status: (path) =>
      orUndefined(() => ({
        bytes: statSync(path).size,
        readable: mayOpen(path, constants.R_OK),
        writable: mayOpen(path, constants.W_OK),
      })),
    isHidden,
    list: (folder) => orUndefined(() => readdirSync(folder)) ?? [],
    vsockError,
    run,
    resolve: addressesOf,
    ask: askHttp,
    dateOverTls,
    postgresTlsAnswer,
  };
}
