/** `acra-enclave eif diff`: tells two images apart. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { diffImages } from '../../../eif/diff.ts';
import { answer, answering } from '../../eif/answer.ts';
import { differencesJson, printDifferences } from '../../eif/differences.ts';
import { green, printJson, printLine } from '../../output.ts';

interface DiffOptions {
  readonly json?: boolean;
}

async function areEqualImages(a: string, b: string, { json }: DiffOptions): Promise<boolean> {
  const differences = await diffImages(resolve(a), resolve(b));
  if (json) printJson(differencesJson(differences));
  else {
    printDifferences(differences);
    if (differences.length === 0) printLine(green('equal to the bit'));
  }
  return differences.length === 0;
}

export function diffCommand(): Command {
  const command = new Command('diff')
    .description('Tell two images apart: which section, file or mode.')
    .argument('<a>')
    .argument('<b>')
    .option('--json', 'print JSON')
    .action((a: string, b: string, options: DiffOptions) => answer(() => areEqualImages(a, b, options), options));
  return answering(command, 'equal to the bit', 'different');
}
