/** A claim of docs/deploy-cdk.md that is held to the templates of every example. */
import type { Test } from 'tap';
import type { Synthesized } from '../support/synthesized.ts';

export interface Requirement {
  readonly name: string;
  readonly check: (t: Test, made: Synthesized) => void;
}
