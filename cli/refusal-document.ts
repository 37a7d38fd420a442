/** Writes docs/refusals.md from the catalogue of the guard's refusals; a test compares the two. Run: `make error-docs`. */
import { REFUSAL_KINDS, REFUSALS } from '../acra/statements/refusal-kinds.ts';

const REPORTED = { passes: 'goes to the database as it is, and is told', refused: 'refused all the same' } as const;

export function renderRefusalDocument(): string {
  const lines = [
    '# Refusals of the guard',
    '',
    'What the guard cannot protect it refuses, and says why: an ErrorResponse with a state, the reason, and as a hint the form that is accepted',
    'and the section of this page. The transaction is in the state that PostgreSQL gives it after a failed statement. No refusal holds a value.',
    'Kinds are stable: they are never renamed, and metrics, logs and `acra-enclave guard explain` name them. Which statement forms work is in',
    '[sql.md](sql.md). This page is written from the code (`make error-docs`) and a test compares the two.',
  ];
  for (const kind of REFUSAL_KINDS) {
    const { sqlStates, inReportMode, meaning, accepted, action } = REFUSALS[kind];
    const states = sqlStates.map((state) => `\`${state}\``).join(', ');
    lines.push('', `## ${kind}`, '', `- state: ${states}`, `- meaning: ${meaning}`, `- accepted: ${accepted}`);
    lines.push(`- what to do: ${action}`, `- with \`guard.mode: report\`: ${REPORTED[inReportMode]}`);
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) process.stdout.write(renderRefusalDocument());
