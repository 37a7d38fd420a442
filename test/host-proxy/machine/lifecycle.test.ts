import t from 'tap';
import { EnclaveError } from '../../../host-proxy/machine/errors.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { flush, StageHand } from './support/stage-hand.ts';

t.test('walks from the start to serving, tells each phase, and is not ready before the enclave serves', async (t) => {
  const hand = new StageHand();
  const running = hand.lifecycle.run(hand.stop.signal);
  await flush();
  t.equal(hand.lifecycle.status.stage, 'starting');
  hand.say('booting', 'nsm');
  await flush();
  hand.driver.newest.beat();
  await flush();
  t.equal(hand.lifecycle.status.stage, 'booting');
  hand.say('booting', 'master-key');
  await flush();
  hand.say('serving');
  await flush();
  t.match(hand.lifecycle.status, { stage: 'serving', id: 'machine-1', restarts: 0, lastEnd: null });
  const phases = hand.logger.records
    .filter(({ event }) => event === 'enclave.phase')
    .map(({ fields }) => fields['phase']);
  t.same(phases, ['nsm', 'master-key', 'serve']);
  hand.stop.abort();
  await hand.pass(100);
  hand.driver.newest.end();
  await running;
  t.equal(hand.clock.sleeping, 0, 'no timer is left');
});

t.test('stops in order: asks the enclave, waits for it, and terminates nothing that ended by itself', async (t) => {
  const hand = new StageHand();
  const running = hand.lifecycle.run(hand.stop.signal);
  await hand.serve();
  hand.stop.abort();
  await flush();
  t.equal(hand.lifecycle.status.stage, 'stopping');
  t.same(hand.calls, ['start', 'ask to stop'], 'nothing is ended yet');
  hand.say('stopped');
  hand.driver.newest.end('powered off');
  await running;
  t.match(hand.lifecycle.status.lastEnd, { code: null, reason: 'it stopped in order: powered off' });
  t.equal(hand.lifecycle.status.stage, 'ended');
  t.equal(hand.clock.sleeping, 0);
});

t.test('terminates an enclave that does not stop within its grace, and says so', async (t) => {
  const hand = new StageHand({ stopGraceMs: 2_000 });
  const running = hand.lifecycle.run(hand.stop.signal);
  await hand.serve();
  hand.stop.abort();
  await hand.pass(1_900);
  t.notOk(hand.calls.includes('terminate machine-1'));
  await hand.pass(200);
  await running;
  t.same(hand.calls, ['start', 'ask to stop', 'terminate machine-1', 'ended']);
  t.match(hand.lifecycle.status.lastEnd?.reason, 'terminated after 2000 ms');
});

t.test('stops during the boot: an enclave that cannot be asked yet is terminated at once', async (t) => {
  const hand = new StageHand();
  hand.answers = false;
  const running = hand.lifecycle.run(hand.stop.signal);
  await flush();
  hand.driver.newest.beat();
  await flush();
  hand.stop.abort();
  await running;
  t.same(hand.calls, ['start', 'ask to stop', 'terminate machine-1', 'ended']);
});

t.test('stops during the start: the driver’s start is aborted and nothing is left', async (t) => {
  const hand = new StageHand();
  hand.driver.hangs = true;
  const running = hand.lifecycle.run(hand.stop.signal);
  await flush();
  hand.stop.abort();
  await running;
  t.same(hand.calls, ['start', 'ended']);
  t.equal(hand.clock.sleeping, 0);
});

t.test('rejects an enclave without a heartbeat, with its last words (ENCLAVE_HEARTBEAT_TIMEOUT)', async (t) => {
  const hand = new StageHand({ heartbeatMs: 3_000, restart: { policy: 'never' } });
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_HEARTBEAT_TIMEOUT');
  await flush();
  hand.console.push('[    1.0] Kernel panic - not syncing');
  hand.say('booting', 'entropy', { detail: 'reading from the NSM' });
  await hand.pass(3_100);
  const error = await running;
  t.match(error.found, 'phase entropy; reading from the NSM');
  t.match(error.found, 'Kernel panic');
  t.same(hand.calls, ['start', 'terminate machine-1', 'ended']);
});

