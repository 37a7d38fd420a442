/**
 * Scalars of an encryptor configuration, typed by their field as acra-server's reader does it (gopkg.in/yaml.v2 2.4.0 into Go
 * strings, bools and ints): a text field takes `no`, `y` and `42` as they are written; only a bool field makes a bool of `no`.
 * Where that reader would take nothing for an empty text, or a fraction for an integer, the value is refused.
 */
import { z } from 'zod';
import type { YamlScalar } from '../../config/yaml.ts';

const NULLS = ['', '~', 'null', 'Null', 'NULL'];
const TRUES = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSES = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
/** Base by prefix, as Go's strconv.ParseInt does it with base 0; underscores are left out before. */
const INTEGERS: readonly (readonly [RegExp, number])[] = [
  [/^([-+]?)(0|[1-9][0-9]*)$/, 10],
  [/^([-+]?)0[xX]([0-9a-fA-F]+)$/, 16],
  [/^([-+]?)0[oO]?([0-7]+)$/, 8],
  [/^([-+]?)0[bB]([01]+)$/, 2],
];

function isScalar(value: unknown): value is YamlScalar {
  return typeof value === 'object' && value !== null && 'scalar' in value && typeof value.scalar === 'string';
}

const scalar = z.custom<YamlScalar>(isScalar, { error: 'expected one value, not a list or a map' });

function typed<Value>(expected: string, read: (scalar: YamlScalar) => Value | undefined) {
  return scalar.transform((each, context): Value => {
    const isNull = each.isPlain && NULLS.includes(each.scalar);
    const value = isNull ? undefined : read(each);
    if (value !== undefined) return value;
    const message = isNull ? `expected ${expected}, found nothing; leave the key out` : `expected ${expected}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

function parseInteger(text: string): number | undefined {
  const digits = text.replaceAll('_', '');
  for (const [form, base] of INTEGERS) {
    const [, sign = '', number] = form.exec(digits) ?? [];
    if (number !== undefined) return Number.parseInt(sign + number, base);
  }
  return undefined;
}

export const text = typed('a text', (each) => each.scalar);

export const flag = typed('boolean: true or false, without quotes', ({ scalar: word, isPlain }) => {
  if (!isPlain || !(TRUES.test(word) || FALSES.test(word))) return undefined;
  return TRUES.test(word);
});

export const integer = typed('an integer, without quotes', ({ scalar: word, isPlain }) =>
  isPlain ? parseInteger(word) : undefined,
);
