/** What the commands of `data` say when they end. Never a value: a row is named by its key. */
import type { MigrationFinding } from '../../acra/migration/findings.ts';
import type { Migration } from '../../acra/migration/migration.ts';
import { bold, dim, green, printLine, red, yellow } from '../output.ts';
import type { EncryptReport } from './encrypt.ts';
import { type RefusedRow, shownKey } from './store.ts';

const MAX_SHOWN = 20;

export function tellFindings(findings: readonly MigrationFinding[]): void {
  for (const { severity, code, found, action } of findings) {
    printLine(`${severity === 'error' ? red('error') : yellow('note')} ${bold(code)}: ${found}`);
    printLine(`  ${dim(action)}`);
  }
}

function tellRefused(refused: readonly RefusedRow[]): void {
  for (const { key, sqlState } of refused.slice(0, MAX_SHOWN))
    printLine(`${red('cannot be encrypted')} row ${shownKey(key)} (${sqlState})`);
  if (refused.length > MAX_SHOWN) printLine(`… and ${refused.length - MAX_SHOWN} more`);
}

/** What outlives an UPDATE and a DROP COLUMN. */
const REMAINS =
  'What was there remains in dead rows until VACUUM FULL or pg_repack rewrites the table, in WAL, in backups, on replicas, and in logs that showed it.';

function tellOld({ old }: EncryptReport, migration: Migration): void {
  const name = `${migration.table}.${migration.old}`;
  if (old?.way === 'drop') printLine(`${name} is dropped. ${REMAINS}`);
  else if (old?.way === 'empty') printLine(`${name} is emptied (${old.emptied} rows). ${REMAINS}`);
  else
    printLine(
      `${name} still has the plaintext. Next: data verify; then data encrypt --old drop (or empty), which goes on here.`,
    );
}

const RERUN = 'Nothing is lost: the same command goes on where this one ended.';

export function tellEncrypt(report: EncryptReport, migration: Migration): void {
  const { outcome, findings, refused, toFill, filled, rowsPerSecond, underLock, lockedMs } = report;
  tellFindings(findings);
  tellRefused(refused);
  if (outcome === 'findings') printLine('nothing was changed');
  if (outcome === 'tried') {
    const rate = rowsPerSecond
      ? `, about ${Math.ceil((toFill ?? 0) / rowsPerSecond)} s at ${rowsPerSecond} rows a second`
      : '';
    printLine(
      report.side === 'switched' ? 'switched already' : `${toFill ?? 0} rows to encrypt${rate}; nothing was changed`,
    );
  }
  if (outcome === 'refused')
    printLine(`${filled ?? 0} rows encrypted; the switch was not made. Mend these rows. ${RERUN}`);
  if (outcome === 'stopped') printLine(`stopped. ${RERUN}`);
  if (outcome !== 'switched') return;
  if (filled !== undefined) {
    const lock = `${underLock ?? 0} of the last under the lock, which was held for ${Math.round(lockedMs ?? 0)} ms`;
    printLine(`${filled + (underLock ?? 0)} rows encrypted, ${rowsPerSecond ?? 0} a second; ${lock}`);
  }
  printLine(`${green('switched')} ${migration.table}.${migration.column} is protected`);
  tellOld(report, migration);
}

export const EX_FOUND = 1;
/** sysexits.h, EX_TEMPFAIL. */
export const EX_AGAIN = 75;

export function exitCodeOf({ outcome, findings, refused }: EncryptReport): number {
  if (outcome === 'stopped') return EX_AGAIN;
  if (outcome === 'tried')
    return refused.length > 0 || findings.some(({ severity }) => severity === 'error') ? EX_FOUND : 0;
  return outcome === 'switched' ? 0 : EX_FOUND;
}
