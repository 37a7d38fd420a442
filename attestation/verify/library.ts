/**
 * The verifier as a library, `acra-enclave/verify`: what other programs use to judge documents without the command. It reads no file,
 * opens no connection, and needs the packages cbor-x and zod only.
 */
export { AWS_NITRO_ROOT_G1_PEM } from '../aws-root.ts';
export { ATTESTATION_ERRORS, AttestationError } from '../errors.ts';
export type { RuntimeStatement } from '../runtime/statement.ts';
export type { Claim } from './checklist.ts';
export type { ClaimName } from './claims.ts';
export { CLAIMS } from './claims.ts';
export type { Allowances, Demands, ExpectedRegisters, JudgementTime } from './demands.ts';
export { parseMeasurements } from './measurements-file.ts';
export type { DocumentFacts, VerifyReport } from './report.ts';
export type { Evidence } from './verify.ts';
export { verify } from './verify.ts';
