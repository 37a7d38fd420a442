/** µs of CPU for each cell: of acra-server as an engine, by how many are asked for at once, and of Themis alone on the same cells. */
import { randomBytes } from 'node:crypto';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import type { EngineRig } from '../../test/acra/engine/support/engine-rig.ts';
import { threadsMs } from '../proc.ts';
import type { Progress } from '../progress.ts';
import type { Results } from '../report/results.ts';
import type { Envelope, ThemisAlone } from './themis.ts';

export const ENVELOPES = { acrablock: 'AcraBlock', acrastruct: 'AcraStruct' } as const;
export const SIZES = [50, 4096] as const;
export const BATCHES = [1, 2, 16, 128, 2_000] as const;
export const OPERATIONS = ['decrypt', 'encrypt'] as const;
type Operation = (typeof OPERATIONS)[number];

/** Cells of one measurement, where one batch has not more. */
const CELLS = 200;
const MS_A_CELL = 0.5;
/** Enough for its code to be compiled. */
const THEMIS_CELLS = 1_000;

interface CellCase {
  readonly envelope: Envelope;
  readonly bytes: number;
  readonly operation: Operation;
}

export interface CellGround {
  readonly engine: EngineRig;
  readonly themis: ThemisAlone;
  readonly columnOf: (envelope: Envelope) => EncryptedColumn;
  readonly envelopes: readonly Envelope[];
  readonly rounds: number;
  readonly signal: AbortSignal;
}

export const THEMIS = 'Themis alone';
export const nameOfBatch = (cells: number) => `${cells.toLocaleString('en')} at once`;

async function askOnce({ engine, columnOf }: CellGround, { envelope, operation }: CellCase, batch: readonly Buffer[]) {
  const column = columnOf(envelope);
  if (operation === 'decrypt') return engine.engine.reveal(column, batch);
  return Promise.all(batch.map((value) => engine.engine.protect(column, value)));
}

/** µs a cell: acra-server's, and of this process, which asks. */
async function measureBatch(ground: CellGround, what: CellCase, cell: Buffer, cells: number) {
  const batch = Array<Buffer>(cells).fill(cell);
  const times = Math.ceil(CELLS / cells);
  await askOnce(ground, what, batch);
  const pid = ground.engine.pid ?? 0;
  const [before, own] = [threadsMs(pid), process.cpuUsage()];
  for (let count = 0; count < times; count += 1) await askOnce(ground, what, batch);
  const { user, system } = process.cpuUsage(own);
  const all = times * cells;
  return { cpuUs: (1_000 * (threadsMs(pid) - before)) / all, askingUs: (user + system) / all };
}

/** Of this thread alone: the compiler and the collector of garbage are Node's, not Themis'. */
function measureThemis({ themis }: CellGround, { envelope, operation }: CellCase, cell: Buffer): { cpuUs: number } {
  const run = () => (operation === 'decrypt' ? themis.decrypt(envelope, cell) : themis.encrypt(envelope, cell));
  for (let count = 0; count < THEMIS_CELLS; count += 1) run();
  const before = process.threadCpuUsage();
  for (let count = 0; count < THEMIS_CELLS; count += 1) run();
  const { user, system } = process.threadCpuUsage(before);
  return { cpuUs: (user + system) / THEMIS_CELLS };
}

function casesOf({ envelopes }: Pick<CellGround, 'envelopes'>): CellCase[] {
  return envelopes.flatMap((envelope) =>
    SIZES.flatMap((bytes) => OPERATIONS.map((operation) => ({ envelope, bytes, operation }))),
  );
}

/** Both must read what the other has written: else they would not do the same work. */
async function storedBy(ground: CellGround, { envelope }: CellCase, value: Buffer): Promise<Buffer> {
  const { engine, themis, columnOf } = ground;
  const column = columnOf(envelope);
  const stored = await engine.engine.protect(column, value);
  const [read] = await engine.engine.reveal(column, [themis.encrypt(envelope, value)]);
  if (themis.decrypt(envelope, stored).equals(value) && read?.equals(value)) return stored;
  throw new Error(`acra-server and Themis do not read each other's ${ENVELOPES[envelope]}`);
}

export const plannedCellsMs = (rounds: number, envelopes: number) =>
  rounds * envelopes * SIZES.length * OPERATIONS.length * (BATCHES.length * 2 * CELLS + 2_000) * MS_A_CELL;

export async function measureCells(ground: CellGround, results: Results, progress: Progress): Promise<void> {
  const { rounds, signal } = ground;
  for (let round = 0; round < rounds; round += 1) {
    progress.step(`round ${round + 1} of ${rounds}: cells`, plannedCellsMs(1, ground.envelopes.length));
    for (const what of casesOf(ground)) {
      signal.throwIfAborted();
      const value = Buffer.from(randomBytes(what.bytes).toString('base64').slice(0, what.bytes));
      const stored = await storedBy(ground, what, value);
      const cell = what.operation === 'decrypt' ? stored : value;
      const subject = { envelope: what.envelope, bytes: String(what.bytes), operation: what.operation };
      results.add(subject, THEMIS, round, measureThemis(ground, what, cell));
      for (const cells of BATCHES) {
        results.add(subject, nameOfBatch(cells), round, await measureBatch(ground, what, cell, cells));
      }
    }
  }
}
