/**
 * The frame of a program of ours in the enclave: its end of the channel, a logger that goes there, and its end. It ends when its
 * supervisor does, when it is told to, and when something breaks that nobody caught; then its supervisor starts another.
 */
import { Socket } from 'node:net';
import type { LogFields, Logger } from '../runtime/log.ts';
import type { SecretBuffer } from '../runtime/secret-buffer.ts';
import { Channel } from '../system/processes/channel.ts';
import { CHANNEL_FD } from '../system/processes/launch-plan.ts';
import { loggable } from './loggable.ts';

/** Records that wait to be heard. Those beyond are left out: what the supervisor must be told waits behind them, and it hears so much a second. */
const MAX_WAITING_BYTES = 256 * 1024;

/** `Says`: what it may tell the supervisor. */
export interface Program<Says extends object> {
  readonly send: (message: Says) => void;
  readonly logger: Logger;
}

/** @param onMessage told of everything that the supervisor says, in order */
export function runProgram<Told, Says extends object>(
  onMessage: (program: Program<Says>, message: Told, secrets: readonly SecretBuffer[]) => Promise<void>,
): void {
  const channel: Channel = new Channel(new Socket({ fd: CHANNEL_FD, readable: true, writable: true }), {
    onMessage: (message, secrets) => {
      onMessage(program, message as Told, secrets).catch((error: unknown) => {
        // Its own error ends the program; the supervisor reads it from the exit.
        queueMicrotask(() => {
          throw error;
        });
      });
    },
    onEnd: () => process.exit(0),
  });
  const send = (message: Says) => channel.send(message);
  const log = (level: string, event: string, fields: LogFields = {}) => {
    if (channel.waitingBytes < MAX_WAITING_BYTES) channel.send({ type: 'log', level, event, fields: loggable(fields) });
  };
  const program: Program<Says> = { send, logger: { log } };
  // Whoever sends a signal is the supervisor, and asks in order first.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => process.exit(0));
}
