/**
 * Keeps the order of a verification: each claim is judged once, by a check that throws when it fails, and only when the claims that it
 * stands on passed. What a document says never ends the list early: the claims behind a failure are told as not run, and why.
 */
import { describeError } from '../../runtime/errors.ts';
import { AttestationError } from '../errors.ts';
import { type ClaimName, claimText } from './claims.ts';

export interface Claim {
  readonly claim: ClaimName;
  readonly result: 'pass' | 'fail' | 'not-run';
  /** Why it failed: of the ATTESTATION_ codes in docs/errors.md. */
  readonly code?: AttestationError['code'];
  /** Why it failed or was not run, in a sentence. */
  readonly reason?: string;
  /** From the document: text of a stranger. */
  readonly found?: string;
  readonly allowed?: string;
  readonly proves: string;
  readonly doesNotProve: string;
}

/** What a passed claim leaves for those that stand on it. */
export interface Judged<Value> {
  readonly claim: ClaimName;
  readonly passed?: { readonly value: Value };
}

/** What a check says beside "yes". */
interface Finding<Value> {
  readonly value: Value;
  readonly found?: string;
}

type AllJudged<Values extends unknown[]> = { [Index in keyof Values]: Judged<Values[Index]> };

export class Checklist {
  readonly #claims: Claim[] = [];

  get claims(): readonly Claim[] {
    return this.#claims;
  }

  /**
   * @param needs the claims that this one stands on
   * @param check gets their values in the same order, and throws an AttestationError when the claim fails
   */
  judge<Needs extends unknown[], Value>(
    claim: ClaimName,
    needs: readonly [...AllJudged<Needs>],
    check: (...values: Needs) => Finding<Value>,
  ): Judged<Value> {
    const blocking = (needs as readonly Judged<unknown>[]).find(({ passed }) => passed === undefined);
    if (blocking !== undefined) return this.leaveOut(claim, `not judged, because ${blocking.claim} did not pass`);
    try {
      const values = (needs as readonly Judged<unknown>[]).map(({ passed }) => passed?.value);
      const { value, ...told } = check(...(values as unknown as Needs));
      this.#claims.push({ claim, result: 'pass', ...told, ...claimText(claim) });
      return { claim, passed: { value } };
    } catch (error) {
      if (!(error instanceof AttestationError)) throw error;
      this.#claims.push({ claim, result: 'fail', code: error.code, ...detailsOf(error), ...claimText(claim) });
      return { claim };
    }
  }

  /** Nobody demanded it, or there is nothing that it could be judged by. */
  leaveOut(claim: ClaimName, reason: string): Judged<never> {
    this.#claims.push({ claim, result: 'not-run', reason, ...claimText(claim) });
    return { claim };
  }

  /** Several claims as one: passed when all of them are. */
  static all<Value>(value: Judged<Value>, others: readonly Judged<unknown>[]): Judged<Value> {
    const blocking = others.find(({ passed }) => passed === undefined);
    return blocking === undefined ? value : { claim: blocking.claim };
  }
}

function detailsOf({ message, found, allowed, cause }: AttestationError): Pick<Claim, 'reason' | 'found' | 'allowed'> {
  return {
    reason: cause === undefined ? message : `${message}: ${describeError(cause)}`,
    ...(found !== undefined && { found }),
    ...(allowed !== undefined && { allowed }),
  };
}
