/** What a run with a fleet is asked for, checked before anything starts. */
import { CHECK_SECONDS, CHECKS } from '../../deploy/cdk/parts/health-check.ts';
import { namesOf, onlyFlags, UsageError, wholeNumberOf } from '../flags.ts';
import { EVENTS } from './events.ts';
import type { FleetSettings } from './fleet.ts';

export interface FleetOptions extends FleetSettings {
  readonly clients: number;
  /** Names. */
  readonly events: readonly string[];
  /** Into docs/high-availability.md. */
  readonly isWritten: boolean;
  /** The stand-in's figures may take the place of acra-server's. */
  readonly mayReplace: boolean;
}

const OPTIONS = {
  hosts: { type: 'string', default: '3' },
  clients: { type: 'string', default: '12' },
  'check-seconds': { type: 'string', default: String(CHECK_SECONDS) },
  events: { type: 'string' },
  write: { type: 'boolean', default: false },
  replace: { type: 'boolean', default: false },
} as const;

/** With one host nobody serves while it is away. The machine is what bounds the rest. */
const HOSTS = { least: 2, most: 16 };
const CLIENTS = { least: 2, most: 200 };
/** Elastic Load Balancing API reference, CreateTargetGroup: HealthCheckIntervalSeconds. */
const INTERVAL = { least: 5, most: 300 };

/** @throws UsageError */
export function readFleetOptions(args: readonly string[]): FleetOptions {
  const values = onlyFlags(args, OPTIONS);
  const events = namesOf(
    'events',
    values.events,
    EVENTS.map(({ name }) => name),
  );
  if (values.write && events.length < EVENTS.length) {
    throw new UsageError('--write: the page tells of all events; leave out --events');
  }
  const seconds = values['check-seconds'];
  return {
    hosts: wholeNumberOf('hosts', values.hosts, HOSTS.least, HOSTS.most),
    clients: wholeNumberOf('clients', values.clients, CLIENTS.least, CLIENTS.most),
    checkSeconds: wholeNumberOf('check-seconds', seconds, INTERVAL.least, INTERVAL.most),
    checks: CHECKS,
    events,
    isWritten: values.write,
    mayReplace: values.replace,
  };
}
