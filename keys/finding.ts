/**
 * What is wrong with a file of the measured folder, or with one that keys are made from. All are gathered before any is
 * told: whoever has three wrong certificates wants to hear of three.
 */
import type { FindingCode } from './errors.ts';
import { KeyError } from './errors.ts';

export interface Finding {
  readonly code: FindingCode;
  /** As the user or enclave.yaml names it. */
  readonly file: string;
  readonly message: string;
  readonly found?: string;
  readonly allowed?: string;
}

function describe({ file, message, found, allowed }: Finding): string {
  const details = [found === undefined ? [] : `found: ${found}`, allowed === undefined ? [] : `allowed: ${allowed}`];
  return [`${file}: ${message}`, ...details.flat()].join('; ');
}

/** @throws KeyError with the code of the first finding and the words of all */
export function requireNoFinding(findings: readonly Finding[]): void {
  const [first, ...more] = findings;
  if (first === undefined) return;
  if (more.length === 0) throw new KeyError(first.code, describe(first));
  const lines = findings.map((finding) => `  - ${finding.code} ${describe(finding)}`);
  throw new KeyError(first.code, `${findings.length} things are wrong:\n${lines.join('\n')}`);
}