t.test('rejects a start that hangs beyond the heartbeat’s deadline (ENCLAVE_HEARTBEAT_TIMEOUT)', async (t) => {
  const hand = new StageHand({ heartbeatMs: 3_000, restart: { policy: 'never' } });
  hand.driver.hangs = true;
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_HEARTBEAT_TIMEOUT');
  await hand.pass(3_100);
  await running;
  t.equal(hand.clock.sleeping, 0);
});

t.test('rejects a boot that hangs, naming the phase (ENCLAVE_READY_TIMEOUT)', async (t) => {
  const hand = new StageHand({ readyMs: 5_000, restart: { policy: 'never' } });
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_READY_TIMEOUT');
  await flush();
  hand.driver.newest.beat();
  hand.say('booting', 'master-key', { detail: 'waiting for KMS', errorCode: 'KMS_UNAVAILABLE' });
  await hand.pass(5_100);
  const error = await running;
  t.match(error.message, 'hangs in phase master-key');
  t.match(error.cause, { code: 'KMS_UNAVAILABLE', message: 'waiting for KMS' });
});

t.test('waits for people as long as the enclave does, and from then on as ever (ENCLAVE_READY_TIMEOUT)', async (t) => {
  const hand = new StageHand({ readyMs: 5_000, restart: { policy: 'never' } });
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_READY_TIMEOUT');
  await flush();
  hand.driver.newest.beat();
  await hand.pass(4_000);
  hand.say('booting', 'certificate', { detail: 'waiting for a certificate' });
  await hand.pass(20_000);
  t.same(hand.calls, ['start']);
  hand.say('booting', 'acra');
  await hand.pass(4_000);
  t.same(hand.calls, ['start']);
  await hand.pass(1_100);
  t.match((await running).message, 'hangs in phase acra');
});

t.test('rejects a wrong heartbeat (ENCLAVE_HEARTBEAT_WRONG)', async () => {
  const hand = new StageHand({ restart: { policy: 'never' } });
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_HEARTBEAT_WRONG');
  await flush();
  hand.driver.newest.beatWrongly(new EnclaveError('ENCLAVE_HEARTBEAT_WRONG', 'the heartbeat was wrong'));
  await running;
});

for (const [when, prepare] of [
  ['before its heartbeat', async () => flush()],
  ['before it serves', async (hand: StageHand) => hand.boot()],
] as const) {
  t.test(`rejects an enclave that says that it failed ${when} (ENCLAVE_FAILED)`, async (t) => {
    const hand = new StageHand({ restart: { policy: 'never' } });
    const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_FAILED');
    await prepare(hand);
    hand.say('failed', 'nsm', { errorCode: 'NSM_RNG', detail: 'another generator' });
    await flush();
    t.notOk(hand.calls.includes('terminate machine-1'), 'it may power itself off');
    hand.driver.newest.end();
    const { found, cause } = await running;
    t.match(found, 'failed, phase nsm');
    t.match(cause, { code: 'NSM_RNG', message: 'another generator' });
  });
}

t.test('rejects a start that still hangs when the enclave has failed (ENCLAVE_FAILED)', async () => {
  const hand = new StageHand({ restart: { policy: 'never' } });
  hand.driver.hangs = true;
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_FAILED');
  await flush();
  hand.say('failed', 'nsm');
  await running;
});

t.test('notices a machine that died at once, whatever the status says (ENCLAVE_DIED)', async (t) => {
  const hand = new StageHand({ restart: { policy: 'never' } });
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_DIED');
  await hand.serve();
  t.equal(hand.view.state, 'serving');
  hand.driver.newest.end('QEMU ended with signal SIGKILL');
  const error = await running;
  t.match(error.found, 'QEMU ended with signal SIGKILL');
  t.equal(hand.view.state, 'lost', 'although the last status is fresh');
});

t.test('lets the last message of a machine that ended arrive before it judges', async (t) => {
  const hand = new StageHand({ restart: { policy: 'never' } });
  hand.view.connected = true;
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_FAILED');
  await hand.serve();
  hand.driver.newest.end();
  await hand.pass(200);
  hand.say('failed', 'acra', { errorCode: 'CHILD_BREAKER_OPEN' });
  hand.view.connected = false;
  hand.view.changed();
  await hand.pass(100);
  t.match((await running).cause, { code: 'CHILD_BREAKER_OPEN' });
});

