/** Requests of strangers that a front passes on: checked, bounded, answered to the front that asked, and told nothing that went wrong inside. */
import t from 'tap';
import { fromFrontSchema, type RequestAnswer } from '../../../../sessions/messages.ts';
import { FrontRequests } from '../../../../supervisor/workloads/sessions/front-requests.ts';
import type { EnclaveAnswer, EnclaveRequest } from '../../../../wire/requests/messages.ts';
import type { Answerer } from '../../../../wire/requests/serve.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';

const ANSWER: EnclaveAnswer = { type: 'attestation', document: 'ZG9j', statement: 'e30=' };
const LIMITS = { maxConnections: 2, answerMs: 5_000 };

function question(id: number, value: unknown = attest(16)) {
  return { type: 'request', id, payload: Buffer.from(JSON.stringify(value)).toString('base64') } as const;
}

function attest(nonceBytes: number): unknown {
  return { type: 'attest', nonce: Buffer.alloc(nonceBytes, 5).toString('base64') };
}

function scene(answer: Answerer) {
  const [clock, logger] = [new FakeClock(), new MemoryLogger()];
  const sent: RequestAnswer[] = [];
  const requests = new FrontRequests({ answer, limits: LIMITS, clock, logger, send: (each) => sent.push(each) });
  return { clock, logger, sent, requests };
}

const never: Answerer = () => new Promise(() => undefined);

t.test('asks for what was asked, and answers with the same number', async (t) => {
  const asked: EnclaveRequest[] = [];
  const { requests, sent } = scene(async (request) => {
    asked.push(request);
    return ANSWER;
  });
  await requests.take(question(7));
  t.same(asked, [attest(16)]);
  t.same(sent, [{ type: 'answer', id: 7, answer: ANSWER }]);
});

for (const [what, value] of Object.entries({
  'a nonce of 15 bytes': attest(15),
  'a nonce of 65 bytes': attest(65),
  'a nonce of 0 bytes': attest(0),
  'no nonce': { type: 'attest' },
  'another field': { type: 'attest', nonce: 'AAAAAAAAAAAAAAAAAAAAAA==', userData: 'AA==' },
  'another question': { type: 'sign', nonce: 'AAAAAAAAAAAAAAAAAAAAAA==' },
  'no object': 'attest',
})) {
  t.test(`refuses ${what} (REQUEST_MALFORMED), and asks nobody`, async (t) => {
    const { requests, sent } = scene(() => Promise.reject(new Error('it was asked')));
    await requests.take(question(1, value));
    t.match(sent, [{ id: 1, answer: { type: 'refusal', code: 'REQUEST_MALFORMED' } }]);
  });
}

t.test('takes nonces of 16 and 64 bytes', async (t) => {
  const { requests, sent } = scene(async () => ANSWER);
  await requests.take(question(1, attest(16)));
  await requests.take(question(2, attest(64)));
  t.same(
    sent.map(({ answer }) => answer),
    [ANSWER, ANSWER],
  );
});

t.test('refuses what is no JSON, in no more than the words that an answer may have', async (t) => {
  const { requests, sent } = scene(never);
  await requests.take({ type: 'request', id: 1, payload: '' });
  await requests.take({ type: 'request', id: 2, payload: Buffer.alloc(1_024, 0xff).toString('base64') });
  await requests.take(question(3, Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`field${index}`, 0]))));
  t.match(
    sent.map(({ answer }) => answer),
    Array(3).fill({ type: 'refusal', code: 'REQUEST_MALFORMED' }),
  );
  for (const { answer } of sent) t.ok(answer.type === 'refusal' && answer.message.length <= 1_000);
});

t.test('has so many made at once, and tells others to come again', async (t) => {
  const { requests, sent, clock } = scene(never);
  const first = [requests.take(question(1)), requests.take(question(2))];
  await requests.take(question(3));
  t.match(sent, [{ id: 3, answer: { code: 'REQUEST_QUEUE_FULL' } }]);
  clock.advance(LIMITS.answerMs);
  await Promise.all(first);
  t.match(sent.slice(1), [{ id: 1, answer: { code: 'REQUEST_CANCELLED' } }, { id: 2 }]);
});

t.test('tells strangers nothing of what fails inside, and the log all', async (t) => {
  const { requests, sent, logger } = scene(() => Promise.reject(new Error('the secret reason')));
  await requests.take(question(1));
  t.match(sent, [{ answer: { type: 'refusal', code: 'REQUEST_FAILED' } }]);
  t.notMatch(JSON.stringify(sent), /secret/);
  t.match(logger.records, [{ level: 'error', event: 'attestation.failed', fields: { reason: 'the secret reason' } }]);
});

t.test('answers nothing to a front that came after the one which asked, and lets go of what it asked', async (t) => {
  const signals: AbortSignal[] = [];
  const { requests, sent, logger } = scene((_, signal) => {
    signals.push(signal);
    return never({ type: 'attest', nonce: '' }, signal);
  });
  const asked = requests.take(question(1));
  requests.launched();
  await asked;
  t.ok(signals[0]?.aborted);
  const again = requests.take(question(1));
  requests.stop();
  await again;
  t.same([sent, logger.records], [[], []]);
});

t.test('lets a front ask in no more bytes than a request has', async (t) => {
  const payload = (bytes: number) => Buffer.alloc(bytes).toString('base64');
  t.ok(fromFrontSchema.safeParse({ type: 'request', id: 1, payload: payload(1_024) }).success);
  for (const broken of [
    { type: 'request', id: 1, payload: payload(1_027) },
    { type: 'request', id: -1, payload: '' },
    { type: 'request', id: 1, payload: 'no base64!' },
    { type: 'request', id: 1, payload: '', nonce: '' },
  ])
    t.notOk(fromFrontSchema.safeParse(broken).success);
});
