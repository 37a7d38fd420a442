/** `acra-enclave guard ddl`: the statements that hold a database to the configuration. It prints them, and runs none. */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { type PlacedTable, script } from '../../../acra/belts/script.ts';
import { listFaults } from '../../../acra/catalogue/list-faults.ts';
import { readPlaces } from '../../../acra/catalogue/places.ts';
import { loadEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import type { EncryptedTable } from '../../../acra/encryptor-config/schema.ts';
import { type EnclaveConfig, enclaveSchema } from '../../../config/enclave.ts';
import { guardListSchema, loadGuardList } from '../../../config/guard-list.ts';
import { loadConfig } from '../../../config/load.ts';
import { type AddressOptions, addressOf, withAddressOptions } from '../../check-db/address.ts';
import { connect } from '../../check-db/session.ts';
import { CliError } from '../../errors.ts';
import { collect } from '../../option-values.ts';
import { progress } from '../../output.ts';

interface Options extends AddressOptions {
  readonly enclave: string;
  readonly user?: string;
  readonly schema: string;
  readonly role?: string;
  readonly unique: readonly string[];
}

const EX_FOUND = 1;

type Tables = readonly EncryptedTable[];

/** Where the database has them, in every schema: each is taken for protected there. */
async function placesInDatabase(
  user: string,
  options: Options,
  config: EnclaveConfig,
  tables: Tables,
): Promise<readonly PlacedTable[]> {
  const session = await connect(addressOf(user, options, config, resolve(options.enclave)));
  try {
    const places = await readPlaces(
      session,
      tables.map(({ name }) => name),
    );
    return tables.flatMap((table) => {
      const schemas = places.filter(({ name }) => name === table.name).map(({ schema }) => schema);
      if (schemas.length === 0) {
        progress(`no schema has table "${table.name}": it is left out`);
        process.exitCode = EX_FOUND;
      }
      return schemas.map((schema) => ({ schema, table }));
    });
  } finally {
    await session.end();
  }
}

/** @throws CliError CLI_OPTION */
function requireSearches(unique: readonly string[], tables: ReadonlyMap<string, EncryptedTable>): void {
  const list = guardListSchema.safeParse({ version: 1, uniqueSearches: unique });
  const index = list.success
    ? Number(listFaults(list.data, tables)[0]?.path.split('.').at(-1) ?? -1)
    : list.error.issues[0]?.path[1];
  const found = typeof index === 'number' ? unique[index] : undefined;
  if (found === undefined) return;
  throw new CliError('CLI_OPTION', '--unique names no searchable column of the encryptor configuration', {
    found,
    allowed: 'TABLE.COLUMN, or TABLE.(COLUMN,COLUMN)',
  });
}

async function printScript(options: Options): Promise<void> {
  const folder = resolve(options.enclave);
  const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  const { tables } = loadEncryptorConfig(join(folder, config.acra.encryptorConfig));
  requireSearches(options.unique, tables);
  const { uniqueSearches } = loadGuardList(config, folder);
  const withProtected = [...tables.values()].filter(({ encrypted }) => encrypted.size > 0);
  const { user, schema, role, unique } = options;
  const placed =
    user === undefined
      ? withProtected.map((table) => ({ schema, table }))
      : await placesInDatabase(user, options, config, withProtected);
  const searches = [...new Set([...uniqueSearches, ...unique])];
  process.stdout.write(script({ tables: placed, uniqueSearches: searches, role, migrations: config.guard.migrations }));
}

export function ddlCommand(): Command {
  const command = new Command('ddl')
    .description(
      'Print the SQL that holds a database to the configuration: CHECK constraints that refuse plaintext in protected columns, unique indexes on search hashes, rights, and settings that keep plaintext out of the database’s log. It runs nothing.',
    )
    .requiredOption('--enclave <folder>', 'the measured folder, with enclave.yaml and the encryptor configuration')
    .option('--role <name>', 'the application’s login at the database; without it no rights and settings are written')
    .option(
      '--unique <columns>',
      'TABLE.COLUMN or TABLE.(COLUMN,COLUMN), beside uniqueSearches of guard.list',
      collect,
      [],
    )
    .option('--schema <name>', 'where the tables are', 'public')
    .option('--user <name>', 'asks the database instead where they are, by this login; any that may connect will do');
  return withAddressOptions(command).action(printScript);
}
