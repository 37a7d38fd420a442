/** `acra-enclave demo`: the whole product on one machine, shown step by step. */
import { Command } from 'commander';
import type { DemoOptions } from '../actions/demo.ts';

export function demoCommand(): Command {
  return new Command('demo')
    .description('Run everything on this machine and show it step by step: real PostgreSQL, emulated KMS and NSM.')
    .option('--keep', 'leave it running until Ctrl-C and write endpoints.json')
    .option('--folder <folder>', 'where --keep writes endpoints.json', '.demo')
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('../actions/demo.ts');
      await runDemo(options);
    });
}
