/** `acra-enclave demo`: the whole product on one machine, shown step by step. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { STAND_IN_COMMAND } from '../../emulator/acra-server/command.ts';
import { whenAborted } from '../../runtime/abort.ts';
import { userCacheFolder } from '../cache-folder.ts';
import { describeEndpoints } from '../demo/clients.ts';
import { MachinePlace } from '../demo/machine-place.ts';
import type { DemoPlace } from '../demo/place.ts';
import { SimulatedPlace } from '../demo/simulated-place.ts';
import { Steps } from '../demo/steps.ts';
import { Story } from '../demo/story.ts';
import { CliError } from '../errors.ts';
import { bold, dim, green, printLine, progress } from '../output.ts';
import { type Machine, provideMachine } from '../qemu/provide-machine.ts';
import { untilStopped } from '../until-signal.ts';

/** 128 + SIGINT, as a shell reports it. */
const EXIT_INTERRUPTED = 130;
const DRIVERS = ['simulated', 'qemu'] as const;
type Driver = (typeof DRIVERS)[number];
/** Two images are built and booted under software emulation, which takes its time. */
const TIMEOUT_MS: Readonly<Record<Driver, number>> = { simulated: 180_000, qemu: 1_200_000 };
const DEFAULT_FOLDER = '.demo';

interface DemoOptions {
  readonly driver: Driver;
  readonly keep?: boolean;
  readonly folder?: string;
}

type Told = Awaited<ReturnType<Story['tell']>>;

interface Prepared {
  readonly root: string;
  readonly acraProgram: AcraProgram;
  readonly signal: AbortSignal;
  /** With the driver qemu. */
  readonly machine: Machine | undefined;
}

function preparePlace({ root, acraProgram, signal, machine }: Prepared): Promise<DemoPlace> {
  progress('starting PostgreSQL, KMS and the instance metadata service; making keys …');
  if (machine === undefined) return SimulatedPlace.prepare(root, acraProgram, signal);
  return MachinePlace.prepare({ root, tools: machine.tools, signal });
}

async function writeEndpoints(place: DemoPlace, { enclave, address }: Told, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const kmsCa = join(place.root, 'client', 'kms-ca.pem');
  writeFileSync(kmsCa, place.parts.cloud.kms.caPem);
  const file = join(folder, 'endpoints.json');
  const { adminUrl } = enclave.runner;
  const endpoints = describeEndpoints(place.parts, { address, adminUrl }, kmsCa, await place.publish());
  writeFileSync(file, `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 });
  return file;
}

async function keepRunning(place: DemoPlace, told: Told, folder: string, stop: AbortSignal): Promise<void> {
  const file = await writeEndpoints(place, told, resolve(folder));
  printLine(`\n${bold('It keeps running.')} Where everything is: ${file}; logs: ${place.root}; Ctrl-C ends it.`);
  printLine(`How it is, in a browser: ${bold(`${told.enclave.runner.adminUrl}/`)}`);
  await whenAborted(stop);
  rmSync(file, { force: true });
}

/** Everything lies in one folder, which goes with the end; after a failure it stays, for its logs. */
async function runIn(prepared: Prepared, keepIn: string | undefined, stop: AbortSignal): Promise<void> {
  const { root, signal } = prepared;
  let failed = true;
  let place: DemoPlace | undefined;
  try {
    place = await preparePlace(prepared);
    const told = await new Story(place, new Steps(root, signal)).tell();
    printLine(`\n${green('Every step held.')}`);
    failed = false;
    if (keepIn !== undefined) await keepRunning(place, told, keepIn, stop);
  } finally {
    progress('stopping …');
    await place?.stop();
    if (failed && !stop.aborted) progress(`logs are kept in ${root}`);
    else rmSync(root, { recursive: true, force: true });
  }
}

async function runDemo({ driver, keep = false, folder }: DemoOptions, stop: AbortSignal): Promise<void> {
  if (folder !== undefined && !keep) {
    throw new CliError('CLI_OPTION', '--folder says where --keep writes endpoints.json', {
      found: `--folder ${folder} without --keep`,
      allowed: '--keep --folder FOLDER',
    });
  }
  const acraProgram = await locateAcraServer({
    environment: process.env,
    cacheFolder: userCacheFolder(process.env, 'acra-server'),
    standIn: STAND_IN_COMMAND,
  });
  printLine(bold('acra-enclave: a row becomes ciphertext, and who can read it'));
  printLine(dim(`acra-server: ${acraProgram.description}`));
  const machine = driver === 'qemu' ? await provideMachine(stop) : undefined;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS[driver])]);
  const root = mkdtempSync(join(tmpdir(), 'acra-demo-'));
  await runIn({ root, acraProgram, signal, machine }, keep ? (folder ?? DEFAULT_FOLDER) : undefined, stop);
}

async function untilInterrupted(options: DemoOptions, stop: AbortSignal): Promise<void> {
  try {
    await runDemo(options, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
    process.exitCode = EXIT_INTERRUPTED;
  }
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('Run everything on this machine and show it step by step: real PostgreSQL, emulated KMS and NSM.')
    .addOption(
      new Option(
        '--driver <driver>',
        'simulated: the enclave is a process; qemu: a measured image on QEMU’s nitro-enclave machine, some minutes',
      )
        .choices(DRIVERS)
        .default('simulated'),
    )
    .option('--keep', 'leave it running until Ctrl-C and write endpoints.json')
    .option('--folder <folder>', `where --keep writes endpoints.json (default: "${DEFAULT_FOLDER}")`)
    .addHelpText(
      'after',
      '\nacra-server is the one of ACRA_SERVER, else of the cache (`acra-enclave acra pull`), else a stand-in; it says which.' +
        '\nWith --driver qemu, what QEMU needs is built once and kept in the cache of the user: `make test-vm` as root installs the' +
        '\nDebian packages for that, `scripts/vm-packages.sh` names them.',
    )
    .action((options: DemoOptions) => untilStopped((stop) => untilInterrupted(options, stop)));
}
