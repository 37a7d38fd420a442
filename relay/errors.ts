/** Error codes of the relay's control side. What happens to single connections is counted and logged, not thrown. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const RELAY_ERRORS = {
  RELAY_NOT_RUNNING: {
    meaning: 'The relay was not started, is draining, or has stopped.',
    action: 'Start it first; after a drain, stop it and start it again.',
  },
  RELAY_START_FAILED: {
    meaning: "The relay's worker thread could not start, for instance because the native library (koffi) did not load.",
    action: 'See the cause; check that the installation is complete and made for this platform.',
  },
  RELAY_WORKER_DIED: {
    meaning: "The relay's worker thread ended without being asked to; all its connections are closed.",
    action: 'This is a defect: report it with the cause. Stopping and starting the relay brings it back.',
  },
  RELAY_ROUTE_INVALID: {
    meaning: 'A route has a limit out of range or names an address that cannot be listened on or connected to.',
    action: 'Change what the message names.',
  },
  RELAY_ROUTE_EXISTS: {
    meaning: 'A route with this label exists already.',
    action: 'Give each route its own label, or remove the other one first.',
  },
  RELAY_ROUTE_UNKNOWN: {
    meaning: 'There is no route with this label.',
    action: 'Check the label; it may have been removed already.',
  },
  RELAY_ENDPOINT_UNSUPPORTED: {
    meaning: 'The route asks for something that its kind of address cannot do, such as a CID allow-list on TCP.',
    action: 'Use another kind of address, or drop the setting that the message names.',
  },
  RELAY_ADDRESS_IN_USE: {
    meaning: 'Another program, or another route, listens on this address.',
    action: 'Stop the other one or choose another address.',
  },
  RELAY_PERMISSION: {
    meaning: 'The system does not let this user listen on the address.',
    action: 'Use a port from 1024, or a folder that this user may write to.',
  },
  RELAY_BIND_FAILED: {
    meaning: 'The address cannot be listened on.',
    action:
      'See the message: the address may not exist here, the folder may be missing, or something else than a socket may lie there.',
  },
  RELAY_STATE: {
    meaning: 'A relayed connection was to make a move that its states do not have; it is closed.',
    action: 'This is a defect: report it with the log record `relay.internal-error`.',
  },
  RELAY_RESOLVE_FAILED: {
    meaning: 'The name of an address to listen on has no address.',
    action: 'Write an IP address, or make the name known to this machine.',
  },
} as const satisfies ErrorCatalogue;

export type RelayErrorCode = keyof typeof RELAY_ERRORS;

export class RelayError extends CodedError<RelayErrorCode> {}
