/** `acra-enclave eif describe`: tells what an image is. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { toNitroDescription, toTable } from '../../../eif/describe.ts';
import { verifyImage } from '../../../eif/verify.ts';
import { harmlessText } from '../../../runtime/harmless-text.ts';
import { printJson, printRow } from '../../output.ts';

async function describe(image: string, { json }: { readonly json?: boolean }): Promise<void> {
  const report = await verifyImage(resolve(image), Date.now());
  if (json) printJson(toNitroDescription(report));
  else for (const [label, text] of toTable(report)) printRow(label, harmlessText(text));
}

export function describeCommand(): Command {
  return new Command('describe')
    .description('Tell what an image is.')
    .argument('<image>')
    .option('--json', "print nitro-cli's JSON")
    .action(describe);
}
