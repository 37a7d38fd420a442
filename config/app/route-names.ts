/** What both configuration files call the routes of an application, and the vsock ports that they may have. */
import { z } from 'zod';
import { HEARTBEAT_PORT, VSOCK_PORTS } from '../../wire/routes.ts';

export const routeName = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, {
  error: 'must be lower-case letters, digits and dashes, at most 31',
});

const OURS: ReadonlySet<number> = new Set([
  HEARTBEAT_PORT,
  ...Object.entries(VSOCK_PORTS).flatMap(([label, port]) =>
    ['ingress', 'database', 'tokens'].includes(label) ? [] : port,
  ),
]);

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
