/** The application itself, of which the manifest names only an image, and what Enclaver does with it without being asked. */
import type { Change, Part } from './change.ts';
import { place } from './change.ts';
import { memoryOf } from './machine.ts';
import type { Manifest } from './manifest.ts';

const PROGRAM = 'app';
/** Of the enclave's memory: the rest is for the file system, which lies in memory, and for the supervisor. */
const SHARE_OF_MEMORY = 0.5;
const MIN_MEMORY_MIB = 16;

const at = (field: string) => place('enclave', `programs.${PROGRAM}.${field}`);

function changesOf(maxMemoryMiB: number): readonly Change[] {
  const implied = (field: string, outcome: Change['outcome'], to: string, why: string): Change => ({
    field: `(${field})`,
    found: undefined,
    outcome,
    places: [at(to)],
    why,
  });
  return [
    implied(
      'entry point',
      'decide',
      'command',
      'Enclaver runs ENTRYPOINT and CMD of the image: write them here as a list, and ENV as environment. No shell is between.',
    ),
    implied(
      'user',
      'kept',
      'user',
      'Enclaver runs everything as 1000, up to 0.6.1 as 0, whatever USER of the image says. Write the number that the program needs.',
    ),
    implied(
      'end of the program',
      'changed',
      'restart',
      'Enclaver ends with it. Here it is started again; with restart: never its end is the end of the enclave, as there, and a signal is told as one.',
    ),
    implied(
      'memory',
      'changed',
      'maxMemoryMiB',
      `Enclaver has no limit. Here a program is ended at ${maxMemoryMiB} MiB, half of the enclave’s memory, and that is told.`,
    ),
  ];
}

export function programsPart(manifest: Manifest): Part {
  const maxMemoryMiB = Math.max(MIN_MEMORY_MIB, Math.floor(memoryOf(manifest) * SHARE_OF_MEMORY));
  const program = { command: [], user: 1000, restart: 'always', maxMemoryMiB };
  return { files: { enclave: { programs: { [PROGRAM]: program } } }, changes: changesOf(maxMemoryMiB) };
}
