/** What the launcher is told, and what it says when it fails; shared by both ends (launch.ts, launcher.ts). */

/** A pair of connected sockets: secrets go in, the reason of a failure comes out. */
export const HANDOVER_FD = 3;

/** Where a program of ours finds its end of the channel (channel.ts). */
export const CHANNEL_FD = 4;

export const SECRET_LENGTH_BYTES = 4;

export type SecretEncoding = 'base64' | 'utf8';

/** Where a program runs that is not ours: a root of its own, and whom it runs as. */
export interface LaunchPlace {
  /** The folder that becomes its root; undefined: it keeps this one. */
  readonly root?: string;
  /** In its root. */
  readonly workingFolder: string;
  /** Undefined: as the launcher. Whoever it is has no capabilities. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** Arguments of the launcher, so that nothing secret may stand in it. */
export interface LaunchPlan {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** In the order in which they come over the pipe: the length of each (u32, big-endian), then its bytes. */
  readonly secrets: readonly { readonly variable: string; readonly encoding: SecretEncoding }[];
  /** Whether the program inherits CHANNEL_FD (channel.ts). */
  readonly hasChannel: boolean;
  /** Of all files and sockets that it makes. */
  readonly umask?: number;
  readonly place?: LaunchPlace;
}

/** The kernel takes no longer argument (MAX_ARG_STRLEN, execve(2)). */
const MAX_ARGUMENT_CHARACTERS = 100_000;

/** In ASCII, so that characters are bytes. */
export function encodePlan(plan: LaunchPlan): string[] {
  const text = JSON.stringify(plan).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += MAX_ARGUMENT_CHARACTERS)
    parts.push(text.slice(at, at + MAX_ARGUMENT_CHARACTERS));
  return parts;
}

export function decodePlan(parts: readonly string[]): LaunchPlan {
  return JSON.parse(parts.join('')) as LaunchPlan;
}

/**
 * What the launcher could not do. `enter`: its root; `user`: whom it runs as; `folder`: its working folder; `restrict`: the bounds that
 * survive execve; `secrets`: they did not arrive whole.
 */
const LAUNCHER_STEPS = ['enter', 'user', 'folder', 'restrict', 'secrets', 'execute'] as const;

export interface LaunchFailure {
  /** `make`: there was no launcher; `start`: it broke itself; `load`: execve succeeded, and the program's loader did not. */
  readonly step: (typeof LAUNCHER_STEPS)[number] | 'make' | 'start' | 'load';
  /** `ENOENT` and so on, where the kernel said no. */
  readonly errno: string | null;
  /** In the loader's words. */
  readonly reason?: string;
}

/** What the launcher says last before it becomes the program; a failure to become it comes after. */
export const ABOUT_TO_RUN = 'run\n';

/** Undefined when the launcher became the program. @param text all that it said */
export function parseLaunchFailure(text: string): LaunchFailure | undefined {
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  if (`${last}\n` === ABOUT_TO_RUN) return undefined;
  const match = /^([a-z]+) ([A-Z0-9]+|-)$/.exec(last);
  const step = LAUNCHER_STEPS.find((each) => each === match?.[1]);
  if (step === undefined) return { step: 'start', errno: null };
  return { step, errno: match?.[2] === '-' ? null : (match?.[2] ?? null) };
}

export function encodeLaunchFailure({ step, errno }: LaunchFailure): string {
  return `${step} ${errno ?? '-'}\n`;
}
