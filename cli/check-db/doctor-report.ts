/** What `guard check-db` finds, as one check of `doctor`: it needs a measured folder and a login, and is skipped by name without them. */
import { resolve } from 'node:path';
import type { Finding as DatabaseFinding } from '../../acra/catalogue/findings.ts';
import { type Finding, failure, ok, skipped, warning } from '../../host-proxy/doctor/check.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { DatabaseCheck } from '../commands/doctor.ts';
import { findAdvice } from '../error-advice.ts';
import { type AddressOptions, withAddressOptions } from './address.ts';
import { type Examination, examineDatabase } from './examine.ts';
import { differenceOf, readList } from './list-file.ts';

interface Options extends AddressOptions {
  readonly enclave?: string;
  readonly user?: string;
}

const MAX_TOLD = 10;
const ADVICE =
  '`acra-enclave guard check-db` says what to do about each; `acra-enclave guard ddl` writes the belts, rights and settings that are missing.';

const line = ({ severity, code, object, found }: DatabaseFinding) => `${severity} ${code}: ${object}: ${found}`;

/** Errors come first. */
function summary(findings: readonly DatabaseFinding[], isListSame: boolean): string {
  const told = findings.slice(0, MAX_TOLD).map(line);
  const more = findings.length > MAX_TOLD ? [`and ${findings.length - MAX_TOLD} more`] : [];
  return [...told, ...more, ...(isListSame ? [] : ['guard.list is not what the database has'])].join('\n');
}

function findingOf({ findings, list, listFile }: Examination): Finding {
  const { added, removed } =
    listFile === undefined ? { added: [], removed: [] } : differenceOf(readList(listFile), list);
  const isListSame = added.length === 0 && removed.length === 0;
  if (findings.some(({ severity }) => severity === 'error')) return failure(summary(findings, isListSame), ADVICE);
  if (findings.length > 0 || !isListSame) return warning(summary(findings, isListSame), ADVICE);
  return ok('nothing contradicts the configuration');
}

async function examine({ enclave, user, ...address }: Options): Promise<Finding> {
  if (enclave === undefined || user === undefined) {
    return skipped(
      'needs --enclave FOLDER, the measured one, and --user NAME, a login at the database: any will do, and one without rights is best',
    );
  }
  try {
    return findingOf(await examineDatabase(resolve(enclave), { ...address, user }, () => undefined));
  } catch (error) {
    return failure(describeError(error), (await findAdvice(errorCode(error) ?? '')) ?? ADVICE);
  }
}

/** For `doctorCommand`. */
export const databaseCheck: DatabaseCheck<Options> = {
  withOptions: (command) =>
    withAddressOptions(
      command
        .option(
          '--enclave <folder>',
          'the measured folder: with --user, looks at the database as `guard check-db` does',
        )
        .option('--user <name>', 'login at the database for that; any that may connect will do'),
    ),
  examine,
};
