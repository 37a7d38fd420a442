/** What `policy print` and `policy check` are told of the enclave and its people, as options, and the wish that comes of it. */
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ExpectedMeasurements } from '../../attestation/expected.ts';
import { isZeroPcr } from '../../attestation/pcr.ts';
import { COMMITMENT_PCR } from '../../attestation/runtime/statement.ts';
import { anyEnclaveSchema, isApp } from '../../config/any-enclave.ts';
import type { AppEnclaveConfig } from '../../config/app/app-enclave.ts';
import { parseKeyArn } from '../../config/aws-names.ts';
import { isDigest, parentKeysOf } from '../../config/keys.ts';
import { requireKms } from '../../config/kms.ts';
import { loadConfig } from '../../config/load.ts';
import { parentRegisters } from '../../eif/pcr.ts';
import type { Registers } from '../../kms/policy/language/request-context.ts';
import type { PolicyWish } from '../../kms/policy/wish.ts';
import { type PcrIndex, toPcrIndex } from '../../wire/brands.ts';
import { CliError } from '../errors.ts';
import { collect, parseCount, parseDuration } from '../option-values.ts';
import { readMeasurements, type SignatureOptions } from './measurements.ts';

export interface WishOptions extends SignatureOptions {
  readonly measurements: string;
  readonly also: readonly string[];
  readonly bind: 'image' | 'signed';
  readonly roleArn: string;
  readonly instanceId?: string;
  readonly enclave?: string;
  readonly keyArn?: string;
  readonly administrator: readonly string[];
  readonly policyAdministrator: readonly string[];
  readonly replicas?: true;
  readonly bornInEnclave?: true;
  readonly generation: readonly number[];
  readonly runtime: boolean;
}

export function withWishOptions(command: Command): Command {
  return command
    .requiredOption(
      '--measurements <file>',
      'measurements.json of the image, what `measurements sign` wrote, or what nitro-cli prints',
    )
    .option(
      '--require <file>',
      'PEM of a public key that must have signed all measurements; again for another',
      collect,
      [],
    )
    .option('--measurements-max-age <duration>', 'how long ago they may have been issued, such as 30d', parseDuration)
    .option(
      '--also <file>',
      'those of a further image that may decrypt, during a roll-over; again for another',
      collect,
      [],
    )
    .addOption(
      new Option('--bind <to>', 'image: PCR0. signed: PCR1, PCR2 and PCR8')
        .choices(['image', 'signed'])
        .default('image'),
    )
    .requiredOption('--role-arn <arn>', 'role of the parent instance: the principal, and PCR3')
    .option('--instance-id <id>', 'PCR4: this one instance only, so that no other can take its place')
    .option('--no-runtime', 'do not demand PCR16, though the measurements have it')
    .option(
      '--enclave <folder>',
      'the measured folder: what its enclave.yaml says of the key, or of an application’s keys',
    )
    .option('--key-arn <arn>', 'the key, where no --enclave tells it, or one of an application’s')
    .option('--administrator <arn>', 'user or role that looks after the key; again for another', collect, [])
    .option('--policy-administrator <arn>', 'user or role that may put another policy; again for another', collect, [])
    .option('--replicas', 'of a multi-Region key: they may make its replicas too, each with a policy of its own')
    .option(
      '--born-in-enclave',
      'keys are made by an enclave: nobody seals them outside; default with keys.source: parent in --enclave',
    )
    .option(
      '--generation <number>',
      'the generation of the key set that opens, and no other; again for the next one while keys change',
      (text: string, before: readonly number[]) => [...before, parseGeneration(text)],
      [],
    );
}

const MAX_GENERATION = 10 ** 15 - 1;

/** Of a key set. */
export const parseGeneration = parseCount(1, MAX_GENERATION);

const IMAGE = [toPcrIndex(0)];
const SIGNED = [1, 2, 8].map(toPcrIndex);

function requireRegister(registers: Registers, index: PcrIndex, file: string): Buffer {
  const value = registers.get(index);
  if (value !== undefined && !(index === 8 && isZeroPcr(value))) return value;
  throw new CliError('CLI_OPTION', `${file} does not tell PCR${index}`, {
    found: value === undefined ? 'no value' : 'zero: the image is not signed',
    allowed:
      index === 8 ? 'a signed image (`acra-enclave eif sign`), or --bind image' : 'measurements.json of an image',
  });
}

function demanded({ pcrs }: ExpectedMeasurements, file: string, options: WishOptions): Registers {
  const ofImage = (options.bind === 'image' ? IMAGE : SIGNED).map((index): [PcrIndex, Buffer] => [
    index,
    requireRegister(pcrs, index, file),
  ]);
  const commitment = options.runtime ? pcrs.get(COMMITMENT_PCR) : undefined;
  const ofParent = parentRegisters(options);
  for (const [index, value] of ofParent) requireAgreement(pcrs, index, value, file);
  return new Map([
    ...ofImage,
    ...ofParent,
    ...(commitment === undefined ? [] : [[COMMITMENT_PCR, commitment] as const]),
  ]);
}

