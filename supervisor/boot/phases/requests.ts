/**
 * From here on anybody can ask what this enclave is (attestation requests 2), while it waits for KMS or a database too: what it says
 * is committed to. The key pair to which clients may encrypt is made here, after the generator was seeded.
 */
import { answerParent } from '../../attestation/answer-parent.ts';
import { Attestor } from '../../attestation/attestor.ts';
import { createEnclaveKey, type EnclaveKey } from '../../attestation/enclave-key.ts';
import { RequestServer } from '../../attestation/request-server.ts';
import { privateSocket, requestRoutes } from '../../routes.ts';
import type { Phase } from '../phase.ts';
import type { Committed } from './commitment.ts';
import type { Configured } from './configuration.ts';
import type { ControlReady } from './control.ts';
import type { NsmReady } from './nsm.ts';
import type { TlsKeyKnown } from './tls-key.ts';

export interface RequestsReady {
  readonly attestor: Attestor;
  readonly enclaveKey: EnclaveKey;
}

type Needs = ControlReady & Pick<Configured, 'config'> & NsmReady & TlsKeyKnown & Committed;

export const requestsPhase: Phase<Needs, RequestsReady> = {
  name: 'requests',
  deadlineMs: () => 10_000,
  async run({ relay, config, nsm, tlsKeySha256, certificateDesk, stated }, { platform, clock, logger, signal, defer }) {
    const enclaveKey = createEnclaveKey();
    const { publicKey } = enclaveKey;
    const attestor = new Attestor({ nsm, stated, tlsKeySha256, publicKey, clock, logger });
    const { path } = privateSocket(platform, 'requests');
    const server = new RequestServer(path, answerParent({ attestor, certificateDesk, logger }), clock);
    await server.start(signal);
    defer(() => server.stop());
    for (const route of requestRoutes(platform, config)) await relay.addRoute(route);
    return { attestor, enclaveKey };
  },
};
