/** The `acra-enclave` command: sub-commands are in commands/, one file each; what they do is in actions/ and loaded on demand,
 * so that a daemon carries only its own code. */
import { acraCommand } from './commands/acra.ts';
import { configCommand } from './commands/config.ts';
import { consoleCommand } from './commands/console.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { eifCommand, pcrCommand } from './commands/eif.ts';
import { hostProxyCommand } from './commands/host-proxy.ts';
import { keysCommand } from './commands/keys.ts';
import { logsCommand } from './commands/logs.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { stopCommand } from './commands/stop.ts';
import { supervisorCommand } from './commands/supervisor.ts';
import { newProgram, runProgram } from './program.ts';

const program = newProgram()
  .addCommand(demoCommand())
  .addCommand(supervisorCommand())
  .addCommand(hostProxyCommand())
  .addCommand(runCommand())
  .addCommand(stopCommand())
  .addCommand(statusCommand())
  .addCommand(logsCommand())
  .addCommand(consoleCommand())
  .addCommand(doctorCommand())
  .addCommand(keysCommand())
  .addCommand(configCommand())
  .addCommand(acraCommand())
  .addCommand(eifCommand())
  .addCommand(pcrCommand());

await runProgram(program);
