/** A text that was read, and refused as a whole, with what is known of it all the same: what counts and passes on refused ones asks for that. */
import { Refusal } from './refusal.ts';
import type { RefusalKind } from './refusal-kinds.ts';
import type { TextFacts } from './statement-kinds.ts';

export class RefusedText extends Refusal {
  readonly facts: TextFacts | undefined;

  /** @param facts where it could be parsed */
  constructor(kind: RefusalKind, message: string, sqlState: string, facts: TextFacts | undefined) {
    super(kind, message, sqlState);
    this.facts = facts;
  }
}

export const factsOfRefused = (refusal: Refusal) => (refusal instanceof RefusedText ? refusal.facts : undefined);
