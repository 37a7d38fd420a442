/** Must hold 9: a first read of 0 bytes on vsock is no end of the stream before the hang-up flag says so. */
import t from 'tap';
import { isEndOfStream } from '../../relay/worker/end-of-stream.ts';

t.test('must hold 9: keeps a vsock connection open whose first read gives 0 bytes without a hang-up', async (t) => {
  t.notOk(isEndOfStream({ isVsock: true, receivedBytes: 0, isHungUp: false }));
});

t.test('must hold 9: takes 0 bytes for the end in every other case', async (t) => {
  t.ok(isEndOfStream({ isVsock: true, receivedBytes: 0, isHungUp: true }));
  t.ok(isEndOfStream({ isVsock: true, receivedBytes: 1, isHungUp: false }));
  t.ok(isEndOfStream({ isVsock: true, receivedBytes: 1, isHungUp: true }));
  for (const receivedBytes of [0, 1]) {
    for (const isHungUp of [false, true]) t.ok(isEndOfStream({ isVsock: false, receivedBytes, isHungUp }));
  }
});
