/** Writes the table of docs/check-db.md from the catalogue of findings; a test compares the two. Run: `node cli/findings-document.ts` (`make error-docs`). */
import { readFileSync, writeFileSync } from 'node:fs';
import { FINDINGS } from '../acra/catalogue/findings.ts';

const FILE = new URL('../docs/check-db.md', import.meta.url);
const HEAD = '| code | | meaning | what to do |';

export function renderFindings(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = Object.entries(FINDINGS).map(
    ([code, { severity, meaning, action }]) => `| \`${code}\` | ${severity} | ${cell(meaning)} | ${cell(action)} |`,
  );
  return `${[HEAD, '| --- | --- | --- | --- |', ...rows].join('\n')}\n`;
}

if (import.meta.main) {
  const [before = ''] = readFileSync(FILE, 'utf8').split(HEAD);
  writeFileSync(FILE, `${before}${renderFindings()}`);
}
