/** `acra-enclave eif …` and `acra-enclave pcr`: enclave images and their measurements. */
import { Command } from 'commander';
import type { BuildOptions } from '../eif/build.ts';
import { TROUBLE } from '../eif/exit-codes.ts';
import type { PcrOptions } from '../eif/pcr.ts';
import type { SignOptions } from '../eif/sign.ts';
import { keepHeapSmall } from '../eif/small-heap.ts';

interface JsonOption {
  readonly json?: boolean;
}

function buildCommand(): Command {
  return new Command('build')
    .description('Build the enclave image: kernel, runtime, acra-server and the measured folder.')
    .option('-e, --enclave <folder>', 'the measured folder with enclave.yaml (default: "enclave")')
    .option('-o, --output <folder>', 'gets acra-enclave.eif, measurements.json and bom.json', 'build')
    .option('-r, --recipe <file>', 'image.yaml: name, kernel, libraries, compression; default: all defaults')
    .option('--allow-stand-in', 'build with the stand-in when there is no acra-server; it protects nothing')
    .option('--signing-key <file>', 'PEM of the key that signs the image; needs --signing-certificate')
    .option('--signing-certificate <file>', 'PEM of its certificate, then its issuers')
    .option('--from <folder>', 'put an extracted image together again instead; only with --output, --signing-…, --json')
    .option('--json', 'print measurements.json; with --from, name and size of the image and its PCR0')
    .addHelpText('after', '\nThe kernel is built once (about 5 minutes) and kept in the cache of the user.')
    .action(async (options: BuildOptions) => {
      keepHeapSmall();
      const { build } = await import('../eif/build.ts');
      await build(options);
    });
}

/** Wrong usage must not look like the answer 1. */
function answering(command: Command, yes: string, no: string): Command {
  return command
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : TROUBLE))
    .addHelpText(
      'after',
      `\nExit code: 0 ${yes}, 1 ${no}, ${TROUBLE} no answer (wrong usage, a file that cannot be read).`,
    );
}

function inspectionCommands(): readonly Command[] {
  const describe = new Command('describe')
    .description('Tell what an image is.')
    .argument('<image>')
    .option('--json', "print nitro-cli's JSON")
    .action(async (image: string, options: JsonOption) => {
      const { describe: run } = await import('../eif/inspect.ts');
      await run(image, options);
    });
  const verify = new Command('verify')
    .description('Recompute everything that an image claims.')
    .argument('<image>')
    .option('--pcrs <file>', 'expected values: measurements.json, or the output of nitro-cli')
    .option('--json', 'print JSON')
    .action(async (image: string, options: JsonOption & { pcrs?: string }) => {
      const { verify: run } = await import('../eif/inspect.ts');
      await run(image, options);
    });
  const extract = new Command('extract')
    .description('Take an image apart into a folder; `build --from` puts it together again.')
    .argument('<image>')
    .argument('<folder>', 'must not exist')
    .option('--json', 'print JSON')
    .action(async (image: string, folder: string, options: JsonOption) => {
      const { extract: run } = await import('../eif/inspect.ts');
      await run(image, folder, options);
    });
  const diff = new Command('diff')
    .description('Tell two images apart: which section, file or mode.')
    .argument('<a>')
    .argument('<b>')
    .option('--json', 'print JSON')
    .action(async (a: string, b: string, options: JsonOption) => {
      const { diff: run } = await import('../eif/inspect.ts');
      await run(a, b, options);
    });
  answering(verify, 'valid', 'not valid, or no enclave image at all');
  answering(diff, 'equal to the bit', 'different');
  return [describe, verify, extract, diff];
}

function signCommand(): Command {
  return new Command('sign')
    .description('Sign an image: with a key file, or in two steps with a key that never leaves its HSM or KMS.')
    .argument('<image>')
    .requiredOption('-c, --certificate <file>', 'PEM of the signing certificate, then its issuers')
    .option('-k, --key <file>', 'PEM of its private key')
    .option('--print-digest', 'print what the key has to sign, and write nothing')
    .option('--attach-signature <file>', 'the signature that came back: raw r and s, or DER')
    .option('-o, --output <file>', 'the signed image; default: the image itself')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nPCR8 of the signed image is printed, and written to the measurements.json beside it that names it.',
    )
    .action(async (image: string, options: SignOptions) => {
      const { sign } = await import('../eif/sign.ts');
      await sign(image, options);
    });
}

export function eifCommand(): Command {
  const command = new Command('eif').description('Build, read, measure and sign enclave images.');
  for (const each of [buildCommand(), ...inspectionCommands(), signCommand()]) command.addCommand(each);
  return command;
}

export function pcrCommand(): Command {
  return new Command('pcr')
    .description('Compute one register from what is measured into it.')
    .option('-i, --input <file>', 'any file')
    .option('--role-arn <arn>', 'PCR3: the IAM role of the parent instance')
    .option('--instance-id <id>', 'PCR4: the parent instance')
    .option('-c, --certificate <file>', 'PCR8: the signing certificate')
    .option('--json', 'print JSON')
    .action(async (options: PcrOptions) => {
      const { printPcr } = await import('../eif/pcr.ts');
      await printPcr(options);
    });
}
