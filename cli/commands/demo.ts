/** `acra-enclave demo`: the whole product on one machine, shown step by step. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import { STAND_IN_COMMAND } from '../../emulator/acra-server/command.ts';
import { whenAborted } from '../../runtime/abort.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { acraCacheFolder } from '../acra-cache.ts';
import { describeEndpoints } from '../demo/clients.ts';
import { Stack } from '../demo/stack.ts';
import { Story } from '../demo/story.ts';
import { writeVerificationFiles } from '../demo/verification.ts';
import { bold, dim, green, printLine, progress } from '../output.ts';
import { untilStopped } from '../until-signal.ts';

/** 128 + SIGINT, as a shell reports it. */
const EXIT_INTERRUPTED = 130;
const DEMO_TIMEOUT_MS = 180_000;

interface DemoOptions {
  readonly keep?: boolean;
  readonly folder: string;
}

async function writeEndpoints(stack: Stack, address: TcpEndpoint, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const kmsCa = join(stack.options.root, 'client', 'kms-ca.pem');
  writeFileSync(kmsCa, stack.parts.cloud.kms.caPem);
  const file = join(folder, 'endpoints.json');
  const endpoints = describeEndpoints(stack, address, kmsCa, await writeVerificationFiles(stack));
  writeFileSync(file, `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 });
  return file;
}

async function keepRunning(stack: Stack, address: TcpEndpoint, folder: string, stop: AbortSignal): Promise<void> {
  const file = await writeEndpoints(stack, address, resolve(folder));
  printLine(
    `\n${bold('It keeps running.')} Where everything is: ${file}; logs: ${join(stack.options.root, 'logs')}; Ctrl-C ends it.`,
  );
  await whenAborted(stop);
  rmSync(file, { force: true });
}

async function runDemo({ keep, folder }: DemoOptions, stop: AbortSignal): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'acra-demo-'));
  const acraProgram = await locateAcraServer({
    environment: process.env,
    cacheFolder: acraCacheFolder(process.env),
    standIn: STAND_IN_COMMAND,
  });
  printLine(bold('acra-enclave: a row becomes ciphertext, and who can read it'));
  printLine(dim(`acra-server: ${acraProgram.description}`));
  progress('starting PostgreSQL, KMS and the instance metadata service; making keys …');
  let failed = true;
  let stack: Stack | undefined;
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(DEMO_TIMEOUT_MS)]);
    stack = await Stack.prepare({ root, acraProgram, signal });
    const address = await new Story(stack, signal).tell();
    printLine(`\n${green('Every step held.')}`);
    failed = false;
    if (keep) await keepRunning(stack, address, folder, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
    process.exitCode = EXIT_INTERRUPTED;
  } finally {
    progress('stopping …');
    await stack?.stop();
    if (failed && !stop.aborted) progress(`logs are kept in ${join(root, 'logs')}`);
    else rmSync(root, { recursive: true, force: true });
  }
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('Run everything on this machine and show it step by step: real PostgreSQL, emulated KMS and NSM.')
    .option('--keep', 'leave it running until Ctrl-C and write endpoints.json')
    .option('--folder <folder>', 'where --keep writes endpoints.json', '.demo')
    .action((options: DemoOptions) => untilStopped((stop) => runDemo(options, stop)));
}
