/** The public port: open while the enclave can serve, and never again once the daemon has closed it. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { IngressGate } from '../../../host-proxy/enclave/ingress-gate.ts';
import { EnclaveView } from '../../../host-proxy/enclave/view.ts';
import { RelayError } from '../../../relay/errors.ts';
import type { EnclaveState } from '../../../wire/control/messages.ts';
import { route, startRelay, until } from '../../relay/support/relay.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function gateIn(t: TapTest) {
  const { relay, log } = await startRelay(t);
  const path = join(temporaryFolder(t), 'public.sock');
  const view = new EnclaveView(new FakeClock(), 20_000);
  view.connected = true;
  const ingress = route({ label: 'ingress', listen: `unix://${path}`, connect: `unix://${path}.enclave` });
  const gate = new IngressGate({ relay, routes: [ingress], view, drainMs: 1, logger: log });
  const say = (state: EnclaveState) => {
    view.status = { state, phase: 'serve', detail: null, errorCode: null, sinceMs: 0 };
    view.heard();
    gate.follow();
  };
  return { gate, say, log, path, isOpen: () => existsSync(path) };
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

t.test('keeps saying that it cannot open, with a code and once, and opens as soon as it can', async (t) => {
  const { gate, say, log, path, isOpen } = await gateIn(t);
  const other = createServer().listen(path);
  await once(other, 'listening');
  say('serving');
  await log.until('ingress.failed');
  await until(() => gate.failure !== null);
  t.match(gate.failure, { code: 'RELAY_ADDRESS_IN_USE' });
  t.equal(gate.isOpen, false);
  for (let looks = 0; looks < 3; looks += 1) {
    say('serving');
    await new Promise(setImmediate);
  }
  await until(() => gate.failure !== null);
  t.equal(log.of('ingress.failed').length, 1);
  other.close();
  await once(other, 'close');
  await until(() => {
    say('serving');
    return gate.isOpen;
  });
  t.equal(gate.failure, null);
  t.ok(isOpen());
});

t.test('rejects a public port that is taken before any enclave starts (RELAY_ADDRESS_IN_USE)', async (t) => {
  const { gate, path, isOpen } = await gateIn(t);
  const other = createServer().listen(path);
  await once(other, 'listening');
  await rejectsCode(() => gate.rehearse(), RelayError, 'RELAY_ADDRESS_IN_USE');
  other.close();
  await once(other, 'close');
  await gate.rehearse();
  t.notOk(isOpen(), 'nothing is open after a rehearsal');
});
