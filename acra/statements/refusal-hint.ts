/** Where a client reads more about a refusal: a section of docs/refusals.md, whose anchor is the kind. */
import { REFUSALS, type RefusalKind } from './refusal-kinds.ts';

/** The project's documents have no other address. */
const PAGE = 'docs/refusals.md';

export const addressOf = (kind: RefusalKind): string => `${PAGE}#${kind}`;

/** What the client is told beside the reason. */
export const hintOf = (kind: RefusalKind): string => `${REFUSALS[kind].accepted} See ${addressOf(kind)}`;
