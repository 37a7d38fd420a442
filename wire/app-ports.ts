/**
 * By which vsock ports the ends of an application's ways meet, as each side's configuration says: the image tells its own, for who has
 * nothing but the image, and the parent's file is held against it.
 */
import { z } from 'zod';

const MAX_ROUTES = 200;
const ports = z
  .record(z.string().max(100), z.int().min(1).max(0xffff_ffff))
  .refine((routes) => Object.keys(routes).length <= MAX_ROUTES);

/** By the label of each route (wire/routes.ts). */
export const appPortsSchema = z.strictObject({ inward: ports, outward: ports });
export type AppPorts = z.output<typeof appPortsSchema>;

export interface PortMismatch {
  /** A way that one of them has in vain, or that stays closed because only the enclave would allow it. */
  readonly kind: 'useless' | 'closed';
  readonly message: string;
}

/** What the parent's file says otherwise than the enclave's, or leaves out. */
export function portMismatches(enclave: AppPorts, parent: AppPorts): readonly PortMismatch[] {
  return (['inward', 'outward'] as const).flatMap((direction) => {
    const [own, others] = [enclave[direction], parent[direction]];
    const labels = new Set([...Object.keys(own), ...Object.keys(others)]);
    return [...labels].flatMap((label): PortMismatch[] => {
      const [inside, outside] = [own[label], others[label]];
      if (inside === outside) return [];
      if (outside === undefined)
        return [{ kind: 'closed', message: `${label} of the enclave is not in host-proxy.yaml` }];
      const found = inside === undefined ? 'the enclave has no such way' : `the enclave has vsock port ${inside}`;
      return [{ kind: 'useless', message: `${label} has vsock port ${outside} in host-proxy.yaml, and ${found}` }];
    });
  });
}
