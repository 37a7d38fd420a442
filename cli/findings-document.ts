/** Writes the tables of docs/check-db.md, docs/encrypt-existing-data.md and docs/kms.md from the catalogues of findings; a test compares them. Run: `node cli/findings-document.ts` (`make error-docs`). */
import { readFileSync, writeFileSync } from 'node:fs';
import { FINDINGS } from '../acra/catalogue/findings.ts';
import { MIGRATION_FINDINGS } from '../acra/migration/findings.ts';
import { POLICY_FINDINGS } from '../kms/policy/check/findings.ts';

type Catalogue = Readonly<
  Record<string, { readonly severity: string; readonly meaning: string; readonly action: string }>
>;

/** The table is the last of its page. */
export const FINDING_PAGES: readonly { readonly file: string; readonly catalogue: Catalogue }[] = [
  { file: 'docs/check-db.md', catalogue: FINDINGS },
  { file: 'docs/encrypt-existing-data.md', catalogue: MIGRATION_FINDINGS },
  { file: 'docs/kms.md', catalogue: POLICY_FINDINGS },
];

const ROOT = new URL('../', import.meta.url);
const HEAD = '| code | | meaning | what to do |';

export function renderFindings(catalogue: Catalogue): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = Object.entries(catalogue).map(
    ([code, { severity, meaning, action }]) => `| \`${code}\` | ${severity} | ${cell(meaning)} | ${cell(action)} |`,
  );
  return `${[HEAD, '| --- | --- | --- | --- |', ...rows].join('\n')}\n`;
}

if (import.meta.main) {
  for (const { file, catalogue } of FINDING_PAGES) {
    const address = new URL(file, ROOT);
    const [before = ''] = readFileSync(address, 'utf8').split(HEAD);
    writeFileSync(address, `${before}${renderFindings(catalogue)}`);
  }
}
