/** What `data verify` says when it ends. Never a value: a row is named by its key. */
import { shown } from '../../../acra/catalogue/labels.ts';
import { bold, dim, green, printLine, red, yellow } from '../../output.ts';
import { EX_AGAIN, EX_FOUND } from '../report.ts';
import { shownKey } from '../store.ts';
import type { Fault } from './stored-cell.ts';
import type { VerifyReport } from './verify.ts';

const MEANINGS: Readonly<Record<Fault, string>> = {
  plaintext: 'not encrypted',
  unhashed: 'with a search hash where there should be none, or without one where there should be',
  foreign: 'not opened: of other keys, damaged, or behind the search hash of another value',
  default: 'not proved: it reads as the default for what cannot be opened',
  hash: 'not found by its own value: its search hash is another one',
  unreadable: 'refused by the enclave when it is read',
  unlike: 'there in one of two sessions that see the same moment, and not in the other',
};

export function tellVerify(report: VerifyReport, table: string): void {
  const { outcome, columns, rows, values, faults, offenders, remainders } = report;
  if (outcome === 'stopped') {
    printLine('stopped; nothing is proved');
    return;
  }
  for (const { column, key, fault } of offenders)
    printLine(`${red(fault)} row ${shownKey(key)}, column ${shown(column)}: ${MEANINGS[fault]}`);
  for (const [fault, count] of Object.entries(faults)) printLine(`${bold(fault)}: ${count}`);
  for (const { name, action, isFault } of remainders) {
    printLine(`${isFault ? red('left') : yellow('note')} ${shown(name)}`);
    printLine(`  ${dim(action)}`);
  }
  const looked = `${rows} rows, ${values} values in ${columns.map(shown).join(', ')}`;
  printLine(`${outcome === 'proved' ? green('proved') : red('not as it should be')} ${shown(table)}: ${looked}`);
}

export function exitCodeOfVerify({ outcome }: VerifyReport): number {
  if (outcome === 'stopped') return EX_AGAIN;
  return outcome === 'proved' ? 0 : EX_FOUND;
}
