import { duplexPair } from 'node:stream';
import t from 'tap';
import { encodeFrame } from '../../../wire/control/frame.ts';
import { askEnclave } from '../../../wire/requests/ask.ts';
import { RequestError } from '../../../wire/requests/errors.ts';
import type { EnclaveAnswer } from '../../../wire/requests/messages.ts';
import { serveRequest } from '../../../wire/requests/serve.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const ANSWER: EnclaveAnswer = { type: 'refusal', code: 'REQUEST_QUEUE_FULL', message: 'busy' };
const REQUEST = { type: 'attest', nonce: Buffer.alloc(16).toString('base64') } as const;
const signal = new AbortController().signal;

t.test('carries request and answer over any stream, and ends both its sides', async (t) => {
  const [near, far] = duplexPair();
  const serving = serveRequest(far, async () => ANSWER, new FakeClock());
  t.same(await askEnclave(near, REQUEST, signal), ANSWER);
  t.ok(near.destroyed);
  far.destroy();
  await serving;
});

t.test('tells the answerer when who asked has left', async (t) => {
  const [near, far] = duplexPair();
  const left = Promise.withResolvers<unknown>();
  const answerer = (_request: unknown, gone: AbortSignal) => {
    gone.addEventListener('abort', () => left.resolve(gone.reason));
    far.destroy();
    return new Promise<EnclaveAnswer>(() => undefined);
  };
  serveRequest(far, answerer, new FakeClock());
  near.write(encodeFrame(REQUEST));
  t.match(await left.promise, new RequestError('REQUEST_CANCELLED', 'who asked has left'));
});

t.test('destroys the stream of an asker whose time is up', async (t) => {
  const [near] = duplexPair();
  const asking = askEnclave(near, REQUEST, AbortSignal.abort(new Error('too late')));
  await t.rejects(asking, { message: 'too late' });
  t.ok(near.destroyed);
});
