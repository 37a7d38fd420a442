/** Reads host-proxy's /status, as an operator would with curl. */
import { request } from 'undici';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import { hostStatus } from '../../host-proxy/operator/host-status.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { parseEndpoint } from '../../wire/endpoint.ts';
import { CliError } from '../errors.ts';

const POLL_MS = 50;

async function readHostStatus(adminUrl: string): Promise<HostStatus> {
  const { body } = await request(`${adminUrl}/status`);
  return hostStatus.parse(await body.json());
}

/** What a change of is told. */
function seenIn(status: HostStatus | undefined): string {
  return JSON.stringify([status?.enclave, status?.machine?.stage]);
}

/** Asks until `wanted` holds. @throws CliError CLI_NOT_READY with the last reason, when the signal aborts first. */
export async function untilHostStatus(
  adminUrl: string,
  wanted: (status: HostStatus) => boolean,
  clock: Clock,
  signal: AbortSignal,
  onChange: (status: HostStatus) => void = () => undefined,
): Promise<HostStatus> {
  let last: HostStatus | undefined;
  for (;;) {
    const status = await readHostStatus(adminUrl).catch(() => undefined);
    if (status && seenIn(status) !== seenIn(last)) onChange(status);
    if (status && wanted(status)) return status;
    last = status ?? last;
    try {
      await clock.sleep(POLL_MS, signal);
    } catch (cause) {
      throw new CliError('CLI_NOT_READY', 'the enclave did not come to the expected state in time', {
        found: last?.enclave
          ? `${last.state}; phase ${last.enclave.phase}; ${last.enclave.errorCode}; ${last.enclave.detail}`
          : 'nothing heard',
        cause,
      });
    }
  }
}

/** The address of the public port. @throws CliError CLI_NOT_READY as soon as the enclave has failed */
export async function untilServing(
  adminUrl: string,
  clock: Clock,
  signal: AbortSignal,
  onChange?: (status: HostStatus) => void,
): Promise<TcpEndpoint> {
  const isOver = ({ ready, publicAddress, enclave }: HostStatus) =>
    (ready && publicAddress !== null) || enclave?.state === 'failed';
  const { publicAddress, enclave } = await untilHostStatus(adminUrl, isOver, clock, signal, onChange);
  if (publicAddress !== null) return parseEndpoint(publicAddress) as TcpEndpoint;
  throw new CliError('CLI_NOT_READY', 'the enclave failed', {
    found: `phase ${enclave?.phase}; ${enclave?.errorCode}; ${enclave?.detail}`,
    action: 'Read the log of host-proxy.',
  });
}
