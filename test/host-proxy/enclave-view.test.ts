import t from 'tap';
import type { EnclaveState } from '../../config/wire/messages.ts';
import { EnclaveView } from '../../host-proxy/enclave-view.ts';
import { FakeClock } from '../support/fake-clock.ts';

function viewOf(state: EnclaveState) {
  const clock = new FakeClock();
  const view = new EnclaveView(clock, 20_000);
  view.connected = true;
  view.status = { state, phase: 'serve', detail: null, errorCode: null, sinceMs: 0 };
  view.heard();
  return { clock, view };
}

t.test('knows nothing before an enclave has spoken', async (t) => {
  const view = new EnclaveView(new FakeClock(), 20_000);
  t.equal(view.state, 'unknown');
  t.notOk(view.ready);
});

t.test('is ready only while the enclave serves', async (t) => {
  t.ok(viewOf('serving').view.ready);
  for (const state of ['booting', 'degraded', 'stopping', 'stopped', 'failed'] as const)
    t.notOk(viewOf(state).view.ready, state);
});

t.test('calls an enclave lost that is connected but silent for too long', async (t) => {
  const { clock, view } = viewOf('serving');
  clock.advance(20_000);
  t.equal(view.state, 'serving');
  clock.advance(1);
  t.equal(view.state, 'lost');
  view.heard();
  t.equal(view.state, 'serving');
});

t.test('calls an enclave lost that stays disconnected, but not one that comes right back', async (t) => {
  const { clock, view } = viewOf('serving');
  view.connected = false;
  clock.advance(2_500);
  t.equal(view.state, 'serving');
  clock.advance(1);
  t.equal(view.state, 'lost');
  view.connected = true;
  t.equal(view.state, 'serving');
});

t.test('keeps the reason of an enclave that failed and went away', async (t) => {
  const { clock, view } = viewOf('failed');
  view.connected = false;
  clock.advance(60_000);
  t.equal(view.state, 'failed');
});
