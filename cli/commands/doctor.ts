/** `acra-enclave doctor`: is this parent instance fit to run the enclave? */
import { Command } from 'commander';
import type { DoctorOptions } from '../actions/doctor.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Check this parent instance: enclave support, reserved memory and CPUs, IMDS, KMS, database, clock.')
    .option('-c, --config <file>', 'host-proxy.yaml', '/etc/acra-enclave/host-proxy.yaml')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nChanges nothing. Exit code 1 when a check fails; warnings leave it at 0.')
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = await import('../actions/doctor.ts');
      await runDoctor(options);
    });
}
