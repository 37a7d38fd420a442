/** `acra-enclave eif programs`: the programs section of enclave.yaml that follows from what a container image says of itself. */
import { cwd } from 'node:process';
import { Command } from 'commander';
import { readContainer } from '../../../eif/oci/application.ts';
import { programDefaults } from '../../../eif/oci/programs/defaults.ts';
import { programsYaml } from '../../../eif/oci/programs/section.ts';
import { parseImageName } from '../../../eif/oci/source/image-name.ts';
import { containerCacheFolder, workFolderIn } from '../../eif/container-folders.ts';
import { hostArchitecture } from '../../eif/provide-kernel.ts';
import { printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

async function programs({ image: given }: { readonly image: string }): Promise<void> {
  const cacheFolder = containerCacheFolder(process.env);
  await untilStopped(async (signal) => {
    await using work = await workFolderIn(cacheFolder);
    const { image, files } = await readContainer({
      image: parseImageName(given, cwd()),
      architecture: hostArchitecture(),
      cacheFolder,
      workFolder: work.path,
      environment: process.env,
      signal,
      onProgress: progress,
    });
    const defaults = await programDefaults(image.config.config, files);
    printLine(programsYaml(defaults, `of ${given}, configuration ${image.configDigest}`).trimEnd());
  });
}

export function programsCommand(): Command {
  return new Command('programs')
    .description('Print the programs of enclave.yaml that follow from a container image, to be read and pasted.')
    .requiredOption('--image <image>', 'as for eif build')
    .action(programs);
}
