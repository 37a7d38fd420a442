/**
 * How a release came about: which commit and which locked packages became which files, signed by who made it. It holds no time and no
 * machine, so that whoever builds the same commit gets the same statement.
 *
 * Specifications: SLSA provenance v1 (slsa.dev/spec/v1.0/provenance), in-toto Statement v1, DSSE 1.0.
 */
import { z } from 'zod';
import {
  type Envelope,
  encodeEnvelope,
  PAYLOAD_TYPE,
  parseEnvelope,
  signatureState,
  withSignatureOf,
} from '../../attestation/published/envelope.ts';
import type { SigningKey, VerifyingKey } from '../../attestation/published/keys.ts';
import { DeployError } from '../errors.ts';

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://slsa.dev/provenance/v1';
/** `make release` of this project. Names that need no domain which somebody could take over. */
const BUILD_TYPE = 'urn:uuid:0f2bb2b8-51a5-4f6c-8f0e-7b0f6b8f3c31';
/** A person or a service at a machine with a checkout; who, says the key. */
const BUILDER = 'urn:uuid:6a3d8d53-9f0e-4d5c-9a0a-8f3f0b3d9a77';

export interface Build {
  readonly version: string;
  /** The Debian package names him. */
  readonly maintainer: string;
  readonly gitCommit: string;
  /** SHA-256 of what went in beside the commit, by name: package-lock.json, and measurements that others signed. */
  readonly materials: ReadonlyMap<string, string>;
  /** SHA-256 of the files that were made, by name. */
  readonly files: ReadonlyMap<string, string>;
}

const statementSchema = z.object({
  _type: z.literal(STATEMENT),
  subject: z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.string() }) })),
  predicateType: z.literal(PREDICATE),
  predicate: z.object({
    buildDefinition: z.object({
      buildType: z.literal(BUILD_TYPE),
      externalParameters: z.object({ version: z.string() }),
      resolvedDependencies: z.array(z.object({ name: z.string(), digest: z.record(z.string(), z.string()) })),
    }),
  }),
});

function statementOf({ version, maintainer, gitCommit, materials, files }: Build): object {
  return {
    _type: STATEMENT,
    subject: [...files].map(([name, sha256]) => ({ name, digest: { sha256 } })),
    predicateType: PREDICATE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { version, maintainer },
        resolvedDependencies: [
          { name: 'source', digest: { gitCommit } },
          ...[...materials].map(([name, sha256]) => ({ name, digest: { sha256 } })),
        ],
      },
      runDetails: { builder: { id: BUILDER } },
    },
  };
}

/** @param key undefined for a release that nobody vouches for */
export function provenanceOf(build: Build, key: SigningKey | undefined): Buffer {
  const payload = Buffer.from(JSON.stringify(statementOf(build)));
  const unsigned: Envelope = { payloadType: PAYLOAD_TYPE, payload, signatures: [] };
  return Buffer.from(encodeEnvelope(key === undefined ? unsigned : withSignatureOf(unsigned, key)));
}

export interface Provenance {
  readonly version: string;
  readonly gitCommit: string;
  readonly files: ReadonlyMap<string, string>;
}

/** @throws DeployError RELEASE_INVALID */
function openEnvelope(bytes: Buffer): { readonly envelope: Envelope; readonly statement: unknown } {
  try {
    const envelope = parseEnvelope(JSON.parse(bytes.toString()), PAYLOAD_TYPE, 0);
    return { envelope, statement: JSON.parse(envelope.payload.toString()) };
  } catch (cause) {
    throw new DeployError('RELEASE_INVALID', 'the provenance is no envelope as DSSE defines it', { cause });
  }
}

/**
 * @param key undefined where no signature is demanded
 * @throws DeployError RELEASE_INVALID
 */
export function readProvenance(bytes: Buffer, key: VerifyingKey | undefined): Provenance {
  const { envelope, statement } = openEnvelope(bytes);
  if (key !== undefined && signatureState(envelope, key) !== 'signed')
    throw new DeployError('RELEASE_INVALID', `the provenance is not signed by ${key.name}`);
  const parsed = statementSchema.safeParse(statement);
  if (!parsed.success)
    throw new DeployError('RELEASE_INVALID', 'the provenance is none of `make release`', {
      found: z.prettifyError(parsed.error),
    });
  const { subject, predicate } = parsed.data;
  const { externalParameters, resolvedDependencies } = predicate.buildDefinition;
  const source = resolvedDependencies.find(({ name }) => name === 'source');
  return {
    version: externalParameters.version,
    gitCommit: source?.digest['gitCommit'] ?? '',
    files: new Map(subject.map(({ name, digest }) => [name, digest.sha256])),
  };
}
