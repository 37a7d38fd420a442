/**
 * `programs` of enclave.yaml with `workload: app`: what runs in the enclave, each as its own supervised child. Paths are those of the
 * application's own file system (`/app` of the enclave image, which becomes the root of its programs), not of the measured folder.
 */
import { z } from 'zod';
import { count, durationMs } from '../fields.ts';
import { loopbackAddress } from './loopback.ts';
import { plainName } from './route-names.ts';

/** What can be sent to ask a program to end. */
export const STOP_SIGNALS = [
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGKILL',
  'SIGWINCH',
] as const;
const MAX_PROGRAMS = 32;
const MAX_WORDS = 256;
/** One argument or variable: Linux takes no more (MAX_ARG_STRLEN). */
const MAX_WORD_CHARACTERS = 128 * 1024 - 1;
/** `nobody` and our own are below or above; user_namespaces(7): what a 16-bit tool can name. */
export const MAX_USER = 65_533;

const word = z
  .string()
  .max(MAX_WORD_CHARACTERS)
  .refine((text) => !text.includes('\0'), { error: 'must have no NUL' });

const command = z
  .array(word)
  .min(1, { error: 'must have a program' })
  .max(MAX_WORDS)
  .refine(([program]) => program !== '', { error: 'must begin with the name or path of a program' });

const absoluteFolder = word.regex(/^\//, { error: 'must be an absolute path in the file system of the application' });

const userFault = {
  error: `must be a user number from 0 to ${MAX_USER}, or USER:GROUP as numbers in quotes; \`eif programs --image\` prints those of an image's own names`,
};
const userNumber = z.int(userFault).min(0, userFault).max(MAX_USER, userFault);
const userAndGroup = z.string().regex(/^\d{1,5}:\d{1,5}$/, userFault);
const user = z
  .union([userNumber, userAndGroup], userFault)
  .transform((given) => {
    const [uid = 0, gid = uid] = String(given).split(':').map(Number);
    return { uid, gid };
  })
  .refine(({ uid, gid }) => uid <= MAX_USER && gid <= MAX_USER, userFault);

const urlFault = { error: 'must be an http:// URL of the loopback interface' };
const httpUrl = z.url({ protocol: /^http$/, ...urlFault }).refine((text) => {
  const url = URL.parse(text);
  return url !== null && /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(url.hostname) && url.username === '';
}, urlFault);

const probe = z.union(
  [
    z.strictObject({ tcp: loopbackAddress.describe('ready when this takes a connection') }),
    z.strictObject({ http: httpUrl.describe('ready when this answers 200 to 399') }),
    z.strictObject({ command: command.describe('ready when this ends with 0; run as the program’s user') }),
  ],
  { error: 'must have exactly one of: tcp, http, command' },
);

const program = z.strictObject({
  command: command.describe(
    'program and arguments, as execve takes them: no shell. PATH of its environment is searched',
  ),
  kind: z
    .enum(['service', 'task'])
    .default('service')
    .describe('service: runs for as long as the enclave does; task: ends with 0 before those that come after it start'),
  after: z.array(plainName).max(MAX_PROGRAMS).default([]).describe('programs that must be ready (tasks: done) first'),
  user: user.prefault(1000),
  environment: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'must be letters, digits and _, and begin with no digit' }),
      word,
    )
    .default({})
    .describe('all that it gets, beside what the enclave adds (docs/applications.md)'),
  workingFolder: absoluteFolder.prefault('/'),
  stopSignal: z.enum(STOP_SIGNALS).default('SIGTERM'),
  probe: probe.optional().describe('of a service; default: it counts as ready once it runs'),
  restart: z
    .enum(['always', 'never'])
    .default('always')
    .describe('of a service. never: its end is the end of the enclave'),
  readyMs: durationMs(60_000).describe('from its start until it must be ready, or a task done'),
  maxMemoryMiB: count(1_024, 1024 * 1024, 16).describe('what it is ended at (cgroup memory.max)'),
  maxTasks: count(512, 100_000).describe('processes and threads that it may have (cgroup pids.max)'),
});
export type Program = z.output<typeof program>;
export type ProgramProbe = NonNullable<Program['probe']>;

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

/** What the programs say against each other: unknown names, circles, a probe or policy of a task. */
function programFaults(programs: Readonly<Record<string, Program>>): readonly Fault[] {
  const faults: Fault[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return;
    if (path.includes(name)) {
      faults.push({ path: [name, 'after'], message: `waits for itself: ${[...path, name].join(' → ')}` });
      return;
    }
    for (const other of programs[name]?.after ?? []) if (other in programs) visit(other, [...path, name]);
    done.add(name);
  };
  for (const [name, { after, kind, probe: own }] of Object.entries(programs)) {
    const unknown = after.filter((other) => !(other in programs));
    if (unknown.length > 0) faults.push({ path: [name, 'after'], message: `names no program: ${unknown.join(', ')}` });
    if (kind === 'task' && own !== undefined)
      faults.push({ path: [name, 'probe'], message: 'must be left out of a task: its end says that it is done' });
    visit(name, []);
  }
  return faults;
}

export const programsSection = z
  .record(plainName, program)
  .refine((programs) => Object.keys(programs).length > 0, { error: 'must name at least one program' })
  .refine((programs) => Object.keys(programs).length <= MAX_PROGRAMS, { error: `must have at most ${MAX_PROGRAMS}` })
  .superRefine((programs, context) => {
    for (const { path, message } of programFaults(programs))
      context.addIssue({ code: 'custom', path: [...path], message });
  });
