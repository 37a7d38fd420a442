/** What both configuration files call the routes of an application, and the vsock ports that they may have. */
import { z } from 'zod';
import { APP_ROUTES, defaultPorts, HEARTBEAT_PORT } from '../../wire/routes.ts';

/** Of a route or a program. What every object has (`constructor`) would be found wherever such a name is looked up. */
export const plainName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, { error: 'must be lower-case letters, digits and dashes, at most 31' })
  .refine((name) => !(name in Object.prototype), { error: 'must be another: JavaScript has this name for itself' });

export const routeName = plainName;

const OURS: ReadonlySet<number> = new Set([HEARTBEAT_PORT, ...Object.values<number>(defaultPorts(APP_ROUTES))]);

export const appVsockPort = z
  .int()
  .min(1)
  .max(0xffff_fffe)
  .refine((port) => !OURS.has(port), { error: 'is a port of the enclave’s own routes; use another' });

/** Of `egress.http`, unless both files say otherwise. */
export const EGRESS_HTTP_PORT = 18_100;

/** Of a route out by name, where neither file says otherwise. @param port of the target */
export function defaultEgressPort(port: number): number {
  return 20_000 + port;
}
