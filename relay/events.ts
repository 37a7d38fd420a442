/** Every event that the relay logs. `relay.opened` and `relay.closed` are written only where connections are traced. */
export const RELAY_EVENTS = [
  'relay.listening',
  'relay.route-removed',
  'relay.opened',
  'relay.closed',
  'relay.shed',
  'relay.refused-cid',
  'relay.refused-port',
  'relay.refused-preface',
  'relay.connect-failed',
  'relay.reset',
  'relay.idle-closed',
  'relay.accept-paused',
  'relay.accept-resumed',
  'relay.accept-failed',
  'relay.resolve-failed',
  'relay.vsock-buffer',
  'relay.connects-reset',
  'relay.suppressed',
  'relay.internal-error',
  'relay.worker-died',
] as const;

export type RelayEvent = (typeof RELAY_EVENTS)[number];
