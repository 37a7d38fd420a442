/**
 * The enclave that a request is for, after it has proved what it is: a document that leads to the trusted root, answers a nonce of ours, and
 * shows the expected image. What a request names is from there, and nothing of it from the parent's word.
 */
import { randomBytes } from 'node:crypto';
import { commitmentTo, encodeStatement } from '../../attestation/runtime/statement.ts';
import { checkDemands } from '../../attestation/verify/demands.ts';
import { ANY_GUARD } from '../certificate/judge-request.ts';
import { CliError } from '../errors.ts';
import { parseAnswerJson } from '../verify/answer-json.ts';
import { readDemands } from '../verify/demands.ts';
import { attestationUrl, fetchHttp } from '../verify/fetch-http.ts';
import type { Fetched } from '../verify/fetched.ts';
import { errorOf, judge } from '../verify/judge.ts';
import { askLine } from './ask-keys.ts';
import type { EnclaveOptions } from './enclave-options.ts';

const NONCE_BYTES = 32;
const FETCH_TIMEOUT_MS = 30_000;

export interface ProvenEnclave {
  /** `name` of its enclave.yaml. */
  readonly name: string;
  /** Of the instance and its enclave, by the hypervisor. */
  readonly moduleId: string;
  /** Lower-case hex. */
  readonly commitment: string;
  /** SHA-256 of its measured folder, lower-case hex. */
  readonly configuration: string;
  /** X25519, 32 bytes, of this boot. */
  readonly publicKey: Buffer;
  /** PCR0, lower-case hex. */
  readonly image: string;
  /** PCR0 of other images whose key sets it takes. */
  readonly madeIn: readonly string[];
  /** That its document answers: 64 digits. */
  readonly nonce: string;
  /** Of the TLS key that new sessions see, lower-case hex. */
  readonly tlsKeySha256: string | null;
  /** DER of the root that vouches for it. */
  readonly rootDer: Buffer;
  readonly isAwsRoot: boolean;
}

async function fetchEvidence(options: EnclaveOptions, nonce: Buffer): Promise<Fetched> {
  const { url } = options;
  if (url === undefined) {
    const answer = await askLine(options, { command: 'attest', nonce: nonce.toString('hex') });
    return { ...parseAnswerJson(answer), tls: undefined };
  }
  const fetched = await fetchHttp(attestationUrl(url), nonce, AbortSignal.timeout(FETCH_TIMEOUT_MS));
  return { ...fetched, tls: undefined };
}

/** @throws CliError; AttestationError of the first claim that fails; CodedError of the daemon */
export async function proveEnclave(options: EnclaveOptions): Promise<ProvenEnclave> {
  if (options.measurements === undefined && options.pcr === undefined) {
    throw new CliError('CLI_OPTION', 'say which image is meant: without that an enclave proves nothing of it', {
      allowed: '--measurements FILE, or --pcr 0=HEX',
    });
  }
  const { measurements, trustRootPem } = await readDemands(options);
  const demands = {
    measurements,
    allow: ANY_GUARD,
    attestedTlsKey: true,
    ...(trustRootPem !== undefined && { trustRootPem }),
  };
  const { rootDer, isAwsRoot } = checkDemands(demands);
  const nonce = randomBytes(NONCE_BYTES);
  const { claims, document, statement } = judge(await fetchEvidence(options, nonce), { ...demands, nonce });
  const failed = claims.find(({ result }) => result === 'fail');
  const error = failed && errorOf(failed);
  if (error !== undefined) throw error;
  const image = document?.pcrs['PCR0'];
  const hpkePublicKey = document?.hpkePublicKey ?? null;
  if (failed || statement === null || image === undefined || hpkePublicKey === null)
    throw new CliError('CLI_ATTESTATION_ANSWER', 'the enclave does not prove what a request needs');
  return {
    name: statement.name,
    moduleId: document?.moduleId ?? '',
    commitment: commitmentTo(encodeStatement(statement)).toString('hex'),
    configuration: statement.configuration,
    publicKey: Buffer.from(hpkePublicKey, 'hex'),
    image,
    madeIn: statement.workload !== 'app' && statement.keys.source === 'parent' ? statement.keys.madeIn : [],
    nonce: nonce.toString('hex'),
    tlsKeySha256: document?.tlsKeySha256 ?? null,
    rootDer,
    isAwsRoot,
  };
}
