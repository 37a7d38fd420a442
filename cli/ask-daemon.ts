/** What all commands share that ask the running daemon: where it is, and how they end. */
import { resolve } from 'node:path';
import { DEFAULT_RUNTIME_FOLDER, hostProxySchema } from '../config/host-proxy.ts';
import { loadConfig } from '../config/load.ts';
import { askDaemon } from '../host-proxy/operator/command/client.ts';
import type { CommandReply, CommandRequest } from '../host-proxy/operator/command/protocol.ts';
import { commandSocketPath } from '../host-proxy/operator/command/runtime-folder.ts';
import { CliError } from './errors.ts';
import { untilStopped } from './until-signal.ts';

export interface DaemonOption {
  readonly config?: string;
  /** Its command socket itself, such as one that ssh(1) forwards. */
  readonly socket?: string;
}

const MAX_LINES = 4_000;

function socketOf({ config, socket }: DaemonOption): string {
  if (socket !== undefined) return resolve(socket);
  const folder =
    config === undefined ? DEFAULT_RUNTIME_FOLDER : loadConfig(hostProxySchema, resolve(config)).runtimeFolder;
  return commandSocketPath(folder);
}

/** @throws CliError CLI_OPTION */
export function lineCount(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (count <= MAX_LINES) return count;
  throw new CliError('CLI_OPTION', '--lines is not a number of lines', { found: text, allowed: `0 to ${MAX_LINES}` });
}

/** @returns the daemon's last words; undefined when a signal ended the asking. @throws CodedError */
export function ask(
  options: DaemonOption,
  request: CommandRequest,
  onReply: (reply: CommandReply) => void,
): Promise<string | undefined> {
  return untilStopped(async (signal) => {
    try {
      return await askDaemon(socketOf(options), request, onReply, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  });
}
