/** One way in which a parent can be broken, and what the doctor must say of it. */
import type { HostProxyConfig } from '../../../../config/host-proxy.ts';
import type { CheckReport } from '../../../../host-proxy/doctor/examine.ts';
import type { FakeParent } from '../fake-parent.ts';

export interface BrokenParent {
  readonly what: string;
  readonly check: string;
  readonly outcome?: CheckReport['outcome'];
  readonly found: RegExp;
  readonly advice?: RegExp;
  readonly config?: HostProxyConfig;
  readonly breakIt: (parent: FakeParent) => unknown;
}
