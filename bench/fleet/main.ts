/**
 * A fleet of parent instances behind a load balancer, under load, while parts of it are killed, cut off, drained and exchanged:
 *
 *   node bench/fleet/main.ts [--hosts 3] [--clients 12] [--check-seconds 10] [--events NAME,…] [--write] [--replace]
 *
 * Needs root, for network namespaces, and HAProxy. Ends with 1 where an answer was wrong, or something acknowledged was lost or is stored in plaintext. Ctrl-C ends it;
 * nothing is left behind. With --write it writes the table of docs/high-availability.md, and all that clients saw as CSV beside it; the stand-in's figures do
 * not take the place of acra-server's without --replace.
 */
import { acraUnderTest } from '../../test/support/stack.ts';
import { UsageError } from '../flags.ts';
import { exitCodeOf } from '../interrupt.ts';
import { tell } from '../progress.ts';
import { HIGH_AVAILABILITY, textForTerminal, writeParts } from '../report/page.ts';
import { lacks } from './lacks.ts';
import { type FleetOptions, readFleetOptions } from './options.ts';
import { fleetPart } from './report.ts';
import { runFleet } from './run.ts';

async function measure(options: FleetOptions, signal: AbortSignal): Promise<number> {
  const acraProgram = await acraUnderTest();
  const run = await runFleet(acraProgram, options, signal);
  const part = fleetPart(run, options, acraProgram);
  console.log(textForTerminal(part));
  if (options.isWritten) {
    for (const name of writeParts([part], options.mayReplace, HIGH_AVAILABILITY)) {
      tell(
        `left as it is, for it tells of the real acra-server: ${name} (ACRA_SERVER=/path/to/acra-server, or --replace)`,
      );
    }
  }
  for (const fault of run.faults) console.error(`fault: ${fault}`);
  return run.faults.length > 0 ? 1 : 0;
}

process.exitCode = await exitCodeOf(async (signal) => {
  const options = readFleetOptions(process.argv.slice(2));
  const lack = lacks();
  if (lack !== undefined) throw new UsageError(lack);
  return measure(options, signal);
});