t.test('ends an enclave that stays lost, and spares one that comes back in time (ENCLAVE_LOST)', async (t) => {
  const hand = new StageHand({ lostMs: 10_000, restart: { policy: 'never' } });
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_LOST');
  await hand.serve();
  await hand.pass(25_000);
  t.equal(hand.view.state, 'lost');
  hand.say('serving');
  await hand.passHeard(15_000);
  t.equal(hand.lifecycle.status.stage, 'serving', 'it came back');
  await hand.pass(31_000);
  await running;
  t.ok(hand.calls.includes('terminate machine-1'));
});

t.test('restarts after a failure with back-off, and forgets what the earlier boot said', async (t) => {
  const hand = new StageHand({ restart: { minMs: 1_000, maxMs: 60_000 } });
  const running = hand.lifecycle.run(hand.stop.signal);
  for (const restarts of [1, 2, 3]) {
    await hand.serve();
    hand.driver.newest.end();
    await flush();
    t.equal(hand.lifecycle.status.stage, 'waiting');
    await hand.pass(1_000 * 2 ** (restarts - 1) + 100);
    t.match(hand.lifecycle.status, { stage: 'starting', restarts, lastEnd: { code: 'ENCLAVE_DIED' } });
    t.equal(hand.view.state, 'unknown');
  }
  const waits = hand.logger.records.flatMap(({ event, fields }) =>
    event === 'enclave.restarting' ? fields['waitMs'] : [],
  );
  for (const [attempt, waitMs] of waits.entries()) {
    t.ok(Number(waitMs) >= 500 * 2 ** attempt && Number(waitMs) <= 1_000 * 2 ** attempt, `${waitMs} ms`);
  }
  await hand.finish(running);
});

t.test('gives up when the enclave ends too often within the window (ENCLAVE_GAVE_UP)', async (t) => {
  const hand = new StageHand({ restart: { minMs: 100, maxMs: 100, maxRestarts: 2, windowMs: 60_000 } });
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_GAVE_UP');
  for (let start = 1; start <= 3; start += 1) {
    await hand.serve();
    hand.driver.newest.end();
    await hand.pass(200);
  }
  const error = await running;
  t.match(error.cause, { code: 'ENCLAVE_DIED' });
  t.equal(hand.driver.enclaves.length, 3);
  t.equal(hand.lifecycle.status.stage, 'ended');
});

t.test('keeps restarting while the ends lie further apart than the window', async (t) => {
  const hand = new StageHand({ restart: { minMs: 100, maxMs: 100, maxRestarts: 1, windowMs: 10_000 } });
  const running = hand.lifecycle.run(hand.stop.signal);
  for (let start = 1; start <= 4; start += 1) {
    await hand.serve();
    await hand.passHeard(10_000);
    hand.driver.newest.end();
    await hand.pass(200);
  }
  t.equal(hand.lifecycle.status.restarts, 4);
  await hand.finish(running);
});

t.test('leaves an enclave that stopped by itself where it is, unless the policy says always', async (t) => {
  const onFailure = new StageHand();
  const running = onFailure.lifecycle.run(onFailure.stop.signal);
  await onFailure.serve();
  onFailure.say('stopped');
  onFailure.driver.newest.end();
  await running;
  t.equal(onFailure.driver.enclaves.length, 1);

  const always = new StageHand({ restart: { policy: 'always', minMs: 100, maxMs: 100 } });
  const again = always.lifecycle.run(always.stop.signal);
  await always.serve();
  always.say('stopped');
  always.driver.newest.end();
  await always.pass(200);
  t.equal(always.driver.enclaves.length, 2);
  await always.finish(again);
});

t.test('restarts nothing that another attempt cannot mend', async (t) => {
  const hand = new StageHand({ restart: { policy: 'always' } });
  hand.driver.startError = new EnclaveError('ENCLAVE_IMAGE_UNREADABLE', 'cannot read /none');
  await rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_IMAGE_UNREADABLE');
  t.same(hand.calls, ['start', 'ended']);
});

t.test('stops while it waits for the next start', async (t) => {
  const hand = new StageHand();
  const running = hand.lifecycle.run(hand.stop.signal);
  await hand.serve();
  hand.driver.newest.end();
  await flush();
  hand.stop.abort();
  await running;
  t.equal(hand.driver.enclaves.length, 1);
  t.equal(hand.clock.sleeping, 0);
});

t.test('starts nothing when it is told to stop first', async (t) => {
  const hand = new StageHand();
  hand.stop.abort();
  await hand.lifecycle.run(hand.stop.signal);
  t.same(hand.calls, []);
});
