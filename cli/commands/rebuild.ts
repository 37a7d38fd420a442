/** `acra-enclave rebuild`: whether this source tree and a measured folder give the image that somebody published. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { examinePublished, type PublishedReport } from '../../attestation/published/read.ts';
import { IMAGE_NAME } from '../../eif/image/build-image.ts';
import { answer, answering } from '../eif/answer.ts';
import { buildFolder } from '../eif/build-folder.ts';
import { differencesJson, printDifferences } from '../eif/differences.ts';
import { claimsJson, printClaims } from '../measurements/describe.ts';
import { readMeasurements, readRequiredKeys } from '../measurements/files.ts';
import { collect } from '../option-values.ts';
import { bold, dim, green, printJson, printLine, progress } from '../output.ts';
import { compareRebuilt, type RebuildReport } from '../rebuild/compare.ts';
import { untilStopped } from '../until-signal.ts';

interface RebuildOptions {
  readonly check: string;
  readonly recipe?: string;
  readonly image?: string;
  readonly require?: readonly string[];
  readonly allowStandIn?: boolean;
  readonly json?: boolean;
}

async function withTemporaryFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'acra-enclave-rebuild-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readPublishedFile({ check, require = [] }: RebuildOptions) {
  const bytes = await readMeasurements(check);
  const demands = { require: await readRequiredKeys(require), maxAgeMs: undefined, nowMs: Date.now() };
  return { bytes, report: examinePublished(bytes, demands) };
}

type Published = Awaited<ReturnType<typeof readPublishedFile>>;

function rebuild(folder: string, options: RebuildOptions, { bytes, report }: Published, signal: AbortSignal) {
  return withTemporaryFolder(async (output) => {
    const { recipe, image, allowStandIn = false } = options;
    const signer = async () => 'unsigned' as const;
    const { measurements } = await buildFolder({
      enclave: folder,
      recipe,
      allowStandIn,
      container: {},
      signer,
      output,
      signal,
    });
    progress('comparing');
    const published = { file: report.file, bytes, image: image === undefined ? undefined : resolve(image) };
    return compareRebuilt(published, { measurements, image: join(output, IMAGE_NAME) });
  });
}

function printAnswer(
  { isEqual, differences }: RebuildReport,
  { file }: PublishedReport,
  options: RebuildOptions,
): void {
  printDifferences(differences);
  const others = differences.length === 0 ? '' : '; what differs above is not measured';
  if (isEqual) printLine(`${green('equal')}: this source and this folder give what ${options.check} says${others}`);
  else printLine(`${bold('different')} (published → rebuilt)`);
  if (!isEqual && file.kind === 'signed' && options.image === undefined)
    printLine('a signed file has the hashes only: measurements.json of that build, or --image, tells the files');
  printLine(dim('not compared: PCR8 and the signature of the image, which only its owner can make'));
}

async function isEqualRebuilt(folder: string, options: RebuildOptions): Promise<boolean> {
  const published = await readPublishedFile(options);
  const { claims, file } = published.report;
  for (const { error } of claims) if (error !== undefined) throw error;
  const report = await untilStopped((signal) => rebuild(folder, options, published, signal));
  const { isEqual, differences } = report;
  if (options.json) printJson({ isEqual, claims: claimsJson(claims), differences: differencesJson(differences) });
  else {
    printClaims(claims);
    printAnswer(report, { file, claims }, options);
  }
  return isEqual;
}

export function rebuildCommand(): Command {
  const command = new Command('rebuild')
    .description('Build the image from this source and a measured folder, and tell whether it is the published one.')
    .argument('<folder>', 'the measured folder with enclave.yaml')
    .requiredOption('--check <file>', 'measurements.json, or what `measurements sign` wrote')
    .option('-r, --recipe <file>', 'image.yaml of that build: kernel, libraries, compression; default: all defaults')
    .option('--image <file>', 'the published image too: compare its contents file by file')
    .option('--require <file>', 'PEM of a public key that must have signed; may be given several times', collect)
    .option('--allow-stand-in', 'build with the stand-in when there is no acra-server; it protects nothing')
    .option('--json', 'print JSON')
    .action((folder: string, options: RebuildOptions) => answer(() => isEqualRebuilt(folder, options), options));
  return answering(command, 'equal', 'different');
}
