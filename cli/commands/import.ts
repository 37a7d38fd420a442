/** `acra-enclave import`: takes a manifest of Enclaver over, and tells line by line what became of it (docs/from-enclaver.md). */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { imagePrograms } from '../eif/image-programs.ts';
import { enclaveName } from '../import/about.ts';
import { FILES } from '../import/change.ts';
import { convert } from '../import/convert.ts';
import { manifestSchema } from '../import/manifest.ts';
import { renderFiles } from '../import/render.ts';
import { changesJson, printChanges } from '../import/report.ts';
import { writeFolder } from '../import/write-folder.ts';
import { bold, green, printJson, printLine, yellow } from '../output.ts';
import { untilStopped } from '../until-signal.ts';

interface ImportOptions {
  readonly out?: string;
  readonly image?: string;
  readonly json?: boolean;
}

async function importManifest(file: string, { out, image, json }: ImportOptions): Promise<void> {
  const manifest = loadConfig(manifestSchema, resolve(file));
  const read = image === undefined ? undefined : await untilStopped((signal) => imagePrograms(image, signal));
  const conversion = convert(manifest, read?.defaults);
  const folder = resolve(out ?? enclaveName(manifest.name));
  await writeFolder(folder, renderFiles(conversion));
  const { changes } = conversion;
  const decisions = changes.filter(({ outcome }) => outcome === 'decide').length;
  if (json) {
    printJson({ folder, files: Object.values(FILES), decisions, changes: changesJson(changes) });
    return;
  }
  printChanges(changes);
  printLine();
  for (const name of Object.values(FILES)) printLine(`${green('written')} ${bold(name)} in ${folder}`);
  if (decisions > 0) printLine(`${yellow('to decide')} ${decisions}: the lines above say what`);
}

const HELP = `
Writes enclave/enclave.yaml, host-proxy.yaml and image.yaml into a new folder. Nothing is guessed: where Enclaver allowed everything, or
was told nothing, a line says what to decide, and \`acra-enclave config check\` refuses the file until that is done.`;

export function importCommand(): Command {
  return new Command('import')
    .description('Convert a manifest of Enclaver, and tell what became of each of its lines and why.')
    .argument('<file>', 'enclaver.yaml')
    .option('-o, --out <folder>', 'a new folder; default: the name in the manifest')
    .option(
      '--image <image>',
      'the application’s image, as for eif build: its entry point, user and environment are taken over',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(importManifest);
}
