/** The application itself, of which the manifest names only an image, and what Enclaver does with it without being asked. */
import type { ProgramDefaults } from '../../eif/oci/programs/defaults.ts';
import type { Change, Fragment, Part } from './change.ts';
import { place } from './change.ts';
import { memoryOf } from './machine.ts';
import type { Manifest } from './manifest.ts';

const PROGRAM = 'app';
/** Enclaver's, launcher.rs. */
const USER = 1000;
/** Of the enclave's memory: the rest is for the file system, which lies in memory, and for the supervisor. */
const SHARE_OF_MEMORY = 0.5;
const MIN_MEMORY_MIB = 16;

type Told = Pick<Change, 'outcome' | 'why'> & { readonly becomes?: string };

const implied = (what: string, field: string, told: Told): Change => ({
  field: `(${what})`,
  found: undefined,
  places: [place('enclave', `programs.${PROGRAM}.${field}`)],
  ...told,
});

const UNREAD: readonly Change[] = [
  implied('entry point', 'command', {
    outcome: 'decide',
    why: 'Enclaver runs ENTRYPOINT and CMD of the image. Name the image by --image, or paste what acra-enclave eif programs --image prints. No shell is between.',
  }),
  implied('user', 'user', {
    outcome: 'kept',
    why: 'Enclaver runs everything as 1000, up to 0.6.1 as 0, whatever USER of the image says. Write the number that the program needs.',
  }),
];

const ENDS = implied('end of the program', 'restart', {
  outcome: 'changed',
  why: 'Enclaver ends with it. Here it is started again; with restart: never its end is the end of the enclave, as there, and a signal is told as one.',
});

const memoryChange = (maxMemoryMiB: number) =>
  implied('memory', 'maxMemoryMiB', {
    outcome: 'changed',
    becomes: String(maxMemoryMiB),
    why: 'Half of the enclave’s memory, in MiB. Enclaver has no limit; here a program that takes more is ended, and that is told.',
  });

const userText = ({ uid, gid }: ProgramDefaults['user']) => (uid === gid ? uid : `${uid}:${gid}`);

function readChanges(image: ProgramDefaults): readonly Change[] {
  const { command, user, environment, workingFolder, stopSignal, notes } = image;
  const kept = (what: string, field: string, value: unknown, why: string): Change[] =>
    value === undefined ? [] : [implied(what, field, { outcome: 'kept', becomes: JSON.stringify(value), why })];
  const names = Object.keys(environment);
  return [
    ...kept('entry point', 'command', command, 'ENTRYPOINT and CMD of the image. No shell is between.'),
    implied('user', 'user', {
      outcome: 'changed',
      becomes: String(userText(user)),
      why: 'USER of the image. Enclaver does not look at it: it runs everything as 1000, up to 0.6.1 as 0.',
    }),
    ...kept('environment', 'environment', names.length === 0 ? undefined : names, 'ENV of the image.'),
    ...(workingFolder === '/'
      ? []
      : [
          implied('working folder', 'workingFolder', {
            outcome: 'changed',
            becomes: workingFolder,
            why: 'WORKDIR of the image. Enclaver does not look at it: programs begin in /.',
          }),
        ]),
    ...kept('stop signal', 'stopSignal', stopSignal, 'STOPSIGNAL of the image. Enclaver sends none.'),
    ...notes.map((why): Change => ({ field: '(image)', found: undefined, outcome: 'kept', places: [], why })),
  ];
}

function programOf(image: ProgramDefaults | undefined): Fragment {
  if (image === undefined) return { command: [], user: USER };
  const { command, user, environment, workingFolder, stopSignal, probe } = image;
  return {
    command,
    user: userText(user),
    ...(Object.keys(environment).length === 0 ? {} : { environment }),
    ...(workingFolder === '/' ? {} : { workingFolder }),
    ...(stopSignal === undefined ? {} : { stopSignal }),
    ...(probe === undefined ? {} : { probe: { command: probe } }),
  };
}

/** @param image undefined: it was not read, and its entry point is left to be written */
export function programsPart(manifest: Manifest, image: ProgramDefaults | undefined): Part {
  const maxMemoryMiB = Math.max(MIN_MEMORY_MIB, Math.floor(memoryOf(manifest) * SHARE_OF_MEMORY));
  const program = { ...programOf(image), restart: 'always', maxMemoryMiB };
  return {
    files: { enclave: { programs: { [PROGRAM]: program } } },
    changes: [...(image === undefined ? UNREAD : readChanges(image)), ENDS, memoryChange(maxMemoryMiB)],
  };
}
