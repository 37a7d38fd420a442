/** The `acra-enclave` command: sub-commands are in commands/, one file each; what they do is in actions/ and loaded on demand,
 * so that a daemon carries only its own code. */
import { Command } from 'commander';
import { RELEASE } from '../runtime/release.ts';
import { acraCommand } from './commands/acra.ts';
import { configCommand } from './commands/config.ts';
import { demoCommand } from './commands/demo.ts';
import { eifCommand, pcrCommand } from './commands/eif.ts';
import { hostProxyCommand } from './commands/host-proxy.ts';
import { keysCommand } from './commands/keys.ts';
import { supervisorCommand } from './commands/supervisor.ts';
import { printError } from './output.ts';

const program = new Command('acra-enclave')
  .description('Runs acra-server, the PostgreSQL encryption proxy, inside an AWS Nitro Enclave.')
  .version(RELEASE)
  .showHelpAfterError()
  .addCommand(demoCommand())
  .addCommand(supervisorCommand())
  .addCommand(hostProxyCommand())
  .addCommand(keysCommand())
  .addCommand(configCommand())
  .addCommand(acraCommand())
  .addCommand(eifCommand())
  .addCommand(pcrCommand());

try {
  await program.parseAsync();
} catch (error) {
  await printError(error, process.argv.includes('--json'));
  process.exitCode = 1;
}
