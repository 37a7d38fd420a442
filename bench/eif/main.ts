/**
 * Building an image, beside the least that the same work can cost: `sha384sum` of the inputs, then a plain zstd of the same
 * two archives at the same level with the same tables on one thread. Whole processes, from start to exit, interleaved:
 *
 *   ACRA_SERVER=/path/to/acra-server node bench/eif/main.ts [--rounds 2] [--level 18] [--recipe image.yaml]
 *
 * The peer has less to do: it hashes only the three largest inputs (nine tenths of all bytes), links no program, measures
 * nothing and does not wait for the disk. zstd is Node's own in a plain stream, the same code as ours, and beside it the
 * zstd program where one is installed (`apt-get install zstd`), which is another version.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse, stringify } from 'yaml';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import { userCacheFolder } from '../../cli/cache-folder.ts';
import { ZSTD_TABLES } from '../../eif/compress.ts';
import { STAND_IN_COMMAND } from '../../emulator/acra-server/command.ts';
import { writeSoundFolder } from '../../test/cli/support/sound-folder.ts';
import { median } from '../median.ts';
import { type Cost, measureProcess } from './measured-process.ts';
import { printSizes } from './report.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
    level: { type: 'string', default: '18' },
    recipe: { type: 'string' },
  },
});
const { level } = values;
const COMMAND = fileURLToPath(new URL('../../bin/acra-enclave', import.meta.url));
const BARE_ZSTD = fileURLToPath(new URL('bare-zstd.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'acra-enclave-bench-'));
const enclave = writeSoundFolder(join(root, 'enclave'));
const built = join(root, 'build');

function recipeWith(name: string, compression: unknown): string {
  const base: unknown = values.recipe === undefined ? { version: 1 } : parse(readFileSync(values.recipe, 'utf8'));
  const path = join(root, `${name}.yaml`);
  writeFileSync(path, stringify({ ...(base as object), compression }));
  return path;
}

function buildArguments(recipe: string): readonly string[] {
  return ['eif', 'build', '--enclave', enclave, '--output', built, '--recipe', recipe, '--allow-stand-in'];
}

function run(args: readonly string[]): void {
  execFileSync(COMMAND, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The two archives that are compressed. */
function makeArchives(): readonly string[] {
  run(buildArguments(recipeWith('plain', 'none')));
  run(['eif', 'extract', join(built, 'acra-enclave.eif'), join(root, 'parts')]);
  return ['ramdisk-0', 'ramdisk-1'].map((name) => join(root, 'parts', name));
}

/** Node, acra-server and the kernel, as they lie on this machine. */
async function largestInputs(): Promise<readonly string[]> {
  const { program, leadingArguments } = await locateAcraServer({
    environment: process.env,
    cacheFolder: userCacheFolder(process.env, 'acra-server'),
    standIn: STAND_IN_COMMAND,
  });
  return [process.execPath, leadingArguments.at(-1) ?? program, join(root, 'parts/kernel')];
}

type Contender = readonly [name: string, measure: () => Promise<readonly Cost[]>];

function contenders(inputs: readonly string[], archives: readonly string[]): readonly Contender[] {
  const hashing = () => measureProcess('sha384sum', inputs);
  const { windowLog, chainLog, hashLog } = ZSTD_TABLES;
  const tables = `--zstd=wlog=${windowLog},clog=${chainLog},hlog=${hashLog}`;
  const recipe = recipeWith('measured', { zstd: Number(level) });
  return [
    ['eif build', async () => [await measureProcess(COMMAND, buildArguments(recipe))]],
    [
      "sha384sum + Node's zstd",
      async () => [await hashing(), await measureProcess(process.execPath, [BARE_ZSTD, level, ...archives])],
    ],
    ...(hasZstd()
      ? [
          [
            'sha384sum + zstd program',
            async () => [await hashing(), await measureProcess('zstd', ['-qfT1', `-${level}`, tables, ...archives])],
          ] as const,
        ]
      : []),
  ];
}

function hasZstd(): boolean {
  try {
    execFileSync('zstd', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.error('zstd is not installed: apt-get install zstd');
    return false;
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

function printRow(name: string, runs: readonly Cost[], ours: readonly Cost[]): void {
  const ratios = runs.map(({ seconds }, round) => (ours[round]?.seconds ?? Number.NaN) / seconds);
  const largest = (key: keyof Cost) => megabytes(Math.max(...runs.map((run) => run[key])));
  console.log(
    `| ${name} | ${median(runs.map(({ seconds }) => seconds)).toFixed(1)} | ${median(ratios).toFixed(2)} | ` +
      `${median(runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1)} | ${largest('peakBytes')} | ${largest('childPeakBytes')} | ${largest('treePeakBytes')} |`,
  );
}

/** One after the other. */
function together(parts: readonly Cost[]): Cost {
  const largest = (key: keyof Cost) => Math.max(...parts.map((part) => part[key]));
  return {
    seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
    cpuSeconds: parts.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakBytes: largest('peakBytes'),
    childPeakBytes: largest('childPeakBytes'),
    treePeakBytes: largest('treePeakBytes'),
  };
}

try {
  const archives = makeArchives();
  const inputs = await largestInputs();
  const inputBytes = inputs.reduce((sum, path) => sum + statSync(path).size, 0);
  const all = contenders(inputs, archives).map(([name, measure]) => ({ name, measure, runs: [] as Cost[] }));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { name, measure, runs } of all) {
      const cost = together(await measure());
      runs.push(cost);
      console.error(`round ${round + 1}: ${name} ${cost.seconds.toFixed(1)} s, ${cost.cpuSeconds.toFixed(1)} s of CPU`);
    }
  }
  console.log(`level ${level}, ${values.rounds} rounds; largest inputs ${megabytes(inputBytes)}\n`);
  console.log('| | seconds | eif build relative to it | CPU seconds | peak memory | largest child | all at one time |');
  for (const { name, runs } of all) printRow(name, runs, all[0]?.runs ?? []);
  console.log('');
  printSizes(built);
} finally {
  rmSync(root, { recursive: true, force: true });
}
