/** A statement with its plan to be seen. */
import type { Edit } from '../../../../acra/statements/draft.ts';
import type { Plan } from '../../../../acra/statements/plan.ts';
import { splice } from '../../../../acra/statements/rewrite.ts';

function shown(edit: Edit): string {
  if (edit.kind === 'text') return edit.text;
  if (edit.kind === 'parameter') return `$+${edit.copy + 1}`;
  return `<${edit.use.role === 'search' ? 'hash ' : ''}${edit.value}>`;
}

/** `<value>`: to be encrypted; `<hash value>`: to be hashed; `$+1`: the first copy of a parameter. */
export const shownText = (sql: string, { edits }: Plan) => splice(Buffer.from(sql), edits, shown).toString();
