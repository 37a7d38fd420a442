/**
 * From here on anybody can ask what this enclave is (attestation requests 2), while it waits for KMS or a database too: what it says
 * is committed to. The key pair to which clients may encrypt is made here, after the generator was seeded.
 */
import { parentKeysOf } from '../../../config/keys.ts';
import { readOperators } from '../../../keys/operators.ts';
import type { Logger } from '../../../runtime/log.ts';
import { answerParent } from '../../attestation/answer-parent.ts';
import { Attestor } from '../../attestation/attestor.ts';
import { createEnclaveKey, type EnclaveKey } from '../../attestation/enclave-key.ts';
import { RequestServer } from '../../attestation/request-server.ts';
import { KeyAudit } from '../../keys/audit.ts';
import { KeyDesk } from '../../keys/key-desk.ts';
import { type PortConfig, privateSocket, requestRoutes } from '../../routes.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import type { BootStart } from '../start.ts';
import type { Committed } from './commitment.ts';
import type { Configured } from './configuration.ts';
import type { ControlReady } from './control.ts';
import type { NsmReady } from './nsm.ts';
import type { TlsKeyKnown } from './tls-key.ts';

export interface RequestsReady {
  readonly attestor: Attestor;
  /** Closed until the phase `key-set`. Undefined where keys lie in the image. */
  readonly keyDesk: KeyDesk | undefined;
  readonly enclaveKey: EnclaveKey;
}

type CommonNeeds = { readonly config: PortConfig } & ControlReady & NsmReady & TlsKeyKnown & Committed;
type Needs = BootStart & CommonNeeds & Pick<Configured, 'config'>;

export const requestsPhase: Phase<Needs, RequestsReady> = {
  name: 'requests',
  deadlineMs: () => 10_000,
  run: (have, context) => answerRequests(have, context, (publicKey) => deskOf(have, publicKey, context.logger)),
};

/** For an application: no keys of ours are kept, so nobody asks for changes of them. */
export const appRequestsPhase: Phase<CommonNeeds, RequestsReady> = {
  name: 'requests',
  deadlineMs: () => 10_000,
  run: (have, context) => answerRequests(have, context, () => undefined),
};

async function answerRequests(
  { relay, config, nsm, tlsKeySha256, certificateDesk, stated }: CommonNeeds,
  { platform, clock, logger, signal, defer }: PhaseContext,
  openDesk: (publicKey: Buffer) => KeyDesk | undefined,
): Promise<RequestsReady> {
  const enclaveKey = createEnclaveKey();
  const { publicKey } = enclaveKey;
  const attestor = new Attestor({ nsm, stated, tlsKeySha256, publicKey, clock, logger });
  const { path } = privateSocket(platform, 'requests');
  const keyDesk = openDesk(publicKey);
  const server = new RequestServer(path, answerParent({ attestor, certificateDesk, keyDesk, logger }), clock);
  await server.start(signal);
  defer(() => server.stop());
  for (const route of requestRoutes(platform, config)) await relay.addRoute(route);
  return { attestor, keyDesk, enclaveKey };
}

/** @throws KeyError KEY_OPERATOR_INVALID, KEY_OPERATOR_TWICE */
function deskOf({ folder, config, stated, tlsKey }: Needs, enclaveKey: Buffer, logger: Logger): KeyDesk | undefined {
  const keys = parentKeysOf(config);
  if (keys === undefined) return undefined;
  const { approvals, ceremony } = keys;
  const operators = readOperators(folder, config);
  const { commitment } = stated;
  const demands = { operators, approvals, name: config.name, commitment, enclaveKey };
  return new KeyDesk({ demands, ceremony, audit: new KeyAudit(logger), tlsKey });
}
