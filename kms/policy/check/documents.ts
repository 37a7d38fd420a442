/** The attestation documents that a policy is tried with: every combination of the values that it may tell apart. */
import { toPcrIndex } from '../../../wire/brands.ts';
import type { Policy, Statement } from '../language/document.ts';
import type { Registers } from '../language/request-context.ts';
import { FRESH_VALUE, mentionedNitroTpm, mentionedRegisters, registersThatMayLack } from './mentioned.ts';

/** Enough for two images with six registers each; more is a policy that nobody reads. */
const MAX_DOCUMENTS = 4_096;
const IMAGE_REGISTERS = [0, 1, 2];
const ZERO = '00'.repeat(48);

/** Lower-case hexadecimal by register. */
export type Values = ReadonlyMap<number, string>;

export interface Documents {
  readonly documents: readonly Values[];
  /** Registers that the policy asks for and no measurement tells. */
  readonly extra: readonly number[];
  /** There were too many: one deviation at a time is tried. */
  readonly isIncomplete: boolean;
}

export function valuesOf(registers: Registers): Values {
  return new Map([...registers].map(([index, value]) => [index, value.toString('hex')]));
}

export function registersOf(values: Values): Registers {
  return new Map([...values].map(([index, hex]) => [toPcrIndex(index), Buffer.from(hex, 'hex')]));
}

type Candidates = ReadonlyMap<number, readonly (string | undefined)[]>;

function candidates(policy: Policy, expected: readonly Values[]): Candidates {
  const mentioned = mentionedRegisters(policy);
  const lacking = registersThatMayLack(policy);
  const registers = new Set([...expected.flatMap((values) => [...values.keys()]), ...mentioned.keys()]);
  return new Map(
    [...registers].map((index) => {
      const own = expected.map((values) => values.get(index)).filter((value) => value !== undefined);
      const absent = lacking.has(index) ? [undefined] : [];
      return [index, [...new Set([...own, ...(mentioned.get(index) ?? []), FRESH_VALUE, ...absent])]];
    }),
  );
}

/** @param value undefined: the document lacks the register */
function withRegister(document: Values, index: number, value: string | undefined): Values {
  const others = [...document].filter(([other]) => other !== index);
  return new Map(value === undefined ? others : [...others, [index, value]]);
}

function product(byRegister: Candidates): readonly Values[] {
  let documents: readonly Values[] = [new Map()];
  for (const [index, values] of byRegister) {
    documents = documents.flatMap((each) => values.map((value) => withRegister(each, index, value)));
  }
  return documents;
}

/** What a statement itself lets in first of all. */
function typicalOf(statement: Statement): Values {
  return new Map([...mentionedRegisters([statement])].map(([index, [first = FRESH_VALUE]]) => [index, first]));
}

/** Starting from what was named, and from what each statement lets in. */
function oneAtATime(byRegister: Candidates, starts: readonly Values[]): Values[] {
  const base = new Map([...byRegister].map(([index, [first = FRESH_VALUE]]) => [index, first]));
  return starts.flatMap((values) => {
    const whole = new Map([...base, ...values]);
    const deviating = [...byRegister].flatMap(([index, each]) =>
      each.map((value) => withRegister(whole, index, value)),
    );
    return [whole, ...deviating];
  });
}

/** In debug mode the registers of the image are zero; those of the parent are not. */
function inDebugMode(document: Values): Values {
  return new Map([...document, ...IMAGE_REGISTERS.map((index): [number, string] => [index, ZERO])]);
}

export function isOfDebugMode(document: Values): boolean {
  const shown = IMAGE_REGISTERS.map((index) => document.get(index)).filter((value) => value !== undefined);
  return shown.length > 0 && shown.every((value) => value === ZERO);
}

export function documentsToTry(policy: Policy, expected: readonly Values[]): Documents {
  const byRegister = candidates(policy, expected);
  const count = [...byRegister.values()].reduce((product, values) => product * values.length, 1);
  const isIncomplete = count > MAX_DOCUMENTS;
  const documents = isIncomplete
    ? oneAtATime(byRegister, [...expected, ...policy.map(typicalOf)])
    : product(byRegister);
  const extra = [...byRegister.keys()].filter((index) => !expected.some((values) => values.has(index)));
  return { documents: [...documents, ...expected.map(inDebugMode)], extra, isIncomplete };
}

/** A NitroTPM's documents: the first, second, … value that is mentioned of each register. */
export function nitroTpmDocuments(policy: Policy): readonly Values[] {
  const mentioned = [...mentionedNitroTpm(policy)];
  const most = Math.max(1, ...mentioned.map(([, values]) => values.size));
  return Array.from(
    { length: most },
    (_, nth) => new Map(mentioned.map(([index, values]) => [index, [...values][nth] ?? [...values][0] ?? FRESH_VALUE])),
  );
}
