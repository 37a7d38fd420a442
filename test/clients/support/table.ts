/** The part of docs/clients.md that the tests write: a row a client, and what each check demands. */
import type { ClientResult, Outcome } from './checklist.ts';
import { CHECKS } from './checklist.ts';

const BEGIN = '<!-- written by make test-clients: begin -->';
const END = '<!-- written by make test-clients: end -->';
const HEAD = ['client', 'version', 'on', 'talks by default', 'passes', 'remarks', 'through', 'date'];

/** The end of an error says most. */
const MAX_ERROR_LENGTH = 300;

const cell = (text: string) => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

function remark({ check, ok, detail }: Outcome): string[] {
  if (ok === false) return [`**fails** \`${check}\`: ${detail.slice(-MAX_ERROR_LENGTH)}`];
  if (ok === null) return [`no \`${check}\`: ${detail}`];
  return detail === '' || check === 'wrong-ca' ? [] : [`\`${check}\`: ${detail}`];
}

function rowOf({ client, about, target, date, outcomes }: ClientResult): string {
  const asked = outcomes.filter(({ ok }) => ok !== null);
  const passes = `${asked.filter(({ ok }) => ok).length} of ${asked.length}`;
  const remarks = outcomes.flatMap(remark).join('; ');
  return row([client, about.version, about.runtime, about.mode, passes, remarks, target, date].map(cell));
}

const clientOf = (line: string) => line.split(' | ')[0]?.replace('| ', '') ?? '';

/** Rows of the table that stands in the document. */
function standing(block: string): string[] {
  const lines = block.split('\n');
  const head = lines.indexOf(row(HEAD));
  const rows = head === -1 ? [] : lines.slice(head + 2);
  const end = rows.findIndex((line) => !line.startsWith('| '));
  return end === -1 ? rows : rows.slice(0, end);
}

/** @returns the document with new rows for these results; rows of other clients stay. @throws Error without the two marks */
export function withResults(document: string, results: readonly ClientResult[]): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`the document lacks the lines ${BEGIN} and ${END}`);
  const from = begin + BEGIN.length;
  const fresh = new Map(results.map((result) => [cell(result.client), rowOf(result)]));
  const others = standing(document.slice(from, end)).filter((line) => !fresh.has(clientOf(line)));
  const rows = [...others, ...fresh.values()].toSorted((a, b) => clientOf(a).localeCompare(clientOf(b), 'en'));
  const block = [
    row(HEAD),
    row(HEAD.map(() => '---')),
    ...rows,
    '',
    row(['check', 'what it demands']),
    row(['---', '---']),
    ...CHECKS.map(({ check, demands }) => row([`\`${check}\``, cell(demands)])),
  ];
  return `${document.slice(0, from)}\n${block.join('\n')}\n${document.slice(end)}`;
}
