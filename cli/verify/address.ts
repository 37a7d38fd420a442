/** The address of an enclave's public port, as options and arguments name it: `HOST:PORT`, `tcp://` before it or not, an IPv6 address in brackets. */
import { parseEndpoint, type TcpEndpoint } from '../../wire/endpoint.ts';
import { CliError } from '../errors.ts';

function read(text: string): TcpEndpoint | undefined {
  try {
    const endpoint = parseEndpoint(text.includes('://') ? text : `tcp://${text}`);
    return endpoint.kind === 'tcp' && endpoint.port > 0 ? endpoint : undefined;
  } catch {
    // Its words are about the addresses of configurations, which are of more kinds.
    return undefined;
  }
}

/** @param name of the option, for the message. @throws CliError CLI_OPTION */
export function addressOf(name: string, text: string): TcpEndpoint {
  const address = read(text);
  if (address !== undefined) return address;
  throw new CliError('CLI_OPTION', `${name} is no address`, {
    found: text,
    allowed: 'HOST:PORT, with a port from 1 to 65535',
  });
}
