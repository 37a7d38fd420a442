/** `acra-enclave eif programs`: the programs section of enclave.yaml that follows from what a container image says of itself. */
import { Command } from 'commander';
import { programsYaml } from '../../../eif/oci/programs/section.ts';
import { imagePrograms } from '../../eif/image-programs.ts';
import { printLine } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

async function programs({ image }: { readonly image: string }): Promise<void> {
  const { defaults, configDigest } = await untilStopped((signal) => imagePrograms(image, signal));
  printLine(programsYaml(defaults, `of ${image}, configuration ${configDigest}`).trimEnd());
}

export function programsCommand(): Command {
  return new Command('programs')
    .description('Print the programs of enclave.yaml that follow from a container image, to be read and pasted.')
    .requiredOption('--image <image>', 'as for eif build')
    .action(programs);
}
