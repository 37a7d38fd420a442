/**
 * The `acra-enclave` command as `make install` puts it on a parent instance: what runs and examines an enclave there.
 * What makes keys or images is left out on purpose: the parent is the adversary, and neither belongs on it.
 */
import { configCommand } from './commands/config.ts';
import { consoleCommand } from './commands/console.ts';
import { doctorCommand } from './commands/doctor.ts';
import { hostProxyCommand } from './commands/host-proxy.ts';
import { logsCommand } from './commands/logs.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { stopCommand } from './commands/stop.ts';
import { newProgram, runProgram } from './program.ts';

const program = newProgram()
  .addCommand(runCommand())
  .addCommand(stopCommand())
  .addCommand(statusCommand())
  .addCommand(logsCommand())
  .addCommand(consoleCommand())
  .addCommand(hostProxyCommand())
  .addCommand(doctorCommand())
  .addCommand(configCommand());

await runProgram(program);
