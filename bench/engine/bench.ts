/** What a cell costs through acra-server as an engine, beside Themis alone and the same program in line, in one interleaved run. */
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { startEngine } from '../../test/acra/engine/support/engine-rig.ts';
import { atRest } from '../../test/acra/support/at-rest.ts';
import type { BenchOptions } from '../options.ts';
import type { Progress } from '../progress.ts';
import { machineFacts } from '../report/machine.ts';
import { nameAcraServer, type Part } from '../report/page.ts';
import { Results } from '../report/results.ts';
import { type CellGround, measureCells, plannedCellsMs } from './cells.ts';
import { measureInLine, plannedInLineMs } from './in-line.ts';
import { enginePart } from './report.ts';
import { type Envelope, openThemis } from './themis.ts';

const COLUMNS = { acrablock: 'secret', acrastruct: 'blob' } as const satisfies Readonly<Record<Envelope, string>>;

function encryptorConfig(envelopes: readonly Envelope[]): string {
  const columns = envelopes.map(
    (each) => `      - {column: ${COLUMNS[each]}, data_type: bytes, crypto_envelope: ${each}}`,
  );
  return `schemas:\n  - table: v\n    columns: [id, secret, blob]\n    encrypted:\n${columns.join('\n')}\n`;
}

function keyOf(name: string): Buffer {
  return Buffer.from(atRest.keystoreSecretsBase64[name] ?? atRest.keystore[name]?.base64 ?? '', 'base64');
}

/** @returns what measures, and then says what was measured */
export function planEngineBench(
  { rounds }: BenchOptions,
  acraProgram: AcraProgram,
  progress: Progress,
  signal: AbortSignal,
): () => Promise<Part> {
  const facts = machineFacts({});
  const command = { program: acraProgram.program, args: acraProgram.leadingArguments };
  const isReal = acraProgram.kind !== 'stand-in';
  progress.plan(plannedInLineMs(rounds) + plannedCellsMs(rounds, isReal ? 2 : 1));
  return async () => {
    await using stops = new AsyncDisposableStack();
    const teardown = { teardown: (run: () => void | Promise<void>) => void stops.defer(async () => run()) };
    const { clientId } = atRest;
    const themis = await openThemis({
      symmetric: keyOf(`${clientId}_storage_sym`),
      privateKey: keyOf(`${clientId}_storage`),
      publicKey: keyOf(`${clientId}_storage.pub`),
    });
    // The stand-in has AcraBlocks only.
    const envelopes = themis.envelopes.filter((each) => isReal || each === 'acrablock');
    const engine = await startEngine(teardown, { command, encryptorConfig: encryptorConfig(envelopes) });
    const columnOf: CellGround['columnOf'] = (envelope) => engine.column(COLUMNS[envelope]);
    const results = new Results();
    await measureCells({ engine, themis, columnOf, envelopes, rounds, signal }, results, progress);
    await measureInLine(teardown, { command, rounds, signal }, results, progress);
    const acraServer = nameAcraServer(acraProgram.description);
    return enginePart({ results, facts, acraServer, themis: themis.name, rounds });
  };
}
