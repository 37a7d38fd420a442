/** `acra-enclave config check|schema`: tells before the start what is wrong with a configuration. */

import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { parseEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import { enclaveSchema } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { CliError } from '../errors.ts';
import { green, printJson, printLine } from '../output.ts';

/** Each file's name begins with its kind. */
const CONFIG_KINDS = ['enclave', 'host-proxy', 'encryptor'] as const;
type ConfigKind = (typeof CONFIG_KINDS)[number];

/** By its name, as the product names its files; anything else must be said with --kind. */
function kindOf(file: string): ConfigKind {
  const kind = CONFIG_KINDS.find((name) => basename(file).startsWith(name));
  if (kind) return kind;
  throw new CliError('CLI_OPTION', `cannot tell what ${file} configures`, {
    allowed: `a name that begins with ${CONFIG_KINDS.join(', ')}`,
    action: 'Say it with --kind.',
  });
}

function checkEncryptor(file: string): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE_READ', `cannot read ${file}`, { cause });
  }
  parseEncryptorConfig(text, file);
}

function checkFile(file: string, kind: ConfigKind): readonly string[] {
  if (kind === 'encryptor') {
    checkEncryptor(file);
    return [file];
  }
  if (kind === 'host-proxy') {
    loadConfig(hostProxySchema, file);
    return [file];
  }
  const encryptor = join(dirname(file), loadConfig(enclaveSchema, file).acra.encryptorConfig);
  checkEncryptor(encryptor);
  return [file, encryptor];
}

function checkConfig(file: string, { kind, json }: { readonly kind?: ConfigKind; readonly json?: boolean }): void {
  const path = resolve(file);
  const checked = checkFile(path, kind ?? kindOf(path));
  if (json) printJson({ valid: true, files: checked });
  else for (const name of checked) printLine(`${green('valid')} ${name}`);
}

function printSchema(kind: string): void {
  const schemas = { enclave: enclaveSchema, 'host-proxy': hostProxySchema };
  if (kind !== 'enclave' && kind !== 'host-proxy') {
    throw new CliError('CLI_OPTION', 'there is no such schema', {
      found: kind,
      allowed: Object.keys(schemas).join(', '),
    });
  }
  printJson(z.toJSONSchema(schemas[kind], { io: 'input' }));
}

export function configCommand(): Command {
  const check = new Command('check')
    .description('Check a configuration file; enclave.yaml is checked with the encryptor.yaml that it names.')
    .argument('<file>')
    .addOption(new Option('--kind <kind>', 'what the file configures; default: by its name').choices(CONFIG_KINDS))
    .option('--json', 'print JSON')
    .action(checkConfig);
  const schema = new Command('schema')
    .description('Print the JSON Schema, for editors.')
    .argument('<kind>', 'enclave or host-proxy')
    .action(printSchema);
  return new Command('config')
    .description('Check configuration files and print their schemas.')
    .addCommand(check)
    .addCommand(schema);
}
