/** What the enclave has told of itself, as the status document has it. */
import type { Clock } from '../../runtime/clock.ts';
import { certificatesOf } from './certificates.ts';
import { guardOf } from './guard.ts';
import type { EnclaveView } from './view.ts';

function identitiesOf(told: EnclaveView['identities']) {
  if (told === undefined) return null;
  const { known, running, listed } = told;
  return { known, running, listed };
}

export function toldBy(view: EnclaveView, clock: Clock) {
  const { silentMs, hello, measurements, metrics } = view;
  return {
    state: view.state,
    connected: view.connected,
    silentMs: silentMs === undefined ? null : Math.round(silentMs),
    enclave: view.status ?? null,
    boot: [...view.boot],
    bootId: hello?.bootId ?? null,
    enclaveRelease: hello?.release ?? null,
    simulated: hello?.simulated ?? null,
    measurements: measurements?.pcrs ?? null,
    acraServer: measurements?.acraServer ?? null,
    certificates: certificatesOf(metrics, clock.nowMs()),
    guard: guardOf(metrics),
    identities: identitiesOf(view.identities),
  };
}
