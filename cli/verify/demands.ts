/** From options to what the verifier demands. Which image is meant must be said, or that it is not judged. */
import type { Demands, ExpectedRegisters } from '../../attestation/verify/demands.ts';
import { parentRegisters } from '../../eif/pcr.ts';
import { NONCE_HEX } from '../../wire/requests/bounds.ts';
import { CliError } from '../errors.ts';
import { readExpectedMeasurements } from '../measurements/files.ts';
import { readTrustedRoot } from './files.ts';

export interface DemandOptions {
  /** False: `--no-measurements`. */
  readonly measurements?: string | false;
  readonly require?: readonly string[];
  /** Milliseconds. */
  readonly measurementsMaxAge?: number;
  readonly pcr?: readonly string[];
  readonly roleArn?: string;
  readonly instanceId?: string;
  readonly requireAttestedTlsKey?: true;
  readonly requirePinnedKeys?: true;
  readonly allowReportGuard?: true;
  readonly allowNoGuard?: true;
  readonly allowAnyRelation?: true;
  readonly allowOpenMigrations?: true;
  readonly allowPolicyPin?: true;
  readonly trustRoot?: string;
}

const PCR_OPTION = /^(\d{1,2})=([0-9a-fA-F]{96})$/;

function option(message: string, found: string, allowed: string): CliError {
  return new CliError('CLI_OPTION', message, { found, allowed });
}

/** @returns the bytes of an option in hexadecimal */
export function readNonce(text: string): Buffer {
  if (NONCE_HEX.test(text)) return Buffer.from(text, 'hex');
  throw option('--nonce is no nonce', text, '16 to 64 bytes, in hexadecimal');
}

function readPcr(text: string): readonly [number, Buffer] {
  const [, index, hex] = PCR_OPTION.exec(text) ?? [];
  if (index !== undefined && hex !== undefined && Number(index) < 32) return [Number(index), Buffer.from(hex, 'hex')];
  throw option('--pcr is no register', text, 'INDEX=HEX: 0 to 31, and 96 hexadecimal digits');
}

/** By single options, whatever the file says. */
function namedRegisters({ pcr = [], ...parent }: DemandOptions): (readonly [number, Buffer])[] {
  return [...pcr.map(readPcr), ...parentRegisters(parent)];
}

function readPublishedFile(path: string, { require = [], measurementsMaxAge }: DemandOptions) {
  return readExpectedMeasurements(path, { require, maxAgeMs: measurementsMaxAge, nowMs: Date.now() });
}

/** Without a file to which they apply they would be passed over. */
function refuseIdleOptions({ measurements, require = [], measurementsMaxAge }: DemandOptions): void {
  if (typeof measurements === 'string' || (require.length === 0 && measurementsMaxAge === undefined)) return;
  throw new CliError('CLI_OPTION', '--require and --measurements-max-age are about --measurements FILE');
}

async function readExpected(options: DemandOptions): Promise<ExpectedRegisters | 'not-judged'> {
  refuseIdleOptions(options);
  const named = namedRegisters(options);
  const { measurements } = options;
  if (measurements === false) {
    if (named.length === 0) return 'not-judged';
    throw new CliError('CLI_OPTION', '--no-measurements leaves no register to be judged', {
      found: named.map(([index]) => `PCR${index}`).join(', '),
      allowed: 'either --no-measurements, or what registers must show',
    });
  }
  if (measurements === undefined && named.length === 0) {
    throw new CliError('CLI_OPTION', 'say which image is meant: without that an attestation proves nothing of it', {
      allowed: '--measurements FILE, --pcr INDEX=HEX, or --no-measurements to know only that the document is authentic',
    });
  }
  const file = measurements === undefined ? undefined : await readPublishedFile(measurements, options);
  const pcrs = new Map<number, Buffer>(file?.pcrs);
  for (const [index, value] of named) {
    if (pcrs.get(index)?.equals(value) === false) {
      throw new CliError('CLI_OPTION', `two values are demanded of PCR${index}`);
    }
    pcrs.set(index, value);
  }
  return { pcrs, ...(file?.statement && { statement: file.statement }) };
}

/** All that options say; nonce, time and TLS key depend on where the document is from. @throws CliError, MeasurementsError, EifError */
export async function readDemands(options: DemandOptions): Promise<Demands> {
  return {
    measurements: await readExpected(options),
    attestedTlsKey: options.requireAttestedTlsKey ?? false,
    pinnedKeys: options.requirePinnedKeys ?? false,
    allow: {
      reportGuard: options.allowReportGuard ?? false,
      noGuard: options.allowNoGuard ?? false,
      anyRelation: options.allowAnyRelation ?? false,
      openMigrations: options.allowOpenMigrations ?? false,
      policyPin: options.allowPolicyPin ?? false,
    },
    ...(options.trustRoot !== undefined && { trustRootPem: await readTrustedRoot(options.trustRoot) }),
  };
}
