/** What every form of the command shares: its name and release, and how an error is told. */
import { Command, CommanderError } from 'commander';
import { CatalogueError, EncryptorError, KeystoreError } from '../acra/errors.ts';
import { ConfigError } from '../config/errors.ts';
import { KeyError } from '../keys/errors.ts';
import { errorCode } from '../runtime/errors.ts';
import { RELEASE } from '../runtime/release.ts';
import { WireError } from '../wire/errors.ts';
import { CliError } from './errors.ts';
import type { CommandTable } from './load-commands.ts';
import { addCommands } from './load-commands.ts';
import { printError } from './output.ts';
import { usageExitCode } from './usage-exit.ts';

/** sysexits.h: no restart mends it, and the systemd unit knows. */
const EX_CONFIG = 78;
/** Where exit code 1 would say what was found. */
const EX_UNAVAILABLE = 69;
const CONFIGURATION_CODES: ReadonlySet<string> = new Set([
  'HOST_ROUTE_UNCONFIGURED',
  'HOST_RUN_MISSING',
  'HOST_RUNTIME_FOLDER',
]);
const CONFIGURATION_ERRORS = [ConfigError, EncryptorError, WireError, KeyError, KeystoreError];

/** SIGHUP tells so too, and ends the command in order; nobody is left to read how. */
const TERMINAL_GONE = 'EIO';

function isConfiguration(error: unknown): boolean {
  return CONFIGURATION_ERRORS.some((kind) => error instanceof kind) || CONFIGURATION_CODES.has(errorCode(error) ?? '');
}

function exitCodeOf(error: unknown): number {
  if (isConfiguration(error)) return EX_CONFIG;
  return error instanceof CatalogueError || errorCode(error) === 'CLI_DATABASE' ? EX_UNAVAILABLE : 1;
}

function newProgram(): Command {
  return new Command('acra-enclave')
    .description('Runs acra-server, the PostgreSQL encryption proxy, inside an AWS Nitro Enclave.')
    .version(RELEASE)
    .showHelpAfterError();
}

function usageError(cause: CommanderError): CliError {
  const message = cause.message.replace(/^error: /, '');
  return new CliError('CLI_USAGE', message, { cause, causeIsTold: true });
}

/** With --json a wrong use is an error like every other; without, commander tells it with the help. */
function tellUsageAsJson(command: Command): void {
  const fail = ({ exitCode, code, message }: CommanderError) => {
    throw new CommanderError(exitCode === 0 ? 0 : usageExitCode(command), code, message);
  };
  command.exitOverride(fail).configureOutput({ writeErr: () => undefined });
  for (const each of command.commands) tellUsageAsJson(each);
}

export async function runProgram(commands: CommandTable): Promise<void> {
  // Whoever read our output has seen enough (`| head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    if (error.code !== TERMINAL_GONE) throw error;
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== TERMINAL_GONE) throw error;
  });
  const isJson = process.argv.includes('--json');
  try {
    const program = await addCommands(newProgram(), commands, process.argv.slice(2));
    if (isJson) tellUsageAsJson(program);
    await program.parseAsync();
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return;
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown;
    await printError(error, isJson);
    process.exitCode = thrown instanceof CommanderError ? thrown.exitCode : exitCodeOf(error);
  }
}
