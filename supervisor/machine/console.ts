/**
 * Records on the machine's console, as JSON lines. Written at once and by file descriptor: the last words of a machine that
 * is about to end must be out when the call returns, and a console that takes nothing must not end it.
 */
import { writeSync } from 'node:fs';
import type { Logger } from '../../runtime/log.ts';

const STDERR = 2;

export const machineConsole: Logger = {
  log: (level, event, fields = {}) => {
    try {
      writeSync(STDERR, `${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
    } catch {
      // nobody is left to tell
    }
  },
};
