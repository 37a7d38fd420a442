/** `acra-enclave status`: where the enclave is. */

import { Command } from 'commander';
import { guardWarnings } from '../../config/guard.ts';
import type { HostStatus, Reason } from '../../host-proxy/operator/host-status.ts';
import type { DaemonOption } from '../ask-daemon.ts';
import { ask } from '../ask-daemon.ts';
import { adviceFor, bold, green, printJson, printLine } from '../output.ts';

interface StatusOptions extends DaemonOption {
  readonly json?: boolean;
}

/** Enough to tell two images apart by eye. */
const SHOWN_PCR_DIGITS = 16;
const LABEL_WIDTH = 12;

function measurements(pcrs: HostStatus['measurements']): readonly [string, string][] {
  const names = ['PCR0', 'PCR1', 'PCR2', 'PCR8'].filter((name) => pcrs?.[name]?.match(/[^0]/));
  return names.map((name) => [name, `${pcrs?.[name]?.slice(0, SHOWN_PCR_DIGITS)}…`]);
}

type Row = readonly [label: string, text: string | null];

/** What is wrong, and the advice of just that code. */
async function because(reason: Reason | null, label: string): Promise<readonly Row[]> {
  if (reason === null) return [];
  const advice = reason.code === null ? undefined : await adviceFor(reason.code);
  return [
    [label, [reason.code, reason.message].filter((part) => part !== null && part !== '').join(': ') || null],
    ['what to do', advice ?? null],
  ];
}

/** Those that end soon, and those that have. */
function certificates(status: HostStatus): readonly Row[] {
  return status.certificates
    .filter(({ life }) => life !== 'valid')
    .map(({ certificate, endsMs, life }) => [
      'certificate',
      `${certificate} ${life === 'expired' ? 'has ended' : 'ends'} ${new Date(endsMs).toISOString()}`,
    ]);
}

/** What it lets pass that it could keep back. */
const weakenings = ({ guard }: HostStatus): readonly Row[] =>
  guard === null ? [] : guardWarnings(guard).map((warning) => ['warning', warning]);

async function machineRows({ machine }: HostStatus): Promise<readonly Row[]> {
  if (machine === null) return [];
  const { id, driver, cid, debug, lastEnd } = machine;
  const ended = lastEnd && `${new Date(lastEnd.atMs).toISOString()} ${lastEnd.code ?? 'in order'}: ${lastEnd.reason}`;
  return [
    ['enclave', id],
    ['driver', `${driver}, CID ${cid}${debug ? ', debug mode: attests PCRs of zeros' : ''}`],
    ['image', machine.image],
    ['restarts', String(machine.restarts)],
    ['last end', ended],
    ...(await because(lastEnd?.reported ?? null, 'it said')),
  ];
}

async function rows(status: HostStatus): Promise<readonly Row[]> {
  const { machine, enclave, publicAddress } = status;
  return [
    ['stage', machine?.stage ?? null],
    ['since', machine && new Date(machine.stageSinceMs).toISOString()],
    ['phase', enclave?.phase ?? null],
    ...(await because(status.reason, 'reason')),
    ...certificates(status),
    ...weakenings(status),
    ...measurements(status.measurements),
    ['listens', publicAddress],
    ...(await machineRows(status)),
  ];
}

async function showStatus(options: StatusOptions): Promise<void> {
  let shown: HostStatus | undefined;
  await ask(options, { command: 'status' }, (reply) => {
    if (reply.type === 'status') shown = reply.status;
  });
  if (!shown) return;
  if (!shown.ready) process.exitCode = 1;
  if (options.json) {
    printJson(shown);
    return;
  }
  const state = shown.ready
    ? green('serving')
    : bold(shown.state === 'serving' ? 'serving, not reachable' : shown.state);
  printLine(`${'state'.padEnd(LABEL_WIDTH)}${state}`);
  for (const [label, text] of await rows(shown)) {
    if (text !== null) printLine(`${label.padEnd(LABEL_WIDTH)}${text}`);
  }
}

export function statusCommand(): Command {
  return new Command('status')
    .description('Tell how the enclave is. Exit code 1 when applications cannot connect.')
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .option('--json', 'print JSON')
    .action(showStatus);
}
