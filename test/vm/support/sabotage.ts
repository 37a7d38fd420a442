/** How a test talks to the saboteur in its image (images/saboteur.ts). */

export const SABOTAGE_PORT = 7100;

export type SabotageRequest =
  | { readonly do: 'stats' }
  | { readonly do: 'signal-acra'; readonly signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' }
  | { readonly do: 'panic' };

export type SabotageAnswer = Readonly<Record<string, unknown>>;
