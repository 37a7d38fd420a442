/** Writes docs/errors.md from the catalogues; a test compares the two. Run: `node cli/error-document.ts > docs/errors.md`. */
import { CATALOGUES } from './error-advice.ts';

export function renderErrorDocument(): string {
  const lines = [
    '# Error codes',
    '',
    'Codes are stable: they are never renamed, and alarms may match on them. This page is written from the code',
    '(`make error-docs`) and a test compares the two.',
  ];
  for (const [boundary, catalogue] of Object.entries(CATALOGUES)) {
    lines.push('', `## ${boundary}`, '', '| code | meaning | what to do |', '| --- | --- | --- |');
    for (const code of Object.keys(catalogue).sort()) {
      lines.push(`| \`${code}\` | ${catalogue[code]?.meaning} | ${catalogue[code]?.action} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) process.stdout.write(renderErrorDocument());
