/** `acra-enclave keys submit`: hands in a request that enough operators have signed, and judges what comes back. */
import { Command } from 'commander';
import type { EnclaveOptions } from '../../keys/enclave-options.ts';
import { withDaemonOptions, withProofOptions } from '../../keys/enclave-options.ts';
import { handIn } from '../../keys/hand-in.ts';
import { pinOf } from '../../keys/print-made.ts';
import { printTrust } from '../../keys/print-trust.ts';
import { proveEnclave } from '../../keys/proven-enclave.ts';
import { readRequestFile } from '../../keys/request-file.ts';
import { progress } from '../../output.ts';

interface SubmitOptions extends EnclaveOptions {
  readonly enclave?: string;
  readonly json?: boolean;
}

async function submit(file: string, options: SubmitOptions): Promise<void> {
  const { measurements, pcr, trustRoot, enclave: folder, json = false } = options;
  const request = readRequestFile(file);
  const isJudged = measurements !== undefined || pcr !== undefined;
  if (isJudged) {
    if (!json) printTrust(trustRoot);
    progress('asking the enclave what it is');
  }
  const enclave = isJudged ? await proveEnclave(options) : undefined;
  await handIn(options, { request, enclave, pin: pinOf(folder), json });
}

const HELP = `
With --measurements (or --pcr) the enclave proves first what it is, and what comes back is judged: that an enclave of this image made it, for this
request. Do that on a machine of yours, over a forwarded socket (\`ssh -L /tmp/acra.sock:/run/acra-enclave/command.sock PARENT\`, then
--socket /tmp/acra.sock). Without, on the parent itself, the request is only handed in.

When the set was made but the enclave has not taken it yet, host-proxy goes on trying; \`keys status\` tells why.`;

export function submitCommand(): Command {
  const command = new Command('submit')
    .description('Hand in a request about keys that enough operators have signed.')
    .argument('<file>', 'the request');
  return withDaemonOptions(withProofOptions(command))
    .option('-e, --enclave <folder>', 'the measured folder, for what is to be done next')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(submit);
}
