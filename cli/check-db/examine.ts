/** One look at a database, for `guard check-db` and `doctor`: findings, and the list of what may receive values. */
import { join } from 'node:path';
import { type Finding, finding } from '../../acra/catalogue/findings.ts';
import { judgeCatalogue } from '../../acra/catalogue/judge.ts';
import { readCatalogue } from '../../acra/catalogue/read.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import type { GuardList } from '../../config/guard-list.ts';
import { readConfigured } from '../configured.ts';
import { type AddressOptions, addressOf } from './address.ts';
import { readList } from './list-file.ts';
import { connect } from './session.ts';

const DEFAULT_LIST = 'guard-list.yaml';

export interface ExamineOptions extends AddressOptions {
  /** The login of this look. */
  readonly user: string;
  /** The application's; default: the users of enclave.yaml. */
  readonly role?: readonly string[];
}

export interface Examination {
  readonly findings: readonly Finding[];
  readonly list: GuardList;
  /** Undefined with acra-server in line, where nobody reads a list. */
  readonly listFile: string | undefined;
  /** Those of the application that the database does not have. */
  readonly missingRoles: readonly string[];
  readonly roles: readonly string[];
}

function unusedList({ guard: { list, relations } }: EnclaveConfig): Finding[] {
  const isUsed = list !== undefined && relations === 'listed';
  return isUsed ? [] : [finding('DB_LIST_UNUSED', 'enclave.yaml', `relations: ${relations}`)];
}

/** @param folder the measured one. @throws ConfigError, EncryptorError, CatalogueError, CliError */
export async function examineDatabase(
  folder: string,
  options: ExamineOptions,
  told: (what: string) => void,
): Promise<Examination> {
  const { config, tables, migrations } = readConfigured(folder, true);
  const hasGuard = config.ingress.tls === 'terminate';
  const listFile = hasGuard ? join(folder, config.guard.list ?? DEFAULT_LIST) : undefined;
  const listed = listFile === undefined ? undefined : readList(listFile);
  const address = addressOf(options.user, options, config, folder);
  const named = options.role ?? [];
  const roles = named.length > 0 ? named : config.database.users.map(({ name }) => name);
  told(`connecting to ${address.host}:${address.port} …`);
  const session = await connect(address);
  try {
    const catalogue = await readCatalogue(session, [...tables.keys()], roles, (what) => told(`reading ${what} …`));
    const { list, findings } = judgeCatalogue(catalogue, tables, listed?.uniqueSearches, migrations);
    const present = catalogue.roles.map(({ name }) => name);
    return {
      findings: [...findings, ...(hasGuard ? unusedList(config) : [])],
      list,
      listFile,
      roles,
      missingRoles: roles.filter((role) => !present.includes(role)),
    };
  } finally {
    await session.end();
  }
}
