/** acra-server in line, with TLS on both legs, in the same run: µs of its CPU for each of two protected cells of a row, and of 1,000 rows. */
import { randomBytes } from 'node:crypto';
import type { ProgramCommand } from '../../acra/obtain/program.ts';
import { startRig } from '../../test/emulator/acra-server/support/rig.ts';
import { threadsMs } from '../proc.ts';
import type { Progress } from '../progress.ts';
import type { Results } from '../report/results.ts';

const ROWS = 1_000;
const CELLS_A_ROW = 2;
const BYTES = 50;
const ROUND_MS = 400;
const ONE = { times: 250, cells: CELLS_A_ROW, name: 'a row of two cells' };
const ALL = { times: 2, cells: CELLS_A_ROW * ROWS, name: `${ROWS.toLocaleString('en')} rows of two cells` };
export const IN_LINE_CASES = [ONE.name, ALL.name];

type Teardown = Parameters<typeof startRig>[0];

export async function measureInLine(
  teardown: Teardown,
  { command, rounds, signal }: { command: ProgramCommand; rounds: number; signal: AbortSignal },
  results: Results,
  progress: Progress,
): Promise<void> {
  const rig = await startRig(teardown);
  const { child, port } = await rig.acra({ command });
  const value = randomBytes(BYTES).toString('base64').slice(0, BYTES);
  await rig.through({ port }, async (client) => {
    for (let id = 0; id < ROWS; id += 1) {
      await client.query('INSERT INTO person (id, email, secret) VALUES ($1, $2, $2)', [id, value]);
    }
    const asked = [
      { ...ONE, query: { name: 'one', text: 'SELECT email, secret FROM person WHERE id = $1', values: [1] } },
      { ...ALL, query: { name: 'all', text: 'SELECT email, secret FROM person' } },
    ];
    for (let round = 0; round < rounds; round += 1) {
      progress.step(`round ${round + 1} of ${rounds}: acra-server in line`, ROUND_MS);
      for (const { query, times, cells, name } of asked) {
        signal.throwIfAborted();
        await client.query(query);
        const before = threadsMs(child.pid ?? 0);
        for (let count = 0; count < times; count += 1) await client.query(query);
        const cpuUs = (1_000 * (threadsMs(child.pid ?? 0) - before)) / times / cells;
        results.add({ envelope: 'acrablock', bytes: String(BYTES), operation: 'in line' }, name, round, { cpuUs });
      }
    }
  });
}

/** To make a database and fill it as well. */
export const plannedInLineMs = (rounds: number) => 8_000 + rounds * ROUND_MS;
