/** `acra-enclave eif build`: makes an image of the measured folder, or puts an extracted one together again. */
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { Measurements } from '../../../eif/image/measurements.ts';
import type { ImageRecipe } from '../../../eif/image/recipe.ts';
import { SETUID_CHOICES } from '../../../eif/oci/layers/privileges.ts';
import type { BuildOptions } from '../../eif/build-again.ts';
import { buildAgain } from '../../eif/build-again.ts';
import { buildFolder } from '../../eif/build-folder.ts';
import { signerOf } from '../../eif/signer.ts';
import { bold, green, printJson, printLine } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

const DEFAULT_ENCLAVE = 'enclave';

async function build(options: BuildOptions): Promise<void> {
  const { from } = options;
  await untilStopped((signal) =>
    from === undefined ? buildFromParts(options, signal) : buildAgain(from, options, signal),
  );
}

async function buildFromParts(options: BuildOptions, signal: AbortSignal): Promise<void> {
  const { enclave = DEFAULT_ENCLAVE, recipe: recipeFile, output, allowStandIn = false } = options;
  const { measurements, recipe } = await buildFolder({
    enclave,
    recipe: recipeFile,
    allowStandIn,
    container: options,
    signer: () => signerOf(options),
    output,
    signal,
  });
  if (options.json) printJson(measurements);
  else printSummary(measurements, resolve(output), recipe);
}

function printSummary(measurements: Measurements, folder: string, recipe: ImageRecipe): void {
  const { Measurements: pcrs, image, kernel, runtime } = measurements;
  printLine(`${green('built')} ${bold(join(folder, image.file))}, ${image.bytes} bytes`);
  printLine(`sha256 ${image.sha256}`);
  for (const name of ['PCR0', 'PCR1', 'PCR2', 'PCR8'] as const) printLine(`${name}   ${pcrs[name]}`);
  printLine(`PCR16  ${runtime.PCR16}`);
  printLine(`kernel ${kernel.version}, sha256 ${kernel.sha256}`);
  if (recipe.libraries === '/')
    printLine("Node's C and C++ libraries are this machine's: another Debian gives another PCR0 and PCR1");
}

export function buildCommand(): Command {
  return new Command('build')
    .description('Build the enclave image: kernel, runtime, acra-server or an application, and the measured folder.')
    .option('-e, --enclave <folder>', 'the measured folder with enclave.yaml (default: "enclave")')
    .option('-o, --output <folder>', 'gets acra-enclave.eif, measurements.json and bom.json', 'build')
    .option('-r, --recipe <file>', 'image.yaml: name, kernel, libraries, compression; default: all defaults')
    .option('--allow-stand-in', 'build with the stand-in when there is no acra-server; it protects nothing')
    .option(
      '--image <image>',
      'with workload: app, the container image of its programs: oci:FOLDER[:TAG], oci-archive:FILE, docker-archive:FILE, or a name in a registry',
    )
    .option('--closure', 'take only what the programs need of it, and application.keep of image.yaml')
    .addOption(
      new Option('--setuid <choice>', 'what becomes of programs with rights of others').choices(SETUID_CHOICES),
    )
    .option('--update-lock', 'take another image than the lock file beside the measured folder names, and lock that')
    .option('--signing-key <file>', 'PEM of the key that signs the image; needs --signing-certificate')
    .option('--signing-certificate <file>', 'PEM of its certificate, then its issuers')
    .option('--from <folder>', 'put an extracted image together again instead; only with --output, --signing-…, --json')
    .option('--json', 'print measurements.json; with --from, name and size of the image and its PCR0')
    .addHelpText('after', '\nThe kernel is built once (about 5 minutes) and kept in the cache of the user.')
    .action(build);
}