/** Measurements can be published for one role or instance. */
function requireAgreement(registers: Registers, index: PcrIndex, value: Buffer, file: string): void {
  const published = registers.get(index);
  if (published === undefined || published.equals(value)) return;
  throw new CliError('CLI_OPTION', `${file} is for another role or instance: its PCR${index} differs`, {
    found: value.toString('hex'),
    allowed: published.toString('hex'),
  });
}

/** The registers that a policy shall demand of an image. @throws CliError CLI_OPTION; EifError; MeasurementsError */
export async function registersFrom(file: string, options: WishOptions): Promise<Registers> {
  const path = resolve(file);
  return demanded(await readMeasurements(path, options), file, options);
}

export function isSameRegisters(a: Registers, b: Registers): boolean {
  return a.size === b.size && [...a].every(([index, value]) => b.get(index)?.equals(value));
}

/** Of another key, or by an alias, statements that name the key would be taken for statements about another one. */
export function requireKeyArn(keyArn: string | undefined): string | undefined {
  if (keyArn === undefined || parseKeyArn(keyArn) !== undefined) return keyArn;
  throw new CliError('CLI_OPTION', '--key-arn is not the ARN of a key', {
    found: keyArn,
    allowed: 'arn:aws:kms:REGION:ACCOUNT:key/ID, no alias',
  });
}

export interface Wished {
  readonly wish: PolicyWish;
  readonly keyArn: string | undefined;
  /** enclave.yaml relies on the policy to demand the generation of the key set. */
  readonly isGenerationPinned: boolean;
  /** Nothing that is known here keeps an older key set out. */
  readonly isRollbackOpen: boolean;
}

/** What enclave.yaml tells of the key. */
interface Told {
  readonly keyArn: string | undefined;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly keys: ReturnType<typeof parentKeysOf>;
  readonly uses: readonly string[] | undefined;
}

const NOTHING: Told = { keyArn: undefined, encryptionContext: {}, keys: undefined, uses: undefined };

/** One policy is for one key. @throws CliError CLI_OPTION */
function toldByApplication({ kmsProxy }: AppEnclaveConfig, chosen: string | undefined): Told {
  const rules = kmsProxy?.allow ?? [];
  const [rule, ...others] = chosen === undefined ? rules : rules.filter(({ key }) => key === chosen);
  if (rule === undefined || others.length > 0)
    throw new CliError('CLI_OPTION', 'the key that the policy is for is not told', {
      found: chosen ?? `${rules.length} keys in kmsProxy.allow of enclave.yaml`,
      allowed:
        rules.length === 0
          ? 'a folder whose enclave.yaml has kmsProxy'
          : `--key-arn with one of: ${rules.map(({ key }) => key).join(', ')}`,
    });
  return { ...NOTHING, keyArn: rule.key, uses: rule.actions };
}

/** @throws CliError CLI_OPTION; ConfigError */
function toldBy({ enclave, keyArn }: WishOptions): Told {
  if (enclave === undefined) return NOTHING;
  const config = loadConfig(anyEnclaveSchema, join(resolve(enclave), 'enclave.yaml'));
  if (isApp(config)) return toldByApplication(config, keyArn);
  const kms = requireKms(config);
  return { ...NOTHING, keyArn: kms.keyArn, encryptionContext: kms.encryptionContext, keys: parentKeysOf(config) };
}

/** Without its folder an application's key would get the policy of a master key. @throws CliError CLI_OPTION */
async function requireFolder(options: WishOptions): Promise<void> {
  if (options.enclave !== undefined) return;
  const { statement } = await readMeasurements(resolve(options.measurements), options);
  if (statement?.workload !== 'app') return;
  throw new CliError(
    'CLI_OPTION',
    'the measurements are of an application, and what it does with its keys is not told',
    {
      allowed: '--enclave with its measured folder; --key-arn chooses among several keys',
    },
  );
}

/** @throws CliError CLI_OPTION; EifError; ConfigError */
export async function wishFrom(options: WishOptions): Promise<Wished> {
  const { also, measurements } = options;
  await requireFolder(options);
  const { keyArn, encryptionContext, keys, uses } = toldBy(options);
  const images: Registers[] = [];
  for (const file of [measurements, ...also]) {
    const registers = await registersFrom(file, options);
    if (images.some((each) => isSameRegisters(each, registers))) {
      throw new CliError('CLI_OPTION', `${file} has the measurements that are named already`, {
        allowed: 'with --also, the measurements of another image',
      });
    }
    images.push(registers);
  }
  const keysBornInEnclave = options.bornInEnclave === true || keys !== undefined;
  const isPinned = options.generation.length > 0 || (keys !== undefined && isDigest(keys.pin));
  return {
    wish: {
      roleArn: options.roleArn,
      measurements: images,
      administrators: options.administrator,
      policyAdministrators: options.policyAdministrator,
      replicas: options.replicas === true,
      encryptionContext,
      keysBornInEnclave,
      generations: options.generation,
      ...(uses !== undefined && { uses }),
    },
    keyArn: requireKeyArn(options.keyArn) ?? keyArn,
    isGenerationPinned: keys?.pin === 'policy',
    isRollbackOpen: keysBornInEnclave && !isPinned,
  };
}
