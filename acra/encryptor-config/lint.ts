/**
 * Reads an encryptor configuration as strictly as a secret deserves: acra-server ignores misspelt keys and then stores
 * plaintext (acra-server contract 4.1), so everything that it would ignore, refuse or read otherwise is an error here,
 * and all errors are told at once, each with its line.
 */
import type { z } from 'zod';
import { ConfigError } from '../../config/errors.ts';
import { readConfigFile } from '../../config/load.ts';
import { parseYaml, type YamlDocument } from '../../config/yaml.ts';
import { EncryptorError } from '../errors.ts';
import { dataTypeOf } from './combination.ts';
import { nearestKey } from './nearest-key.ts';
import { checkRules, type TokenUse } from './rules.ts';
import type {
  EncryptedColumn,
  EncryptedTable,
  EncryptorConfig,
  EncryptorFinding,
  RawColumn,
  RawDefaults,
  RawEncryptorFile,
} from './schema.ts';
import { encryptorFileSchema, KNOWN_KEYS } from './schema.ts';

function finding(document: YamlDocument, path: readonly PropertyKey[], message: string): EncryptorFinding {
  return { line: document.lineOf(path), path: path.map(String).join('.') || '(top level)', message };
}

/** The map that a path leads to, named by its keys alone: list positions say nothing about which keys it has. */
function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  return KNOWN_KEYS[path.filter((part) => typeof part === 'string').join('.')] ?? [];
}

function unknownKeyFindings(document: YamlDocument, path: readonly PropertyKey[], keys: readonly string[]) {
  return keys.map((key): EncryptorFinding => {
    const known = knownKeysAt(path);
    const guess = nearestKey(key, known);
    const help = guess === undefined ? `allowed here: ${known.join(', ')}` : `did you mean "${guess}"?`;
    const message = `unknown key "${key}", which acra-server would ignore; ${help}`;
    return { line: document.lineOfKey(path, key), path: [...path, key].map(String).join('.'), message };
  });
}

function schemaFindings(document: YamlDocument, error: z.ZodError): EncryptorFinding[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? unknownKeyFindings(document, issue.path, issue.keys)
      : [finding(document, issue.path, issue.message)],
  );
}

/** The document without its unknown keys, so that the rules can still look at the rest. */
function withoutUnknownKeys(value: unknown, error: z.ZodError): unknown {
  const copy: unknown = structuredClone(value);
  for (const issue of error.issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const map = issue.path.reduce<unknown>((node, key) => Reflect.get(node as object, key), copy);
    for (const key of issue.keys) Reflect.deleteProperty(map as object, key);
  }
  return copy;
}

interface Checked {
  readonly file: RawEncryptorFile | undefined;
  readonly errors: readonly EncryptorFinding[];
  readonly warnings: readonly EncryptorFinding[];
}

function check(document: YamlDocument, tokens: TokenUse): Checked {
  const parsed = encryptorFileSchema.safeParse(document.value);
  const schemaErrors = parsed.error ? schemaFindings(document, parsed.error) : [];
  const file = parsed.error
    ? encryptorFileSchema.safeParse(withoutUnknownKeys(document.value, parsed.error)).data
    : parsed.data;
  const rules = file === undefined ? [] : checkRules(file, tokens);
  const located = (severity: 'error' | 'warning') =>
    rules.filter((rule) => rule.severity === severity).map(({ path, message }) => finding(document, path, message));
  return { file, errors: [...schemaErrors, ...located('error')], warnings: located('warning') };
}

function invalid(fileName: string, findings: readonly EncryptorFinding[]): EncryptorError {
  const sorted = findings.toSorted((a, b) => a.line - b.line);
  const lines = sorted.map(({ line, path, message }) => `  - ${fileName}:${line}: ${path}: ${message}`);
  return new EncryptorError('ENCRYPTOR_INVALID', `${fileName} is not valid:\n${lines.join('\n')}`);
}

function tokenOf({ token_type: type, consistent_tokenization: own }: RawColumn, defaults: RawDefaults) {
  return type && { type, isConsistent: own ?? defaults.consistent_tokenization ?? false };
}

function toColumn(table: string, raw: RawColumn, defaults: RawDefaults): EncryptedColumn {
  const { masking, plaintext_length: plaintextBytes, plaintext_side: side } = raw;
  const token = tokenOf(raw, defaults);
  const masked = masking !== undefined && plaintextBytes !== undefined && side !== undefined;
  return {
    table,
    name: raw.column,
    clientId: raw.client_id,
    envelope: raw.crypto_envelope ?? defaults.crypto_envelope ?? 'acrablock',
    reencryptsToAcraBlock: raw.reencrypting_to_acrablocks ?? defaults.reencrypting_to_acrablocks ?? true,
    dataType: token ? (token.type === 'email' ? 'str' : token.type) : dataTypeOf(raw),
    onFail: raw.response_on_fail ?? (raw.default_data_value === undefined ? 'ciphertext' : 'default_value'),
    defaultValue: raw.default_data_value,
    searchable: raw.searchable === true,
    token,
    masking: masked ? { pattern: masking, plaintextBytes, side } : undefined,
  };
}

function toTables(file: RawEncryptorFile): ReadonlyMap<string, EncryptedTable> {
  const defaults = file.defaults ?? {};
  return new Map(
    file.schemas.map(({ table, columns, encrypted = [] }) => {
      const byName = new Map(encrypted.map((raw) => [raw.column, toColumn(table, raw, defaults)]));
      return [table, { name: table, columns, encrypted: byName }];
    }),
  );
}

/** The reader's errors under this boundary's own codes. */
function under<Result>(code: 'ENCRYPTOR_SYNTAX' | 'ENCRYPTOR_FILE_READ', read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    const { allowed } = cause;
    const isWhole = code === 'ENCRYPTOR_SYNTAX' || cause.cause === undefined;
    const details = {
      ...(allowed === undefined ? {} : { allowed }),
      ...(isWhole ? { causeIsTold: true as const } : {}),
    };
    throw new EncryptorError(code, cause.message, { cause, ...details });
  }
}

/**
 * @param bytes UTF-8 @param fileName for messages only @param tokens whether columns may be tokenized
 * @throws EncryptorError ENCRYPTOR_SYNTAX, ENCRYPTOR_INVALID with all findings
 */
export function parseEncryptorConfig(
  bytes: Buffer | string,
  fileName: string,
  tokens: TokenUse = 'refused',
): EncryptorConfig {
  const document = under('ENCRYPTOR_SYNTAX', () =>
    parseYaml(Buffer.from(bytes as string), fileName, { scalars: 'text' }),
  );
  const { file, errors, warnings } = check(document, tokens);
  if (file === undefined || errors.length > 0) throw invalid(fileName, errors);
  return { tables: toTables(file), warnings };
}

/** @throws EncryptorError ENCRYPTOR_FILE_READ, ENCRYPTOR_SYNTAX, ENCRYPTOR_INVALID */
export function loadEncryptorConfig(file: string, tokens: TokenUse = 'refused'): EncryptorConfig {
  const bytes = under('ENCRYPTOR_FILE_READ', () => readConfigFile(file));
  return parseEncryptorConfig(bytes, file, tokens);
}
