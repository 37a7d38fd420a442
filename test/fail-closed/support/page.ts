/** What the pages say of each form: docs/fail-closed.md beside acra-server in line, docs/sql.md why. */
import type { Form } from './form.ts';
import { type Observed, PROTOCOLS, type Protocol } from './run-form.ts';

/** Of one form, by protocol. */
type Cells = Readonly<Partial<Record<Protocol, string>>>;

export interface Row {
  readonly name: string;
  readonly form: Form;
  readonly inLine: Cells;
  readonly guarded: Cells;
  /** As the guard says it, where it refuses. */
  readonly reason: string | undefined;
}

export function cellOf({ outcome, isOnWire, isAtRest, left }: Observed, form: Form): string {
  if (isAtRest) return '**plaintext at rest**';
  if (isOnWire && !form.saysInClear) return '**plaintext sent**';
  if (outcome.kind === 'failed') {
    if (outcome.sqlState === '') return 'session lost';
    return /^(refused by|encoding error)/.test(outcome.message)
      ? `refused ${outcome.sqlState}`
      : `error ${outcome.sqlState}`;
  }
  const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const isRight =
    (!form.rows || isSame(outcome.rows, form.rows)) &&
    Object.entries(form.leaves ?? {}).every(([id, values]) => isSame(left[Number(id)], values));
  return isRight ? 'works' : '**wrong answer**';
}

const escaped = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll(/ {2,}/g, ' ');

const cells = (each: Cells) => PROTOCOLS.map((protocol) => each[protocol] ?? '–').join(' | ');

function table(head: readonly string[], rows: readonly string[]): string {
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
}

export function failClosedTable(rows: readonly Row[]): string {
  const head = [
    'form',
    ...['in line', 'guard'].flatMap((where) => PROTOCOLS.map((protocol) => `${where}, ${protocol}`)),
  ];
  return table(
    head,
    rows.map(({ name, inLine, guarded }) => `| ${escaped(name)} | ${cells(inLine)} | ${cells(guarded)} |`),
  );
}

export function sqlTable(rows: readonly Row[]): string {
  const says = ({ reason, guarded: { simple = '–' } }: Row) => (reason === undefined ? simple : `${simple}: ${reason}`);
  return table(
    ['form', 'for example', 'what becomes of it'],
    rows.map((row) => `| ${escaped(row.name)} | \`${escaped(row.form.sql)}\` | ${escaped(says(row))} |`),
  );
}

/** The document with what stands between the marks of that name replaced. */
export function withTable(document: string, mark: string, content: string): string {
  const [begin, end] = [`<!-- ${mark}: begin -->`, `<!-- ${mark}: end -->`];
  const [at, until] = [document.indexOf(begin), document.indexOf(end)];
  if (at < 0 || until < at) throw new Error(`no marks "${mark}" in the document`);
  return `${document.slice(0, at + begin.length)}\n${content}\n${document.slice(until)}`;
}
