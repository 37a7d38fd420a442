/** `acra-enclave config check|schema`: tells before the start what is wrong with a configuration. */

import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { listFaults } from '../../acra/catalogue/list-faults.ts';
import { requireCensorConfig } from '../../acra/censor-config.ts';
import { loadEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import type { EncryptorConfig } from '../../acra/encryptor-config/schema.ts';
import { standInProblems } from '../../acra/encryptor-config/stand-in.ts';
import { tokenUseOf } from '../../acra/encryptor-config/token-use.ts';
import { requireMigrations } from '../../acra/migration/faults.ts';
import { findAcraServer } from '../../acra/obtain/locate.ts';
import { anyEnclaveSchema, isApp } from '../../config/any-enclave.ts';
import { appEnclaveSchema } from '../../config/app/app-enclave.ts';
import { stopWarnings } from '../../config/app/stop-time.ts';
import { type EnclaveConfig, enclaveSchema } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { type GuardList, guardListSchema, loadGuardList } from '../../config/guard-list.ts';
import { acraHostSchema, appHostSchema, hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { weaknessesOf } from '../../config/weaknesses.ts';
import { measuredFiles } from '../../eif/rootfs/measured-files.ts';
import { requireNoFinding } from '../../keys/finding.ts';
import type { MissingFile } from '../../keys/folder-check.ts';
import { checkMeasuredFolder } from '../../keys/folder-check.ts';
import { checkFolderCertificates } from '../../keys/tls/folder-certificates.ts';
import { userCacheFolder } from '../cache-folder.ts';
import { CliError } from '../errors.ts';
import { green, printJson, printLine, yellow } from '../output.ts';

/** Each file's name begins with its kind. */
const CONFIG_KINDS = ['enclave', 'host-proxy', 'encryptor', 'guard-list'] as const;
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

interface Checked {
  readonly files: readonly string[];
  /** What enclave.yaml names and is not there yet. */
  readonly missing: readonly MissingFile[];
  /** What is allowed, and weaker than it could be or not possible here. */
  readonly warnings: readonly string[];
}

/** Without acra-server the stand-in is what would start here; elsewhere the same file may be right, so that it stays valid. */
async function encryptorWarnings({ warnings, ...config }: EncryptorConfig, file: string): Promise<readonly string[]> {
  const weak = warnings.map(({ line, path, message }) => `${file}:${line}: ${path}: ${message}`);
  const problems = standInProblems({ warnings, ...config });
  if (problems.length === 0) return weak;
  const acraServer = await findAcraServer({
    environment: process.env,
    cacheFolder: userCacheFolder(process.env, 'acra-server'),
  });
  const impossible = problems.map((problem) => `${file}: ENCRYPTOR_STAND_IN: ${problem}, and no acra-server is here`);
  return acraServer === undefined ? [...weak, ...impossible] : weak;
}

async function checkEncryptor(file: string): Promise<Checked> {
  return { files: [file], missing: [], warnings: await encryptorWarnings(loadEncryptorConfig(file), file) };
}

/** @throws ConfigError CONFIG_INVALID */
function requireFaultless(list: GuardList, { tables }: EncryptorConfig, file: string): void {
  const lines = listFaults(list, tables).map(({ path, message }) => `  - ${path}: ${message}`);
  if (lines.length > 0) throw new ConfigError('CONFIG_INVALID', `${file} is not valid:\n${lines.join('\n')}`);
}

/** Alone it has a form only; beside an enclave.yaml it is for that one's tables. */
function checkGuardList(file: string): Checked {
  const list = loadConfig(guardListSchema, file);
  const folder = dirname(file);
  const enclave = join(folder, 'enclave.yaml');
  if (existsSync(enclave)) {
    const { acra } = loadConfig(enclaveSchema, enclave);
    requireFaultless(list, loadEncryptorConfig(join(folder, acra.encryptorConfig), tokenUseOf({ acra })), file);
  }
  return { files: [file], missing: [], warnings: [] };
}

async function checkEnclave(file: string): Promise<Checked> {
  const config = loadConfig(anyEnclaveSchema, file);
  if (!isApp(config)) return checkAcra(file, config);
  const folder = dirname(file);
  const missing = measuredFiles(config).required.filter((name) => !existsSync(join(folder, name)));
  requireNoFinding(checkFolderCertificates(folder, config, Date.now()).findings);
  return { files: [file], missing: missing.map((name) => ({ file: name })), warnings: stopWarnings(config) };
}

async function checkAcra(file: string, config: EnclaveConfig): Promise<Checked> {
  const folder = dirname(file);
  const encryptor = join(folder, config.acra.encryptorConfig);
  const encryptorConfig = loadEncryptorConfig(encryptor, tokenUseOf(config));
  const censor = config.acra.censorConfig === undefined ? [] : [join(folder, config.acra.censorConfig)];
  for (const each of censor) if (existsSync(each)) requireCensorConfig(each);
  requireMigrations(config.guard.migrations, encryptorConfig.tables, file);
  requireFaultless(loadGuardList(config, folder), encryptorConfig, join(folder, config.guard.list ?? ''));
  const { missing, warnings } = await checkMeasuredFolder({ folder, config, encryptorConfig, nowMs: Date.now() });
  return {
    files: [file, encryptor, ...censor, ...(config.guard.list === undefined ? [] : [join(folder, config.guard.list)])],
    missing,
    warnings: [...weaknessesOf(config), ...warnings, ...(await encryptorWarnings(encryptorConfig, encryptor))],
  };
}

async function checkFile(file: string, kind: ConfigKind): Promise<Checked> {
  if (kind === 'enclave') return checkEnclave(file);
  if (kind === 'encryptor') return checkEncryptor(file);
  if (kind === 'guard-list') return checkGuardList(file);
  loadConfig(hostProxySchema, file);
  return { files: [file], missing: [], warnings: [] };
}

async function checkConfig(
  file: string,
  { kind, json }: { readonly kind?: ConfigKind; readonly json?: boolean },
): Promise<void> {
  const path = resolve(file);
  const { files, missing, warnings } = await checkFile(path, kind ?? kindOf(path));
  if (json) {
    printJson({ valid: true, files, missing: missing.map(({ file: name }) => name), warnings });
    return;
  }
  for (const name of files) printLine(`${green('valid')} ${name}`);
  for (const { file: name, what } of missing) {
    printLine(`${yellow('not there yet')} ${name}${what === undefined ? '' : `: ${what}`}`);
  }
  for (const warning of warnings) printLine(`${yellow('warning')} ${warning}`);
}

const WORKLOADS = ['acra', 'app'] as const;
type Workload = (typeof WORKLOADS)[number];

const SCHEMAS: Readonly<Record<Workload, ReadonlyMap<string, z.ZodType>>> = {
  acra: new Map<string, z.ZodType>([
    ['enclave', enclaveSchema],
    ['host-proxy', acraHostSchema],
    ['guard-list', guardListSchema],
  ]),
  app: new Map<string, z.ZodType>([
    ['enclave', appEnclaveSchema],
    ['host-proxy', appHostSchema],
  ]),
};

function printSchema(kind: string, { workload }: { readonly workload: Workload }): void {
  const schemas = SCHEMAS[workload];
  const schema = schemas.get(kind);
  if (!schema) {
    throw new CliError('CLI_OPTION', 'there is no such schema', {
      found: kind,
      allowed: [...schemas.keys()].join(', '),
    });
  }
  printJson(z.toJSONSchema(schema, { io: 'input' }));
}

export function configCommand(): Command {
  const check = new Command('check')
    .description('Check a configuration file; enclave.yaml is checked with the files that it names.')
    .argument('<file>')
    .addOption(new Option('--kind <kind>', 'what the file configures; default: by its name').choices(CONFIG_KINDS))
    .option('--json', 'print JSON')
    .action(checkConfig);
  const schema = new Command('schema')
    .description('Print the JSON Schema, for editors.')
    .argument('<kind>', 'enclave, host-proxy or guard-list')
    .addOption(new Option('--workload <workload>', 'whose file').choices(WORKLOADS).default('acra'))
    .action(printSchema);
  return new Command('config')
    .description('Check configuration files and print their schemas.')
    .addCommand(check)
    .addCommand(schema);
}
