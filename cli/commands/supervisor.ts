/** `acra-enclave supervisor`: the daemon in the enclave; here for laptops, where an enclave is simulated. */
import { Command } from 'commander';
import type { SupervisorOptions } from '../actions/supervisor.ts';

export function supervisorCommand(): Command {
  return new Command('supervisor')
    .description('Run the supervisor of a simulated enclave: boots, fetches the master key, keeps acra-server alive.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with enclave.yaml')
    .option('--simulated <folder>', 'simulate the enclave; its vsock, NSM and runtime files live in this folder')
    .addHelpText('after', '\nIn an enclave image the supervisor is PID 1 and takes no options.')
    .action(async (options: SupervisorOptions) => {
      const { runSupervisor } = await import('../actions/supervisor.ts');
      await runSupervisor(options);
    });
}
