/**
 * Reads a YAML configuration: every problem is reported at once, each with its path, what was found (never the value of
 * something secret: these files hold none), what is allowed and what to do.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { z } from 'zod';
import { ConfigError } from './errors.ts';
import { parseYaml } from './yaml.ts';

export const MAX_FILE_BYTES = 1024 * 1024;

/** No more is read than is allowed, whatever kind of file it is. @throws ConfigError CONFIG_FILE_READ */
export function readConfigFile(file: string): Buffer {
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  let length = 0;
  try {
    const descriptor = openSync(file, 'r');
    try {
      for (let count = -1; count !== 0 && length < buffer.length; length += count) {
        count = readSync(descriptor, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE_READ', `cannot read ${file}`, { cause });
  }
  if (length <= MAX_FILE_BYTES) return buffer.subarray(0, length);
  throw new ConfigError('CONFIG_FILE_READ', `${file} is too large`, { allowed: `at most ${MAX_FILE_BYTES} bytes` });
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function describeIssue(issue: z.core.$ZodIssue, root: unknown): string {
  const path = issue.path.map(String).join('.') || '(top level)';
  if (issue.code === 'invalid_key')
    return `${path}: the name ${show(String(issue.path.at(-1)))} ${issue.issues.map(({ message }) => message).join('; ')}`;
  if (issue.code === 'unrecognized_keys') {
    return `${path}: unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}; remove it or mend its spelling`;
  }
  return `${path}: found ${show(valueAt(root, issue.path))}; ${expectation(issue) ?? issue.message}`;
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'keys with values',
  record: 'keys with values',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** What is counted, where that is no number. */
const COUNTED: Readonly<Record<string, string>> = { string: 'characters', array: 'entries' };

function boundOf(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const bound = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  const counted = COUNTED[issue.origin];
  return counted === undefined ? `must be ${bound}` : `must have ${bound} ${counted}`;
}

/** In the words of the file, where the library speaks of its own types; what a schema says itself stays. */
function expectation(issue: z.core.$ZodIssue): string | undefined {
  if (!/^(?:Invalid|Too (?:small|big):) /.test(issue.message)) return undefined;
  if (issue.code === 'too_small' || issue.code === 'too_big') return boundOf(issue);
  if (issue.code === 'invalid_type') return `must be ${KINDS[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value')
    return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
  if (issue.code === 'invalid_union') return 'must be one of the kinds that `acra-enclave config schema` lists';
  return undefined;
}

/** Checks a parsed document. @throws ConfigError CONFIG_INVALID with all issues. */
function validateConfig<Schema extends z.ZodType>(schema: Schema, document: unknown, file: string): z.output<Schema> {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => describeIssue(issue, document));
  throw new ConfigError('CONFIG_INVALID', `${file} is not valid:\n${issues.map((line) => `  - ${line}`).join('\n')}`, {
    cause: result.error,
    causeIsTold: true,
  });
}

/** @param file what the text is called in errors. @throws ConfigError CONFIG_SYNTAX, CONFIG_INVALID */
export function readConfig<Schema extends z.ZodType>(schema: Schema, text: Buffer, file: string): z.output<Schema> {
  return validateConfig(schema, parseYaml(text, file, { scalars: 'typed' }).value, file);
}

/** @throws ConfigError CONFIG_FILE_READ, CONFIG_SYNTAX, CONFIG_INVALID */
export function loadConfig<Schema extends z.ZodType>(schema: Schema, file: string): z.output<Schema> {
  return readConfig(schema, readConfigFile(file), file);
}
