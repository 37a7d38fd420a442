/**
 * What an enclave says of itself in words, as the parent takes it: a modified one must not speak in the operator's name. What it may say is a
 * known word where there are few; free text is in one line, holds nothing that a terminal or a browser obeys, and is bounded.
 */
import { z } from 'zod';
import { quoteStranger } from '../../runtime/harmless-text.ts';

/** Where a boot can be (supervisor/boot/table.ts, app-table.ts), before it begins, and when it is over. */
export const BOOT_PHASES = [
  'start',
  'machine',
  'control',
  'nsm',
  'entropy',
  'clock',
  'configuration',
  'tls-key',
  'commitment',
  'requests',
  'clock-kept',
  'application',
  'heartbeat',
  'egress',
  'credentials',
  'kms-entropy',
  'kms-proxy',
  'key-set',
  'master-key',
  'keystore',
  'certificate',
  'programs',
  'ingress',
  'acra',
  'ready',
  'serve',
] as const;
const KNOWN_PHASES: ReadonlySet<string> = new Set(BOOT_PHASES);

const MAX_PHASE_CHARACTERS = 60;
const UNKNOWN = 'unknown';
/** As every code of docs/errors.md is written. */
const CODE = /^[A-Z][A-Z0-9_]{0,60}$/;
const MAX_CODE_CHARACTERS = 100;
/** In place of what is no code. */
const NO_CODE = 'other';

/** One of BOOT_PHASES, else `unknown`. */
export const saidPhase = z
  .string()
  .max(MAX_PHASE_CHARACTERS)
  .transform((phase) => (KNOWN_PHASES.has(phase) ? phase : UNKNOWN));

/** `other` where it is written as no code is. */
export const codeOrOther = (code: string): string => (CODE.test(code) ? code : NO_CODE);

export const saidCode = z.string().max(MAX_CODE_CHARACTERS).transform(codeOrOther);

/** One line without anything that is obeyed; never longer than it may come. */
export const saidText = (maxCharacters: number) =>
  z
    .string()
    .max(maxCharacters)
    .transform((text) => quoteStranger(text, maxCharacters));
