/**
 * Why a process never became its program, in words for whoever has to mend it. What the launcher itself could not do comes from
 * launch-plan.ts; what the dynamic loader could not do comes after `execve`, from what it writes.
 * Sources: execve(2), "ERRORS"; glibc 2.36, elf/dl-error-minimal.c and elf/rtld.c (exit codes 127, and 1 for versions); musl 1.2,
 * ldso/dynlink.c.
 */
import { constants } from 'node:os';
import { describeErrno } from '../libc/errno.ts';
import type { LaunchFailure } from './launch-plan.ts';

/** execve(2): the machine is short of something, for a while. */
const PASSING: ReadonlySet<string> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ETXTBSY', 'EIO']);

const STEPS: Readonly<Record<LaunchFailure['step'], string>> = {
  make: 'no process could be made',
  start: 'the launcher itself broke before it could run anything',
  enter: 'its root could not be entered',
  user: 'it could not become its user',
  folder: 'its working folder could not be entered',
  restrict: 'the process could not be restricted',
  secrets: 'its secrets did not arrive whole',
  execute: 'execve failed',
  load: 'its loader gave up',
};

/** What the number alone does not tell. */
const OF_EXECVE: Readonly<Record<string, string>> = {
  ENOENT: 'the program, or the loader or interpreter that it names, is not there',
  ENOEXEC: 'it is no program, or one for another processor',
  EACCES: 'it is no file that its user may execute, or lies where nothing may be executed',
  E2BIG: 'its arguments and environment are longer than the kernel takes',
  ELIBBAD: 'the loader that it names is no loader',
};

/** `execve failed: ENOENT: no such file or directory (the program, or the loader …)` */
export function describeLaunchFailure({ step, errno, reason }: LaunchFailure): string {
  if (reason !== undefined) return `${STEPS[step]}: ${reason}`;
  const number = errno === null ? undefined : constants.errno[errno as keyof typeof constants.errno];
  if (number === undefined) return errno === null ? STEPS[step] : `${STEPS[step]}: ${errno}`;
  const hint = step === 'execute' && errno !== null ? OF_EXECVE[errno] : undefined;
  return `${STEPS[step]}: ${describeErrno(number)}${hint === undefined ? '' : ` (${hint})`}`;
}

/** Whether another try may go better though nothing was mended. */
export function isPassingLaunchFailure({ errno }: LaunchFailure): boolean {
  return errno !== null && PASSING.has(errno);
}

/** With these the loader ends a program that it cannot start. */
const LOADER_EXITS: ReadonlySet<number | null> = new Set([1, 127]);
const NAME = String.raw`[\w./+@:-]{1,300}`;
const WORDS = String.raw`[A-Za-z][\w ,:'/().+-]{0,200}`;
/** What follows the program's own name. */
const COMPLAINTS: readonly RegExp[] = [
  new RegExp(`^${NAME}: (error while loading shared libraries: ${NAME}: ${WORDS})$`),
  new RegExp(`^${NAME}: (${NAME}: version \`[\\w.]{1,60}' not found \\(required by ${NAME}\\))$`),
  new RegExp(`^${NAME}: (symbol lookup error: ${NAME}: undefined symbol: [\\w@.]{1,200}(?:, version [\\w.]{1,60})?)$`),
  new RegExp(`^(Error loading shared library ${NAME}: ${WORDS})$`),
  new RegExp(`^(Error relocating ${NAME}: [\\w@.]{1,200}: symbol not found)$`),
];

/**
 * The loader's own words, when a program ended before it ran; undefined when these are none of its.
 * @param firstLine of what the process wrote to standard error
 */
export function loaderFailure(exitCode: number | null, firstLine: string): LaunchFailure | undefined {
  if (!LOADER_EXITS.has(exitCode)) return undefined;
  const reason = COMPLAINTS.map((pattern) => pattern.exec(firstLine)?.[1]).find((found) => found !== undefined);
  if (reason === undefined) return undefined;
  return { step: 'load', errno: /cannot allocate memory/i.test(reason) ? 'ENOMEM' : null, reason };
}
