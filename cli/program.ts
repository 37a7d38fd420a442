/** What every form of the command shares: its name and release, and how an error is told. */
import { Command } from 'commander';
import { EncryptorError, KeystoreError } from '../acra/errors.ts';
import { ConfigError } from '../config/errors.ts';
import { KeyError } from '../keys/errors.ts';
import { RELEASE } from '../runtime/release.ts';
import { WireError } from '../wire/errors.ts';
import type { CommandTable } from './load-commands.ts';
import { addCommands } from './load-commands.ts';
import { printError } from './output.ts';

/** sysexits.h: no restart mends it, and the systemd unit knows. */
const EX_CONFIG = 78;
const CONFIGURATION_ERRORS = [ConfigError, EncryptorError, WireError, KeyError, KeystoreError];

/** SIGHUP tells so too, and ends the command in order; nobody is left to read how. */
const TERMINAL_GONE = 'EIO';

function newProgram(): Command {
  return new Command('acra-enclave')
    .description('Runs acra-server, the PostgreSQL encryption proxy, inside an AWS Nitro Enclave.')
    .version(RELEASE)
    .showHelpAfterError();
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
  try {
    const program = await addCommands(newProgram(), commands, process.argv.slice(2));
    await program.parseAsync();
  } catch (error) {
    await printError(error, process.argv.includes('--json'));
    process.exitCode = CONFIGURATION_ERRORS.some((kind) => error instanceof kind) ? EX_CONFIG : 1;
  }
}
