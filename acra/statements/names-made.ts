/** What a text does to the names that a session has (PREPARE, DECLARE and their ends), whatever becomes of its values. */
import type { Node } from 'libpg-query';
import { as } from './tree.ts';

/** Which statement of the text, from 0, and what it does to a name; without a name: to all. */
export type NameFact = { readonly at: number } & (
  | { readonly does: 'prepare' | 'declare'; readonly name: string }
  | { readonly does: 'deallocate' | 'close'; readonly name: string | undefined }
);
type NameEnd = Extract<NameFact, { readonly does: 'deallocate' | 'close' }>;

/** CLOSE, DEALLOCATE and DISCARD ALL. */
export function nameEndedBy(statement: Node, at: number): NameEnd | undefined {
  const [close, deallocate] = [as(statement, 'ClosePortalStmt'), as(statement, 'DeallocateStmt')];
  if (close) return { at, does: 'close', name: close.portalname };
  if (deallocate) return { at, does: 'deallocate', name: deallocate.name };
  const isAll = as(statement, 'DiscardStmt')?.target === 'DISCARD_ALL';
  return isAll ? { at, does: 'deallocate', name: undefined } : undefined;
}

export function namesMadeIn(statements: readonly Node[]): NameFact[] {
  return statements.flatMap((statement, at): NameFact[] => {
    const [prepare, declare] = [as(statement, 'PrepareStmt'), as(statement, 'DeclareCursorStmt')];
    if (prepare) return [{ at, does: 'prepare', name: prepare.name ?? '' }];
    if (declare) return [{ at, does: 'declare', name: declare.portalname ?? '' }];
    const ended = nameEndedBy(statement, at);
    return ended ? [ended] : [];
  });
}
