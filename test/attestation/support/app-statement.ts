/** What an enclave with an application says of itself. */
import type { AppRuntimeStatement } from '../../../attestation/runtime/app-statement.ts';

export const APP: AppRuntimeStatement = {
  version: 1,
  workload: 'app',
  release: '1.0',
  name: 'web',
  configuration: '11'.repeat(32),
  programs: { web: '22'.repeat(32) },
  ingress: { web: 'passed' },
  tlsKey: 'attested',
  egress: { routes: {}, http: null },
  kmsProxy: null,
};
