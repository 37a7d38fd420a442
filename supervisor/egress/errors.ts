/** Error codes of the proxy inside the enclave: what programs ask of it wrongly, and what it cannot listen on. Those of the list and of the way are in wire/egress/errors.ts. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const EGRESS_PROXY_ERRORS = {
  EGRESS_BIND: {
    meaning: 'The proxy for HTTP, its DNS or the address of a name cannot be listened on inside the enclave.',
    action: 'Choose other addresses in `egress.http` of enclave.yaml; nothing else in the enclave may use them.',
  },
  EGRESS_REQUEST: {
    meaning: 'What a program sent to the proxy is no request for a proxy.',
    action:
      'Have it use the proxy by the variables http_proxy and https_proxy: CONNECT HOST:PORT, or an absolute http:// URL.',
  },
  EGRESS_HTTPS_URL: {
    meaning: 'A program asked the proxy for an https:// URL, so that the proxy would have to end TLS; it does not.',
    action: 'Have the program use CONNECT: its variable is https_proxy, and its HTTP library must know tunnels.',
  },
  EGRESS_UPGRADE: {
    meaning: 'A program asked for a WebSocket by an absolute URL; such requests are not passed on.',
    action: 'Have the program use CONNECT, as WebSocket clients do for ws:// and wss:// when a proxy is set.',
  },
  EGRESS_HEADERS: {
    meaning: 'The headers of a request to the proxy are too long.',
    action: 'Send fewer or shorter ones: 64 KiB and 200 headers are taken.',
  },
  EGRESS_CHUNKS: {
    meaning: 'The chunks of a request body have extensions that are too long.',
    action: 'Send chunks without extensions.',
  },
  EGRESS_SLOW_REQUEST: {
    meaning: 'A program did not send the headers of its request in time.',
    action: 'Send them within ten seconds.',
  },
  EGRESS_ANSWER: {
    meaning: 'The target took a request, and its answer broke off or is no HTTP.',
    action: 'Check that the port speaks HTTP without TLS, and the log of the service.',
  },
} as const satisfies ErrorCatalogue;

export class EgressProxyError extends CodedError<keyof typeof EGRESS_PROXY_ERRORS> {}
