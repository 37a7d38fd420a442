/** Prints the register that exactly one of the options asks for. */
import { pcrOfCertificate, pcrOfFile, pcrOfInstance, pcrOfRole } from '../../eif/pcr.ts';
import { CliError } from '../errors.ts';
import { printJson, printLine } from '../output.ts';

export interface PcrOptions {
  readonly input?: string;
  readonly roleArn?: string;
  readonly instanceId?: string;
  readonly certificate?: string;
  readonly json?: boolean;
}

export async function printPcr(options: PcrOptions): Promise<void> {
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
