import t from 'tap';
import { EnclaveView } from '../../../host-proxy/enclave/view.ts';
import type { EnclaveState } from '../../../wire/control/messages.ts';
import { FakeClock } from '../../support/fake-clock.ts';

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
  t.notOk(view.serving);
});

t.test('is ready only while the enclave serves', async (t) => {
  t.ok(viewOf('serving').view.serving);
  for (const state of ['booting', 'degraded', 'stopping', 'stopped', 'failed'] as const)
    t.notOk(viewOf(state).view.serving, state);
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

t.test('calls an enclave lost at once when its machine is known to be gone, but keeps its last word', async (t) => {
  const { view } = viewOf('serving');
  view.machineEnded();
  t.equal(view.state, 'lost');
  t.equal(viewOf('stopped').view.state, 'stopped');
  const silent = new EnclaveView(new FakeClock(), 20_000);
  silent.machineEnded();
  t.equal(silent.state, 'lost');
});

t.test('forgets an earlier machine when a new one starts', async (t) => {
  const { view } = viewOf('failed');
  view.machineEnded();
  view.machineStarted();
  t.equal(view.state, 'unknown');
});

t.test('tells its subscribers until they end it', async (t) => {
  const { view } = viewOf('serving');
  let told = 0;
  const end = view.subscribe(() => {
    told += 1;
  });
  view.changed();
  end();
  view.changed();
  t.equal(told, 1);
});
