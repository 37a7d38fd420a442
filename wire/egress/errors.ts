/** Error codes of HTTP egress: of its list, of what a program asks for, and of the way there. Both ends use them, and tell each other only these. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const EGRESS_ERRORS = {
  EGRESS_RULE: {
    meaning: 'An entry of `egress.http.allow` or `deny` is no rule.',
    action: 'Write it as shown (docs/specs/egress.md, 1).',
  },
  EGRESS_TARGET: {
    meaning:
      'A program asked for something that is no name or address with a port, or is written in a form that could be read in two ways.',
    action:
      'Have the program ask for a DNS name (as A-labels), an IPv4 address as four decimal numbers or an IPv6 address in brackets, and a port.',
  },
  EGRESS_UNLISTED: {
    meaning: 'No rule of `egress.http.allow` in enclave.yaml names what a program asked for, at this port.',
    action: 'If it shall be reached, add a rule to both configuration files, and build the image again.',
  },
  EGRESS_DENIED: {
    meaning: 'A rule of `egress.http.deny` in enclave.yaml names what a program asked for, or where its name leads.',
    action: 'If it shall be reached, change the rule, and build the image again.',
  },
  EGRESS_ADDRESS: {
    meaning:
      'What a program asked for is, or its name leads to, an address of the machine itself, of its link (instance metadata), or of no single host.',
    action:
      'Name the address or a network of its kind in `allow` if it is meant, such as 127.0.0.1:8080; 0.0.0.0/0 does not count for it.',
  },
  EGRESS_HOST_UNLISTED: {
    meaning: 'enclave.yaml allows it, but no rule of `egress.http.allow` in host-proxy.yaml does.',
    action: 'Add the rule to host-proxy.yaml on the parent instance, and start it again.',
  },
  EGRESS_HOST_DENIED: {
    meaning:
      'enclave.yaml allows it, but a rule of `egress.http.deny` in host-proxy.yaml names it, or where its name leads.',
    action: 'Change the rule in host-proxy.yaml on the parent instance, and start it again.',
  },
  EGRESS_UNRESOLVED: {
    meaning: 'The name has no address on the parent instance, or it could not find out.',
    action: 'Check the name, and that the parent instance resolves it (`getent ahosts NAME` there).',
  },
  EGRESS_UNREACHABLE: {
    meaning: 'No address of the target took the connection of the parent instance.',
    action: 'Check that the service runs, and security groups and routes of the parent instance.',
  },
  EGRESS_TIMEOUT: {
    meaning: 'The target was not reached in time: its name, its addresses, or the parent instance did not answer.',
    action: 'Check the service and the way there; `limits.connectTimeoutMs` is the time that it has.',
  },
  EGRESS_PARENT: {
    meaning: 'host-proxy on the parent instance did not take the connection, or did not answer as this release does.',
    action:
      'Check that host-proxy runs, has a section `egress.http` with the same `vsockPort`, and is of the same release.',
  },
  EGRESS_LIMIT: {
    meaning: 'More connections are open, or being made, than the limits allow.',
    action: 'Close some, or raise `limits.maxConnections` or `maxPending` of `egress.http`.',
  },
} as const satisfies ErrorCatalogue;

export type EgressErrorCode = keyof typeof EGRESS_ERRORS;

export class EgressError extends CodedError<EgressErrorCode> {}
