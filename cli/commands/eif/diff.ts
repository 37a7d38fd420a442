/** `acra-enclave eif diff`: tells two images apart. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { diffImages } from '../../../eif/diff.ts';
import { harmlessText } from '../../../runtime/harmless-text.ts';
import { answer, answering } from '../../eif/answer.ts';
import { green, printJson, printLine } from '../../output.ts';

interface DiffOptions {
  readonly json?: boolean;
}

async function areEqualImages(a: string, b: string, { json }: DiffOptions): Promise<boolean> {
  const differences = await diffImages(resolve(a), resolve(b));
  if (json) printJson(differences.map((each) => ({ ...each, a: each.a ?? null, b: each.b ?? null })));
  else {
    for (const { section, entry, field, a: before, b: after } of differences) {
      const place = [section, entry, field].filter((part) => part !== undefined).join(' ');
      printLine(harmlessText(`${place}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`));
    }
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
