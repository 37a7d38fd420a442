/** `acra-enclave pcr`: computes the register that exactly one of the options asks for. */
import { Command } from 'commander';
import { pcrOfCertificate, pcrOfFile, pcrOfInstance, pcrOfRole } from '../../eif/pcr.ts';
import { CliError } from '../errors.ts';
import { printJson, printLine } from '../output.ts';

interface PcrOptions {
  readonly input?: string;
  readonly roleArn?: string;
  readonly instanceId?: string;
  readonly certificate?: string;
  readonly json?: boolean;
}

async function printPcr(options: PcrOptions): Promise<void> {
  const { input, roleArn, instanceId, certificate, json } = options;
  const wanted = [
    input === undefined ? [] : [() => pcrOfFile(input)],
    roleArn === undefined ? [] : [() => pcrOfRole(roleArn)],
    instanceId === undefined ? [] : [() => pcrOfInstance(instanceId)],
    certificate === undefined ? [] : [() => pcrOfCertificate(certificate)],
  ].flat();
  const [compute] = wanted;
  if (compute === undefined || wanted.length > 1) {
    throw new CliError('CLI_OPTION', 'say what is measured', {
      found: `${wanted.length} of the options`,
      allowed: 'exactly one of --input, --role-arn, --instance-id, --certificate',
    });
  }
  const { name, value } = await compute();
  if (json) printJson({ [name]: value.toString('hex') });
  else printLine(`${name} ${value.toString('hex')}`);
}

export function pcrCommand(): Command {
  return new Command('pcr')
    .description('Compute one register from what is measured into it.')
    .option('-i, --input <file>', 'any file')
    .option('--role-arn <arn>', 'PCR3: the IAM role of the parent instance')
    .option('--instance-id <id>', 'PCR4: the parent instance')
    .option('-c, --certificate <file>', 'PCR8: the signing certificate')
    .option('--json', 'print JSON')
    .action(printPcr);
}
