/**
 * The verifier as a library, `acra-enclave/verify`: what other programs use to judge documents without the command. It reads no file,
 * opens no connection, and needs the packages cbor-x and zod only.
 */
export { AWS_NITRO_ROOT_G1_PEM } from '../aws-root.ts';
export { ATTESTATION_ERRORS, AttestationError } from '../errors.ts';
export { MEASUREMENTS_ERRORS, MeasurementsError } from '../published/errors.ts';
export type { VerifyingKey } from '../published/keys.ts';
export { readVerifyingKey } from '../published/keys.ts';
export type { PublishedClaim, PublishedDemands } from '../published/read.ts';
export { readPublished } from '../published/read.ts';
export type { RuntimeStatement } from '../runtime/statement.ts';
export type { Claim } from './checklist.ts';
export type { ClaimName } from './claims.ts';
export { CLAIMS } from './claims.ts';
export type { Allowances, Demands, ExpectedRegisters, JudgementTime } from './demands.ts';
export type { DocumentFacts, VerifyReport } from './report.ts';
export type { Evidence } from './verify.ts';
export { verify } from './verify.ts';
