/** The admin port with a status document that the test sets. */
import { Registry } from 'prom-client';
import type { Test as TapTest } from 'tap';
import { AdminServer } from '../../../host-proxy/operator/admin/server.ts';
import type { HostStatus } from '../../../host-proxy/operator/host-status.ts';

export interface ServedPage {
  readonly origin: string;
  status: HostStatus;
  stop(): Promise<void>;
}

export async function servePage(t: TapTest, status: HostStatus): Promise<ServedPage> {
  const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const server = new AdminServer({ listen, status: () => served.status, metrics: new Registry() });
  await server.start(new AbortController().signal);
  const served: ServedPage = {
    origin: `http://127.0.0.1:${server.address.port}`,
    status,
    stop: () => server.stop(),
  };
  t.teardown(() => server.stop());
  return served;
}
