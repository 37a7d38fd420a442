/** `acra-enclave status`: where the enclave is. */

import { Command } from 'commander';
import type { RunStatus } from '../../host-proxy/operator/command/protocol.ts';
import type { DaemonOption } from '../ask-daemon.ts';
import { ask } from '../ask-daemon.ts';
import { bold, green, printJson, printLine } from '../output.ts';

interface StatusOptions extends DaemonOption {
  readonly json?: boolean;
}

/** Enough to tell two images apart by eye. */
const SHOWN_PCR_DIGITS = 16;
const LABEL_WIDTH = 10;

function measurements(pcrs: RunStatus['measurements']): readonly [string, string][] {
  const names = ['PCR0', 'PCR1', 'PCR2', 'PCR8'].filter((name) => pcrs?.[name]?.match(/[^0]/));
  return names.map((name) => [name, `${pcrs?.[name]?.slice(0, SHOWN_PCR_DIGITS)}…`]);
}

function rows(status: RunStatus): readonly (readonly [string, string | null])[] {
  const { enclaveId, driver, cid, debug, lastEnd } = status;
  const ended = lastEnd && `${new Date(lastEnd.atMs).toISOString()} ${lastEnd.code ?? 'in order'}: ${lastEnd.reason}`;
  return [
    ['stage', status.stage],
    ['since', new Date(status.stageSinceMs).toISOString()],
    ['phase', status.phase],
    ['reason', [status.errorCode, status.detail].filter((part) => part !== null).join(': ') || null],
    ['enclave', enclaveId],
    ['driver', `${driver}, CID ${cid}${debug ? ', debug mode: attests PCRs of zeros' : ''}`],
    ['image', status.image],
    ...measurements(status.measurements),
    ['listens', status.publicAddress],
    ['restarts', String(status.restarts)],
    ['last end', ended],
  ];
}

async function showStatus(options: StatusOptions): Promise<void> {
  await ask(options, { command: 'status' }, (reply) => {
    if (reply.type !== 'status') return;
    const { status } = reply;
    if (status.state !== 'serving') process.exitCode = 1;
    if (options.json) {
      printJson(status);
      return;
    }
    printLine(`${'state'.padEnd(LABEL_WIDTH)}${status.state === 'serving' ? green('serving') : bold(status.state)}`);
    for (const [label, text] of rows(status)) if (text !== null) printLine(`${label.padEnd(LABEL_WIDTH)}${text}`);
  });
}

export function statusCommand(): Command {
  return new Command('status')
    .description('Tell how the enclave is. Exit code 1 when it does not serve.')
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .option('--json', 'print JSON')
    .action(showStatus);
}
