/** `acra-enclave config check|schema`: tells before the start what is wrong with a configuration. */
import { Command, Option } from 'commander';
import type { ConfigKind } from '../config-kinds.ts';
import { CONFIG_KINDS } from '../config-kinds.ts';

export function configCommand(): Command {
  const check = new Command('check')
    .description('Check a configuration file; enclave.yaml is checked with the encryptor.yaml that it names.')
    .argument('<file>')
    .addOption(new Option('--kind <kind>', 'what the file configures; default: by its name').choices(CONFIG_KINDS))
    .option('--json', 'print JSON')
    .action(async (file: string, options: { kind?: ConfigKind; json?: boolean }) => {
      const { checkConfig } = await import('../actions/config.ts');
      checkConfig(file, options);
    });
  const schema = new Command('schema')
    .description('Print the JSON Schema, for editors.')
    .argument('<kind>', 'enclave or host-proxy')
    .action(async (kind: string) => {
      const { printSchema } = await import('../actions/config.ts');
      printSchema(kind);
    });
  return new Command('config')
    .description('Check configuration files and print their schemas.')
    .addCommand(check)
    .addCommand(schema);
}
