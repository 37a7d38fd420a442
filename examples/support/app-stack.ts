/** An enclave with an application and what is around it, on this machine: what the simulated one and the one in QEMU have in common. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cloud, REGION } from '../../cli/demo/cloud.ts';
import type { DemoRunner } from '../../cli/demo/place.ts';
import { CliError } from '../../cli/errors.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import type { ExampleContext } from './example.ts';
import type { Server, VerifiedClient } from './verified-client.ts';

export const CREDENTIAL_LIFETIME_MS = 3_600_000;

export type Files = Readonly<Record<string, string>>;
export type Sections = Readonly<Record<string, unknown>>;

export interface BuiltEnclave {
  readonly name: string;
  /** The measured folder. */
  readonly folder: string;
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
  /** On QEMU's machine. */
  readonly image?: string;
}

export type RunningEnclave = Pick<DemoRunner, 'until' | 'stop'>;

export interface AppStack {
  readonly cloud: Cloud;
  /** A measured folder of these files, and for QEMU an image of it. */
  build(name: string, files: Files): Promise<BuiltEnclave>;
  /** Waits for nothing of the enclave. @param host sections of host-proxy.yaml */
  start(enclave: BuiltEnclave, host: Sections): Promise<RunningEnclave>;
  /** Somebody outside, who verifies first where there is something to verify. */
  client(enclave: BuiltEnclave, server: Server): Promise<VerifiedClient>;
}

/** @throws CliError CLI_NOT_READY as soon as the enclave has failed */
export async function untilReady(running: RunningEnclave, signal: AbortSignal): Promise<void> {
  const { ready, enclave } = await running.until((seen) => seen.ready || seen.enclave?.state === 'failed', signal);
  if (ready) return;
  throw new CliError('CLI_NOT_READY', 'the enclave failed', {
    found: `phase ${enclave?.phase}; ${enclave?.errorCode}; ${enclave?.detail}`,
  });
}

/** What the files of an example leave open: `<NAME>` in them. */
export function filledIn(file: string, values: Files): string {
  return readFileSync(file, 'utf8').replace(/<([A-Z_]+)>/g, (_, name) => values[name] ?? '');
}

export function writeFolder({ root }: ExampleContext, name: string, files: Files): string {
  const folder = join(root, name, 'enclave');
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

/** Sections of host-proxy.yaml that every example has. */
export function hostSections({ kms, imds }: Cloud): Sections {
  return {
    workload: 'app',
    kms: { connect: `tcp://${kms.host}:${kms.port}` },
    imds: { connect: `tcp://${imds.host}:${imds.port}` },
  };
}

/** For whoever seals something with a key of the emulated KMS, on a machine of the operator. */
export function operatorOf({ kms }: Cloud, keyArn: string, signal: AbortSignal) {
  const { accessKeyId, secretAccessKey } = kms.adminCredentials;
  const credentials = { accessKeyId, secretAccessKey };
  return { region: REGION, keyArn, endpoint: kms.url, caPem: kms.caPem, credentials, signal };
}
