/** The public port: open while the enclave can serve, and never again once the daemon has closed it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { IngressGate } from '../../../host-proxy/enclave/ingress-gate.ts';
import { EnclaveView } from '../../../host-proxy/enclave/view.ts';
import type { EnclaveState } from '../../../wire/control/messages.ts';
import { route, startRelay, until } from '../../relay/support/relay.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function gateIn(t: TapTest) {
  const { relay, log } = await startRelay(t);
  const path = join(temporaryFolder(t), 'public.sock');
  const view = new EnclaveView(new FakeClock(), 20_000);
  view.connected = true;
  const ingress = route({ label: 'ingress', listen: `unix://${path}`, connect: `unix://${path}.enclave` });
  const gate = new IngressGate({ relay, route: ingress, view, drainMs: 1, logger: log });
  const say = (state: EnclaveState) => {
    view.status = { state, phase: 'serve', detail: null, errorCode: null, sinceMs: 0 };
    view.heard();
    gate.follow();
  };
  return { gate, say, log, isOpen: () => existsSync(path) };
}

t.test('opens when the enclave serves, stays through trouble, closes when it fails', async (t) => {
  const { say, isOpen } = await gateIn(t);
  say('degraded');
  t.notOk(isOpen(), 'trouble before it ever served opens nothing');
  say('serving');
  await until(isOpen);
  say('degraded');
  t.ok(isOpen());
  say('failed');
  await until(() => !isOpen());
});

t.test('keeps the port closed after the daemon closed it, whatever the enclave says then', async (t) => {
  const { gate, say, log, isOpen } = await gateIn(t);
  say('serving');
  await until(isOpen);
  await gate.close();
  say('serving');
  await gate.close();
  t.notOk(isOpen());
  t.equal(log.of('ingress.opened').length, 1);
});
