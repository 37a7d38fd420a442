/** `acra-enclave measurements show`: tells what a file of measurements says, and proves nothing. */
import { Command } from 'commander';
import { parsePublished } from '../../../attestation/published/read.ts';
import { contentJson, printContent } from '../../measurements/describe.ts';
import { readMeasurements } from '../../measurements/files.ts';
import { printJson, printLine, yellow } from '../../output.ts';

async function show(file: string, { json }: { readonly json?: boolean }): Promise<void> {
  const published = parsePublished(await readMeasurements(file));
  if (json) {
    printJson(contentJson(published));
    return;
  }
  printContent(published);
  printLine(yellow('nothing was verified: `measurements verify --require KEY` does it'));
}

export function showCommand(): Command {
  return new Command('show')
    .description('Tell what a file of measurements says; nothing is verified.')
    .argument('<file>', 'measurements.json, or what `measurements sign` wrote')
    .option('--json', 'print JSON')
    .action(show);
}
