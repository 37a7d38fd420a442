/**
 * The runtime statement of a measured folder. Whoever builds an image and the enclave that boots it make it by this one function, so
 * that measurements.json names the PCR16 that the enclave will show.
 */
import { posix } from 'node:path';
import { z } from 'zod';
import { type AnyEnclaveConfig, isApp } from '../../config/any-enclave.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { type ParentKeys, parentKeysOf } from '../../config/keys.ts';
import { usesRdsIam } from '../../config/rds-iam.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { APP_FOLDER } from '../../wire/image-layout.ts';
import { AttestationError } from '../errors.ts';
import { describeApp } from './describe-app.ts';
import { type FileDigests, folderDigest } from './folder-digest.ts';
import {
  type AcraRuntimeStatement,
  commitmentTo,
  encodeStatement,
  MAX_STATEMENT_BYTES,
  pcrOfCommitment,
  type RuntimeStatement,
  runtimeStatement,
} from './statement.ts';

export interface StatedRuntime<Statement extends RuntimeStatement = RuntimeStatement> {
  readonly statement: Statement;
  /** Canonical JSON: what is hashed, and what verifiers are given. */
  readonly encoding: Buffer;
  /** 48 bytes. */
  readonly commitment: Buffer;
  /** 48 bytes: what PCR16 shows when the enclave has committed. */
  readonly pcr16: Buffer;
}

interface RuntimeFacts<Config extends AnyEnclaveConfig = AnyEnclaveConfig> {
  /** enclave.yaml. */
  readonly config: Config;
  /** Of the whole measured folder. */
  readonly files: FileDigests;
  /** Of acra-enclave. */
  readonly release: string;
}

/** @throws AttestationError ATTESTATION_STATEMENT_IMPOSSIBLE, ATTESTATION_FOLDER_UNREADABLE */
export function stateRuntime(facts: RuntimeFacts<EnclaveConfig>): StatedRuntime<AcraRuntimeStatement>;
export function stateRuntime(facts: RuntimeFacts): StatedRuntime;
export function stateRuntime(facts: RuntimeFacts): StatedRuntime {
  const parsed = runtimeStatement.safeParse(describe(facts));
  if (!parsed.success) throw impossible(z.prettifyError(parsed.error), parsed.error);
  const statement = parsed.data;
  const encoding = encode(statement);
  const commitment = commitmentTo(encoding);
  return { statement, encoding, commitment, pcr16: pcrOfCommitment(commitment) };
}

function describe({ config, files, release }: RuntimeFacts): RuntimeStatement {
  if (isApp(config)) return describeApp(config, folderDigest(withoutApplication(files)), release);
  return describeAcra(config, files, release);
}

/** In an image it lies elsewhere, as the root of its programs. */
function withoutApplication(files: FileDigests): FileDigests {
  return new Map([...files].filter(([path]) => !path.startsWith(`${APP_FOLDER}/`)));
}

function describeAcra(config: EnclaveConfig, files: FileDigests, release: string): AcraRuntimeStatement {
  const { acra, database, guard, ingress, kms } = config;
  const isGuarded = ingress.tls === 'terminate';
  return {
    version: 1,
    release,
    name: config.name,
    configuration: folderDigest(files),
    ingress: ingress.tls,
    tlsKey: config.tls.key,
    guard: {
      mode: isGuarded ? guard.mode : 'none',
      relations: isGuarded ? guard.relations : 'none',
      migrations: guard.migrations.map(({ table, column }) => `${table}.${column}`),
    },
    database: {
      serverName: database.serverName,
      ca: digestOf(files, database.ca),
      ...(usesRdsIam(config) && { login: 'rds-iam' as const }),
    },
    clientCa: digestOf(files, acra.clientCa),
    kms: kms === undefined ? null : { keyArn: kms.keyArn, encryptionContext: kms.encryptionContext },
    keys: describeKeys(config, files),
  };
}

function describeKeys(config: EnclaveConfig, files: FileDigests): AcraRuntimeStatement['keys'] {
  const keys = parentKeysOf(config);
  if (keys === undefined) return { source: 'image' };
  const { approvals, ceremony, formerKmsKeys, keeper, madeIn, operators, pin } = keys;
  return {
    source: 'parent',
    pin,
    operators: operators.map(({ name, key }) => ({ name, key: digestOf(files, key) })),
    approvals,
    ceremony,
    madeIn: [...madeIn],
    formerKmsKeys: [...formerKmsKeys],
    keeper: describeKeeper(keeper, operators, files),
  };
}

function describeKeeper(
  keeper: ParentKeys['keeper'],
  operators: ParentKeys['operators'],
  files: FileDigests,
): Extract<AcraRuntimeStatement['keys'], { source: 'parent' }>['keeper'] {
  if (keeper.kind === 'kms') return { kind: 'kms' };
  const { kind, k } = keeper;
  if (kind === 'threshold') return { kind, k, keys: keeper.keys.map(({ keyArn }) => keyArn) };
  const recipients = keeper.operators.flatMap((name) => {
    const file = operators.find((operator) => operator.name === name)?.encryptionKey;
    return file === undefined ? [] : [{ name, encryptionKey: digestOf(files, file) }];
  });
  return { kind, k, operators: recipients };
}

function digestOf(files: FileDigests, file: string): string {
  const digest = files.get(posix.normalize(file));
  if (digest !== undefined) return digest;
  throw new AttestationError('ATTESTATION_FOLDER_UNREADABLE', `${file} is not in the measured folder`);
}

function encode(statement: RuntimeStatement): Buffer {
  let encoding: Buffer;
  try {
    encoding = encodeStatement(statement);
  } catch (error) {
    if (error instanceof FormatError) throw impossible(error.message, error);
    throw error;
  }
  if (encoding.length <= MAX_STATEMENT_BYTES) return encoding;
  throw impossible(`it would have ${encoding.length} bytes`);
}

function impossible(found: string, cause?: unknown): AttestationError {
  return new AttestationError('ATTESTATION_STATEMENT_IMPOSSIBLE', 'the configuration cannot be stated', {
    found,
    allowed: `names of the encryption context in ASCII, texts without DEL of at most 4096 characters, ${MAX_STATEMENT_BYTES} bytes in all`,
    ...(cause === undefined ? {} : { cause }),
  });
}
