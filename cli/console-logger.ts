/** JSON lines on standard error: the console of a simulated enclave. */
import { stderr } from 'node:process';
import type { Logger } from '../runtime/log.ts';

export const consoleLogger: Logger = {
  log: (level, event, fields = {}) => {
    stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
  },
};
