/** The real acra-server, for the tests that need it: named by ACRA_SERVER, else the tests are skipped with the reason. */
import { spawn } from 'node:child_process';
import type { AcraLogRecord } from '../../../acra/server/log-record.ts';
import { parseAcraLogLine } from '../../../acra/server/log-record.ts';

const { ACRA_SERVER } = process.env;
export const realAcraServer = ACRA_SERVER ?? '';
/** For tap's `skip` option. */
export const withoutRealAcraServer = ACRA_SERVER ? false : 'ACRA_SERVER does not name an acra-server 0.96.0';

export interface AcraServerRun {
  readonly code: number | null;
  readonly records: readonly AcraLogRecord[];
}

interface RunOptions {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Ends the process as soon as a record with this message has come. */
  readonly stopAfter: string;
}

/** Runs it until it ends by itself or says `stopAfter`. */
export function runAcraServer({ args, environment, cwd, stopAfter }: RunOptions): Promise<AcraServerRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(realAcraServer, args, { cwd, env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
    const records: AcraLogRecord[] = [];
    let rest = '';
    child.stderr.on('data', (chunk) => {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((each) => each !== '')) {
        const record = parseAcraLogLine({ text: line, writtenBytes: Buffer.byteLength(line), isCut: false });
        records.push(record);
        if (record.message === stopAfter) child.kill();
      }
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, records }));
  });
}
