/** `acra-enclave guard`: what the guard would do with a statement, and why; and what a database has that it must know of. */
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { loadEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import { tokenUseOf } from '../../acra/encryptor-config/token-use.ts';
import { type Explanation, explain } from '../../acra/statements/explain.ts';
import { enclaveSchema } from '../../config/enclave.ts';
import { loadGuardList } from '../../config/guard-list.ts';
import { loadConfig } from '../../config/load.ts';
import { green, printJson, printLine, red } from '../output.ts';
import { checkDbCommand } from './guard/check-db.ts';
import { ddlCommand } from './guard/ddl.ts';

interface Options {
  readonly enclave: string;
  readonly json?: boolean;
}

const EX_REFUSED = 1;

function tell(explanation: Explanation): void {
  if (explanation.verdict === 'refused') {
    const { kind, sqlState, reason, accepted, address } = explanation;
    printLine(`${red('refused')} ${sqlState} (${kind}): ${reason}`);
    printLine(`instead: ${accepted}`);
    printLine(`see ${address}`);
    return;
  }
  const { sql, values, decrypted, depends } = explanation;
  printLine(
    values.length > 0 ? `${green('passes')}, with values protected:` : `${green('passes')}, with no value protected`,
  );
  for (const value of values) printLine(`  ${value}`);
  const columns = decrypted.flatMap((each, index) =>
    each.map((column) => (decrypted.length > 1 ? `  statement ${index + 1}, column ${column}` : `  column ${column}`)),
  );
  if (columns.length > 0) printLine('decrypted in the answer:');
  for (const column of columns) printLine(column);
  for (const each of depends) printLine(`depends on ${each}`);
  printLine(`the database gets: ${sql}`);
}

async function explainStatement(given: string, { enclave, json }: Options): Promise<void> {
  const folder = resolve(enclave);
  const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  const { tables } = loadEncryptorConfig(join(folder, config.acra.encryptorConfig), tokenUseOf(config));
  const policy = { relations: config.guard.relations, list: loadGuardList(config, folder) };
  const explanation = await explain(
    tables,
    policy,
    given === '-' ? await text(process.stdin) : given,
    config.guard.migrations,
  );
  if (json) printJson(explanation);
  else tell(explanation);
  if (explanation.verdict === 'refused') process.exitCode = EX_REFUSED;
}

export function guardCommand(): Command {
  const explained = new Command('explain')
    .description('Say what the guard would do with a statement, and why; exit code 1 where it refuses.')
    .argument('<sql>', 'one text, as a client would send it; - reads it from standard input')
    .requiredOption('--enclave <folder>', 'the measured folder, with enclave.yaml and the encryptor configuration')
    .option('--json', 'print JSON')
    .action(explainStatement);
  return new Command('guard')
    .description('What the guard does with statements, and what it must know of a database.')
    .addCommand(explained)
    .addCommand(checkDbCommand())
    .addCommand(ddlCommand());
}
