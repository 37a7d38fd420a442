/** A vector as it stands in JSON, and what a verifier makes of it. */
import type { Demands } from '../../../../attestation/verify/demands.ts';
import type { VerifyReport } from '../../../../attestation/verify/report.ts';
import type { Evidence } from '../../../../attestation/verify/verify.ts';
import type { VectorDemands } from './vector.ts';

export interface VectorInputs {
  readonly name: string;
  readonly clause: string;
  /** Base64. */
  readonly document: string;
  /** Base64; absent: none is shown. */
  readonly statement?: string;
  readonly demands: VectorDemands;
  readonly nowMs: number;
  /** PEM. */
  readonly root: string;
}

export interface JsonVector extends VectorInputs {
  readonly expect: {
    readonly verdict: 'pass' | 'fail';
    /** In the order of the checklist: `pass`, `not-run`, or the code with which the claim fails. */
    readonly claims: Readonly<Record<string, string>>;
  };
}

export function toEvidence({ document, statement }: VectorInputs): Evidence {
  return {
    document: Buffer.from(document, 'base64'),
    ...(statement !== undefined && { statement: Buffer.from(statement, 'base64') }),
  };
}

function toMeasurements(measurements: VectorDemands['measurements']): Demands['measurements'] {
  if (measurements === 'not-judged') return measurements;
  const pcrs = Object.entries(measurements.pcrs).map(
    ([name, hex]) => [Number(name.slice(3)), Buffer.from(hex, 'hex')] as const,
  );
  return { ...measurements, pcrs: new Map(pcrs) };
}

export function toDemands({ demands, nowMs, root }: VectorInputs): Demands {
  const { measurements, savedDocument, maxAgeMs, maxSkewMs, nonce, tlsKeySha256, ...rest } = demands;
  const limits = { ...(maxAgeMs !== undefined && { maxAgeMs }), ...(maxSkewMs !== undefined && { maxSkewMs }) };
  return {
    ...rest,
    measurements: toMeasurements(measurements),
    time: savedDocument ? { by: 'document' } : { by: 'clock', nowMs, ...limits },
    ...(nonce !== undefined && { nonce: Buffer.from(nonce, 'hex') }),
    ...(tlsKeySha256 !== undefined && { tlsKeySha256: Buffer.from(tlsKeySha256, 'hex') }),
    trustRootPem: root,
  };
}

export function toExpectation({ verdict, claims }: VerifyReport): JsonVector['expect'] {
  return { verdict, claims: Object.fromEntries(claims.map(({ claim, result, code }) => [claim, code ?? result])) };
}
