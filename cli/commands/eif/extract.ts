/** `acra-enclave eif extract`: takes an image apart. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { extractImage } from '../../../eif/extract.ts';
import { green, printJson, printLine } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

async function extract(image: string, folder: string, { json }: { readonly json?: boolean }): Promise<void> {
  const { sections } = await untilStopped((signal) => extractImage(resolve(image), resolve(folder), signal));
  if (json) printJson({ folder: resolve(folder), sections });
  else printLine(`${green('extracted')} ${sections.length} sections to ${resolve(folder)}`);
}

export function extractCommand(): Command {
  return new Command('extract')
    .description('Take an image apart into a folder; `build --from` puts it together again.')
    .argument('<image>')
    .argument('<folder>', 'must not exist')
    .option('--json', 'print JSON')
    .action(extract);
}
