/** What `data reencrypt` says when it ends. Never a value: a row is named by its key. */
import { shown } from '../../../acra/catalogue/labels.ts';
import { bold, green, printLine, red, yellow } from '../../output.ts';
import { EX_AGAIN, EX_FOUND } from '../report.ts';
import { shownKey } from '../store.ts';
import type { ReencryptReport } from './reencrypt.ts';
import type { Fault } from './rewriting.ts';

const MEANINGS: Readonly<Record<Fault, string>> = {
  old: 'under an old key',
  form: 'not a container as the column has them, so that its key cannot be told: data verify says more',
  foreign: 'under an old key, and not opened: damaged, or behind the search hash of another value',
  default:
    'under an old key; it reads as the default, or pattern, for what cannot be opened, so that it was not written back',
  differs: 'under an old key; written back it would read otherwise',
  unreadable: 'refused by the enclave when it is read, or longer than it takes',
  refused: 'under an old key; the enclave or the database refuses it when it is written back',
};

function tellOffenders({ offenders, faults }: ReencryptReport): void {
  for (const { column, key, fault } of offenders)
    printLine(`${red(fault)} row ${shownKey(key)}, column ${shown(column)}: ${MEANINGS[fault]}`);
  for (const [fault, count] of Object.entries(faults)) printLine(`${bold(fault)}: ${count}`);
}

function tellStates({ states, current, old, untold }: ReencryptReport): void {
  printLine(
    `${states.current} values under the current key (${current}), ${states.old} under an old one (${old.join(', ') || 'none'})`,
  );
  if (states.other > 0)
    printLine(
      `${yellow('note')} ${states.other} values are under none of this client’s keys: those of other clients, or of a keystore that --key-ids is not of`,
    );
  if (untold.length > 0)
    printLine(
      `${yellow('note')} ${untold.map(shown).join(', ')}: ${states.untold} AcraStructs, which do not tell their key, were left alone`,
    );
}

export function tellReencrypt(report: ReencryptReport): void {
  const { outcome, table, rows, written, columns } = report;
  if (outcome === 'stopped') {
    printLine('stopped. Nothing is lost: the same command goes on where this one ended.');
    return;
  }
  tellOffenders(report);
  tellStates(report);
  if (written > 0) printLine(`${written} values encrypted anew`);
  const looked = `${shown(table)}: ${rows} rows, ${columns.map(shown).join(', ')}`;
  if (outcome === 'tried') printLine(`${looked}; nothing was changed`);
  else printLine(`${outcome === 'proved' ? green('proved') : red('not proved')} ${looked}`);
}

export function exitCodeOfReencrypt({ outcome }: ReencryptReport): number {
  if (outcome === 'stopped') return EX_AGAIN;
  return outcome === 'left' ? EX_FOUND : 0;
}
