/**
 * Holds a live policy against the one that `policy print` would make, request by request: both judge the same one, and where the live
 * one lets in more, or less, that is a difference. What is not known of a request counts for whoever asks and should not.
 */
import { judgeCondition } from '../language/condition.ts';
import type { Policy, Statement } from '../language/document.ts';
import type { Decision, PolicyRequest } from '../language/evaluate.ts';
import { applies, concerns, evaluatePolicy } from '../language/evaluate.ts';
import type { Caller } from '../language/principal.ts';
import { registerOfKey, requestContext } from '../language/request-context.ts';
import { registersOf, type Values } from './documents.ts';

export interface Probe {
  readonly caller: Caller;
  readonly action: string;
  /** Of an enclave; undefined: no document, or a NitroTPM's. */
  readonly document?: Values;
  readonly nitroTpm?: Values;
  readonly encryptionContext: Readonly<Record<string, string>>;
}

type Difference = 'more' | 'less' | 'not-denied' | undefined;

export interface Comparison {
  readonly live: Decision;
  readonly difference: Difference;
  /** Of the live policy: those that let the caller in, or may. */
  readonly statements: readonly Statement[];
}

export class Comparer {
  readonly #live: Policy;
  readonly #wanted: Policy;
  readonly #keyArn: string | undefined;

  constructor(live: Policy, wanted: Policy, keyArn: string | undefined) {
    this.#live = live;
    this.#wanted = wanted;
    this.#keyArn = keyArn;
  }

  /** Whether any statement of either policy is about this at all; most callers and actions are not. */
  isConcerned(caller: Caller, action: string): boolean {
    const request = this.#request({ caller, action, encryptionContext: {} });
    return [...this.#live, ...this.#wanted].some((each) => each.effect === 'Allow' && concerns(each, request) !== 'no');
  }

  /** Whether some document may let this in: what is not about documents holds, or may. */
  mayBeLetIn(probe: Probe): boolean {
    const request = this.#request(probe);
    return this.#live.some((statement) => {
      if (statement.effect !== 'Allow' || concerns(statement, request) === 'no') return false;
      const others = statement.conditions.filter(({ key }) => registerOfKey(key) === undefined);
      return others.every((condition) => judgeCondition(condition, request.context) !== 'no');
    });
  }

  compare(probe: Probe): Comparison {
    const request = this.#request(probe);
    const wanted = evaluatePolicy(this.#wanted, request);
    // What IAM allows is not known: an attacker has it, an administrator who was named cannot count on it.
    const live = evaluatePolicy(this.#live, wanted === 'allow' ? { ...request, accountAllows: 'unknown' } : request);
    const statements = this.#live.filter((each) => each.effect === 'Allow' && applies(each, request) !== 'no');
    return { live, difference: differenceOf(live, wanted), statements };
  }

  #request({ caller, action, document, nitroTpm, encryptionContext }: Probe): PolicyRequest {
    const registers = document && registersOf(document);
    const facts = { caller, action, registers, encryptionContext, ...(nitroTpm && { nitroTpm }) };
    return { caller, action, keyArn: this.#keyArn, context: requestContext(facts), accountAllows: 'yes' };
  }
}

function differenceOf(live: Decision, wanted: Decision): Difference {
  if (wanted === 'allow') return live === 'allow' ? undefined : 'less';
  if (live === 'allow' || live === 'undecided') return 'more';
  return wanted === 'explicit-deny' && live === 'implicit-deny' ? 'not-denied' : undefined;
}
