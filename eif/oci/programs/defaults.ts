/**
 * What an image says of how it is run, as a program of enclave.yaml. Nothing of it is taken by itself: an operator reads it, and pastes it.
 * Specification: OCI image-spec 1.1, config.md; Docker image specification 1.2 for Healthcheck.
 */
import { constants } from 'node:os';
import { posix } from 'node:path';
import { MAX_USER, STOP_SIGNALS } from '../../../config/app/programs.ts';
import { OciError } from '../errors.ts';
import type { RunConfiguration } from '../source/documents.ts';
import type { ImageFiles } from './file-system.ts';
import { resolveUser } from './users.ts';

export interface ProgramDefaults {
  readonly command: readonly string[];
  readonly user: { readonly uid: number; readonly gid: number };
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
  /** Undefined: the usual one. */
  readonly stopSignal: string | undefined;
  /** Of Healthcheck: a command that ends with 0. */
  readonly probe: readonly string[] | undefined;
  /** TCP ports that the image says it listens on. */
  readonly ports: readonly number[];
  /** What is said and not honoured, and what should be thought of; for people. */
  readonly notes: readonly string[];
}

/** By their numbers too, as `STOPSIGNAL 15` has them. */
const BY_NUMBER: ReadonlyMap<string, string> = new Map(
  STOP_SIGNALS.map((name) => [String(constants.signals[name]), name]),
);
const MAX_PORT = 65_535;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s;

/** @throws OciError EIF_OCI_CONFIGURATION */
export async function programDefaults(
  run: RunConfiguration | null | undefined,
  files: ImageFiles,
): Promise<ProgramDefaults> {
  const command = [...(run?.Entrypoint ?? []), ...(run?.Cmd ?? [])];
  if (command.length === 0)
    throw new OciError('EIF_OCI_CONFIGURATION', 'the image names no program (neither Entrypoint nor Cmd)');
  const notes: string[] = [];
  const { uid, gid, furtherGroups } = await resolveUser(files, run?.User ?? '');
  if (Math.max(uid, gid) > MAX_USER)
    notes.push(
      `user ${uid}:${gid} of the image cannot be had: name others, up to ${MAX_USER}, and see that they may read what they need`,
    );
  if (uid === 0) notes.push('the image runs as root; name another user if the program needs no root');
  if (furtherGroups.length > 0)
    notes.push(`further groups of the user are not given: ${furtherGroups.join(', ')}; say USER:GROUP for one of them`);
  const volumes = Object.keys(run?.Volumes ?? {});
  if (volumes.length > 0) notes.push(`volumes lie in the memory of the enclave and end with it: ${volumes.join(', ')}`);
  return {
    command,
    user: { uid, gid },
    environment: environmentOf(run?.Env ?? [], notes),
    // As other container runtimes have it: where it does not begin with `/`, that is meant.
    workingFolder: posix.join('/', run?.WorkingDir ?? ''),
    stopSignal: stopSignalOf(run?.StopSignal ?? '', notes),
    probe: probeOf(run?.Healthcheck?.Test ?? []),
    ports: portsOf(Object.keys(run?.ExposedPorts ?? {}), notes),
    notes,
  };
}

function environmentOf(variables: readonly string[], notes: string[]): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const variable of variables) {
    const [, name, value = ''] = VARIABLE.exec(variable) ?? [];
    // No file could set it (config/yaml.ts).
    if (name === undefined || name === '__proto__')
      notes.push(`a variable has no usual name and is left out: ${variable.split('=')[0]}`);
    else environment[name] = value;
  }
  return environment;
}

function stopSignalOf(signal: string, notes: string[]): string | undefined {
  if (signal === '') return undefined;
  const upper = signal.toUpperCase();
  const named = BY_NUMBER.get(signal) ?? (upper.startsWith('SIG') ? upper : `SIG${upper}`);
  if ((STOP_SIGNALS as readonly string[]).includes(named)) return named;
  notes.push(`the stop signal ${signal} is not among those that can be sent; SIGTERM is`);
  return undefined;
}

function probeOf([kind, ...words]: readonly string[]): readonly string[] | undefined {
  if (kind === 'CMD' && words.length > 0) return words;
  return kind === 'CMD-SHELL' && words[0] !== undefined ? ['/bin/sh', '-c', words[0]] : undefined;
}

function portsOf(exposed: readonly string[], notes: string[]): readonly number[] {
  const ports = exposed.flatMap((text) => {
    const [, port, protocol = 'tcp'] = /^(\d{1,5})(?:\/([a-z]+))?$/i.exec(text) ?? [];
    const isPort = Number(port) > 0 && Number(port) <= MAX_PORT;
    if (isPort && protocol.toLowerCase() === 'tcp') return Number(port);
    notes.push(`the exposed port ${text} is left out: ways in are TCP`);
    return [];
  });
  return ports.toSorted((a, b) => a - b);
}
