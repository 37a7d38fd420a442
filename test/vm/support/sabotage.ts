/** How a test talks to the saboteur in its image (saboteur.ts). */

export const SABOTAGE_PORT = 7100;

/** As long as a log keeps a text whole, and longer than what a console sends at once: what of it is lost or torn shows. */
export const PANIC = `the saboteur was told to panic, ${'and to say at length why, '.repeat(70)}to the last word`;

export type SabotageRequest =
  | { readonly do: 'stats' }
  | { readonly do: 'signal-acra'; readonly signal: 'SIGKILL' | 'SIGSTOP'; readonly uid?: number }
  /** Which sockets of the enclave a process of that user can connect to. */
  | { readonly do: 'reach'; readonly uid: number }
  | { readonly do: 'panic' };

export type SabotageAnswer = Readonly<Record<string, unknown>>;
