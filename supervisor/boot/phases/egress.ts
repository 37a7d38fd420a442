/** Opens the ways out that the configuration names: database, tokens, KMS and metadata service. */
import type { EnclaveConfig } from '../../../config/enclave.ts';
import { KMS_ROUTES, kmsRoutes } from '../../../config/key-keeper.ts';
import { usesRdsIam } from '../../../config/rds-iam.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { egressRoutes } from '../../routes.ts';
import type { Phase } from '../phase.ts';
import type { Configured } from './configuration.ts';
import type { ControlReady } from './control.ts';

export interface EgressReady {
  /** Where acra-server finds the database; the port is the bound one. */
  readonly databaseAddress: TcpEndpoint;
  /** The same of where it keeps tokens. */
  readonly tokensAddress: TcpEndpoint | undefined;
}

function isUsed(label: string, config: EnclaveConfig): boolean {
  const ofKms: ReadonlySet<string> = kmsRoutes(config);
  if (label === 'imds') return ofKms.size > 0 || usesRdsIam(config);
  if (label === 'tokens') return config.acra.tokens !== undefined;
  return ofKms.has(label) || !(KMS_ROUTES as readonly string[]).includes(label);
}

export const egressPhase: Phase<ControlReady & Configured, EgressReady> = {
  name: 'egress',
  deadlineMs: ({ config }) => config.deadlines.egressMs,
  async run({ relay, config }, { platform }) {
    let databaseAddress = config.database.listen;
    let tokensAddress = config.acra.tokens?.listen;
    for (const route of egressRoutes(platform, config)) {
      if (!isUsed(route.label, config)) continue;
      const bound = await relay.addRoute(route);
      if (route.label === 'database' && bound.kind === 'tcp') databaseAddress = bound;
      if (route.label === 'tokens' && bound.kind === 'tcp') tokensAddress = bound;
    }
    return { databaseAddress, tokensAddress };
  },
};
