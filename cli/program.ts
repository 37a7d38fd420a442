/** What every form of the command shares: its name and release, and how an error is told. */
import { Command } from 'commander';
import { RELEASE } from '../runtime/release.ts';
import { printError } from './output.ts';

export function newProgram(): Command {
  return new Command('acra-enclave')
    .description('Runs acra-server, the PostgreSQL encryption proxy, inside an AWS Nitro Enclave.')
    .version(RELEASE)
    .showHelpAfterError();
}

export async function runProgram(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    await printError(error, process.argv.includes('--json'));
    process.exitCode = 1;
  }
}
