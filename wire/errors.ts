/** Error codes of addresses and messages that cross vsock. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const WIRE_ERRORS = {
  CONFIG_NUMBER_RANGE: {
    meaning: 'A CID, port or PCR index is out of range.',
    action: 'Use a number in the range shown.',
  },
  CONFIG_ENDPOINT: {
    meaning: 'An address is not one of the forms tcp://, unix://, vsock://, vsock-uds:// or vsock-uds-guest://.',
    action: 'Write the address in one of the forms shown.',
  },
  CONFIG_NETWORK: {
    meaning: 'A network is not an address and a prefix, or has bits set behind the prefix.',
    action: 'Write the network as shown, such as 10.0.0.0/8; for one address 10.0.0.1/32.',
  },
  WIRE_FRAME_TOO_LARGE: {
    meaning: 'A control message, a request or an answer is longer than its limit; the peer is broken or hostile.',
    action: 'Check that both ends run the same release.',
  },
  WIRE_MESSAGE_INVALID: {
    meaning: 'A control message, a request or an answer is not valid JSON or not of a known shape.',
    action: 'Check that both ends run the same release.',
  },
  WIRE_STREAM_ENDED: {
    meaning: 'The other end of a request closed its connection before its message was whole.',
    action: 'Ask again; if it persists, look into the log of the other end.',
  },
  WIRE_PROXY_HEADER: {
    meaning: 'A connection did not begin with a header of the PROXY protocol, version 2, that names a source over TCP.',
    action: 'Have the load balancer send version 2 of the protocol, and let nobody connect past it.',
  },
} as const satisfies ErrorCatalogue;

export class WireError extends CodedError<keyof typeof WIRE_ERRORS> {}

/** An error of the other end, as it came over the wire: its code is one of docs/errors.md, with advice of its own. */
export class ReportedError extends CodedError {}

/** What the other end had said, if that is among the causes. */
export function reportedError(error: unknown): ReportedError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof ReportedError) return at;
  return undefined;
}
