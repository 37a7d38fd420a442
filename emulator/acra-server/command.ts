/** The one place that says how the stand-in for acra-server is started. */
import { fileURLToPath } from 'node:url';
import type { ProgramCommand } from '../../acra/obtain/program.ts';

export const STAND_IN_COMMAND: ProgramCommand = {
  program: process.execPath,
  args: [fileURLToPath(new URL('./main.ts', import.meta.url))],
};
