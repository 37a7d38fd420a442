/** Which failures end an enclave, which leave it as it is, and that no reason is lost on the way. */
import t from 'tap';
import { EnclaveError } from '../../../host-proxy/machine/errors.ts';
import { errorCode } from '../../../runtime/errors.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { flush, StageHand } from './support/stage-hand.ts';

for (const [when, fail] of [
  ['while it serves', async (hand: StageHand) => hand.serve()],
  ['in one breath with serving', async (hand: StageHand) => hand.boot().then(() => hand.say('serving'))],
] as const) {
  t.test(`leaves an enclave as it is that fails ${when}, until somebody stops it (ENCLAVE_CLOSED)`, async (t) => {
    const hand = new StageHand();
    const running = hand.lifecycle.run(hand.stop.signal);
    await fail(hand);
    hand.say('failed', 'serve', { errorCode: 'ACRA_EXIT_POISON_RECORD', detail: 'a poison record' });
    await hand.pass(120_000);
    hand.say('failed', 'serve', { errorCode: 'ACRA_EXIT_POISON_RECORD', detail: 'a poison record' });
    await hand.pass(1_000);
    t.same(hand.calls, ['start'], 'nothing is ended, nothing else is started');
    t.match(hand.lifecycle.status, { stage: 'closed', id: 'machine-1', restarts: 0, lastEnd: null });
    const records = hand.logger.records.filter(({ event }) => event === 'enclave.closed');
    t.equal(records.length, 1);
    t.match(records[0], {
      level: 'error',
      fields: {
        code: 'ENCLAVE_CLOSED',
        errorCode: 'ACRA_EXIT_POISON_RECORD',
        reason: 'a poison record',
        advice: /restart/,
      },
    });
    hand.stop.abort();
    await flush();
    t.same(hand.calls, ['start', 'ask to stop'], 'it stops in order');
    hand.say('stopped');
    hand.driver.newest.end();
    await running;
    t.match(hand.lifecycle.status.lastEnd, { code: null, reason: /stopped in order/ });
    t.equal(hand.clock.sleeping, 0);
  });
}

t.test('starts an enclave again that failed while it served and then ended by itself (ENCLAVE_FAILED)', async (t) => {
  const hand = new StageHand({ restart: { minMs: 100, maxMs: 100 } });
  const running = hand.lifecycle.run(hand.stop.signal);
  await hand.serve();
  hand.say('failed', 'serve', { errorCode: 'SUPERVISOR_PANIC', detail: 'undefined is no function' });
  await flush();
  hand.driver.newest.end('powered off');
  await hand.pass(200);
  t.match(hand.lifecycle.status, { stage: 'starting', restarts: 1, lastEnd: { code: 'ENCLAVE_FAILED' } });
  t.match(hand.lifecycle.status.lastEnd?.reason, /powered off.*undefined is no function/);
  await hand.finish(running);
});

for (const policy of ['never', 'on-failure'] as const) {
  t.test(`keeps the failure when it is told to stop while the machine powers off (${policy})`, async (t) => {
    const hand = new StageHand({ restart: { policy } });
    const running = hand.lifecycle.run(hand.stop.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
    await hand.boot();
    hand.say('failed', 'master-key', { errorCode: 'KMS_ACCESS_DENIED' });
    await flush();
    hand.stop.abort();
    await flush();
    hand.driver.newest.end();
    const error = await running;
    t.match(hand.lifecycle.status.lastEnd, { code: 'ENCLAVE_FAILED', reported: { code: 'KMS_ACCESS_DENIED' } });
    t.equal(errorCode(error), policy === 'never' ? 'ENCLAVE_FAILED' : undefined, 'a retry is called off');
    t.notOk(hand.logger.events().includes('enclave.restarting'));
  });
}

t.test('keeps why it ends an enclave that then cannot be ended (ENCLAVE_NOT_TERMINATED)', async (t) => {
  const hand = new StageHand({ readyMs: 5_000 });
  const running = rejectsCode(() => hand.lifecycle.run(hand.stop.signal), EnclaveError, 'ENCLAVE_NOT_TERMINATED');
  await hand.boot();
  hand.driver.newest.terminateError = new EnclaveError('ENCLAVE_NOT_TERMINATED', 'nitro-cli does not answer');
  await hand.pass(5_100);
  const error = await running;
  t.match(error.found, 'nitro-cli does not answer');
  t.match(error.cause, { code: 'ENCLAVE_READY_TIMEOUT' });
  t.match(hand.lifecycle.status.lastEnd?.reason, /nitro-cli does not answer.*hangs in phase/);
});
