import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { authenticateAttestationDocument } from '../../../attestation/document/authenticate.ts';
import { NsmError } from '../../../attestation/errors.ts';
import type { AttestationRequest } from '../../../attestation/nsm/provider.ts';
import { decodeUserData } from '../../../attestation/runtime/user-data.ts';
import { acraHostSchema } from '../../../config/host-proxy.ts';
import { frontLimits } from '../../../config/ingress.ts';
import { Attestor, MAX_WAITING, RATE } from '../../../supervisor/attestation/attestor.ts';
import type { EnclaveAnswer } from '../../../wire/requests/messages.ts';
import { parseEnclaveAnswer } from '../../../wire/requests/messages.ts';
import { nsmFixture } from '../../emulator/support/nsm-fixture.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

const stated = { encoding: Buffer.from('{"statement":1}'), commitment: Buffer.alloc(48, 1) };
const tlsKeySha256 = Buffer.alloc(32, 2);
const publicKey = Buffer.alloc(32, 3);
const FOR_EVER = new AbortController().signal;
const ask = (nonce = randomBytes(32)) => ({ type: 'attest', nonce: nonce.toString('base64') }) as const;

type Attest = (request: AttestationRequest) => Promise<Buffer>;

function attestorOver(attest: Attest, clock = new FakeClock()) {
  const logger = new MemoryLogger();
  const attestor = new Attestor({
    nsm: { attest },
    stated,
    tlsKeySha256: () => tlsKeySha256,
    publicKey,
    clock,
    logger,
  });
  return { attestor, logger, clock };
}

const countsOf = ({ samples }: Attestor) =>
  Object.fromEntries(samples.map(({ labels, value }) => [labels['outcome'], value]));

function codeOf(answer: EnclaveAnswer): string {
  return answer.type === 'refusal' ? answer.code : answer.type;
}

function documentOf(answer: EnclaveAnswer): Buffer {
  return answer.type === 'attestation' ? Buffer.from(answer.document, 'base64') : Buffer.alloc(0);
}

/** A module that answers when told to. */
function slowModule() {
  const waiting: ((document: Buffer) => void)[] = [];
  const asked: AttestationRequest[] = [];
  const attest = (request: AttestationRequest) => {
    asked.push(request);
    return new Promise<Buffer>((resolve) => waiting.push(resolve));
  };
  return { attest, asked, answerNext: () => waiting.shift()?.(Buffer.from('document')) };
}

async function attested(t: Test) {
  const clock = new FakeClock();
  const { provider, root } = await nsmFixture(t, { clock });
  return { ...attestorOver(provider.attest, clock), rootDer: root.certificateDer, clock };
}

t.test('answers with a document for the nonce that names TLS key, commitment and the enclave’s own key', async (t) => {
  const { attestor, rootDer, clock } = await attested(t);
  for (const bytes of [16, 32, 64]) {
    const nonce = randomBytes(bytes);
    const answer = await attestor.answer(ask(nonce), FOR_EVER);
    t.same(parseEnclaveAnswer(Buffer.from(JSON.stringify(answer))), answer, 'fits the wire');
    const document = authenticateAttestationDocument(documentOf(answer), { rootDer, nowMs: clock.nowMs() });
    t.same(document.nonce, nonce);
    t.same(document.publicKey, publicKey);
    t.same(decodeUserData(document.userData ?? Buffer.alloc(0)), { tlsKeySha256, commitment: stated.commitment });
    t.match(answer, { statement: stated.encoding.toString('base64') });
  }
});

t.test(
  'names the TLS key that is shown when the module is asked, or another of this boot that it is told',
  async (t) => {
    const { attest, asked, answerNext } = slowModule();
    const keys = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));
    let shown = keys[0];
    const common = { stated, publicKey, clock: new FakeClock(), logger: new MemoryLogger() };
    const attestor = new Attestor({ ...common, nsm: { attest }, tlsKeySha256: () => shown ?? Buffer.alloc(32) });
    const answers = [attestor.answer(ask(), FOR_EVER), attestor.answer(ask(), FOR_EVER)];
    answers.push(attestor.answer(ask(), FOR_EVER, keys[2]));
    await turn();
    shown = keys[1];
    for (const answer of answers) {
      answerNext();
      await answer;
      await turn();
    }
    const named = asked.map(({ userData }) => decodeUserData(userData ?? Buffer.alloc(0)).tlsKeySha256);
    t.same(named, keys);
  },
);

t.test('makes a new document each time, for the same nonce too', async (t) => {
  const { attestor } = await attested(t);
  const request = ask();
  const documents = [await attestor.answer(request, FOR_EVER), await attestor.answer(request, FOR_EVER)].map(
    documentOf,
  );
  t.notSame(documents[0], documents[1]);
  t.same(countsOf(attestor), { answered: 2, refused: 0, failed: 0 });
});

t.test('answers as many as both doors let in, so that neither takes what is the other’s', async (t) => {
  const { maxPerSecond: byHttp = 0 } = acraHostSchema.shape.attestation.parse({ listen: 'tcp://127.0.0.1:0' }) ?? {};
  const { maxPerSecond: byAlpn } = frontLimits.parse({}).attestation;
  t.ok(byHttp + byAlpn <= RATE.perSecond);
  t.ok(2 * byHttp + byAlpn <= RATE.burst, 'at once');
});

t.test('asks the module for one document at a time', async (t) => {
  const { attest, asked, answerNext } = slowModule();
  const { attestor } = attestorOver(attest);
  const answers = [1, 2, 3].map(() => attestor.answer(ask(), FOR_EVER));
  for (const count of [1, 2, 3]) {
    await new Promise(setImmediate);
    t.equal(asked.length, count);
    answerNext();
  }
  t.same((await Promise.all(answers)).map(codeOf), ['attestation', 'attestation', 'attestation']);
});

t.test(
  'refuses what is more than may wait (REQUEST_QUEUE_FULL), and takes requests again when there is room',
  async (t) => {
    const { attest, asked, answerNext } = slowModule();
    const { attestor } = attestorOver(attest);
    const waiting = Array.from({ length: MAX_WAITING }, () => attestor.answer(ask(), FOR_EVER));
    t.equal(codeOf(await attestor.answer(ask(), FOR_EVER)), 'REQUEST_QUEUE_FULL');
    await new Promise(setImmediate);
    answerNext();
    await waiting[0];
    await new Promise(setImmediate);
    attestor.answer(ask(), FOR_EVER);
    t.equal(codeOf(await attestor.answer(ask(), FOR_EVER)), 'REQUEST_QUEUE_FULL', 'and is full again');
    t.equal(asked.length, 2);
    t.match(countsOf(attestor), { answered: 1, refused: 2 });
  },
);

t.test(
  'refuses what is over the rate without asking the module (REQUEST_RATE_LIMITED), for that second only',
  async (t) => {
    let asked = 0;
    const { attestor, clock } = attestorOver(async () => {
      asked += 1;
      return Buffer.from('document');
    });
    const askMany = async (count: number) => {
      const codes: string[] = [];
      for (let index = 0; index < count; index += 1) codes.push(codeOf(await attestor.answer(ask(), FOR_EVER)));
      return codes;
    };
    t.same(new Set(await askMany(RATE.burst)), new Set(['attestation']));
    t.same(await askMany(2), ['REQUEST_RATE_LIMITED', 'REQUEST_RATE_LIMITED']);
    t.equal(asked, RATE.burst);
    clock.advance(1_000);
    t.same(new Set(await askMany(RATE.perSecond)), new Set(['attestation']));
    t.same(await askMany(1), ['REQUEST_RATE_LIMITED']);
  },
);

t.test(
  'makes nothing for those who leave while they wait, and goes on for the others (REQUEST_CANCELLED)',
  async (t) => {
    const { attest, asked, answerNext } = slowModule();
    const { attestor } = attestorOver(attest);
    const leaving = new AbortController();
    const answers = [FOR_EVER, leaving.signal, FOR_EVER].map((signal) => attestor.answer(ask(), signal));
    leaving.abort();
    t.equal(codeOf(await (answers[1] ?? Promise.reject())), 'REQUEST_CANCELLED');
    for (const _ of [1, 2]) {
      await new Promise(setImmediate);
      answerNext();
    }
    t.same(
      [await answers[0], await answers[2]].map((answer) => answer?.type),
      ['attestation', 'attestation'],
    );
    t.equal(asked.length, 2);
  },
);

t.test('refuses with the module’s own code, raises an alarm, and answers the next one', async (t) => {
  let isBroken = true;
  const { attestor, logger } = attestorOver(async () => {
    if (isBroken) throw new NsmError('NSM_INTERNAL_ERROR', 'the security module refused Attestation');
    return Buffer.from('document');
  });
  t.equal(codeOf(await attestor.answer(ask(), FOR_EVER)), 'NSM_INTERNAL_ERROR');
  t.match(logger.records, [{ level: 'error', event: 'attestation.failed', fields: { code: 'NSM_INTERNAL_ERROR' } }]);
  isBroken = false;
  t.equal(codeOf(await attestor.answer(ask(), FOR_EVER)), 'attestation');
  t.same(countsOf(attestor), { answered: 1, refused: 0, failed: 1 });
});

t.test('never rejects, whatever breaks (REQUEST_FAILED), and tells strangers nothing of it, the log all', async (t) => {
  const { attestor, logger } = attestorOver(() => Promise.reject(new TypeError('a defect')));
  const answer = await attestor.answer(ask(), FOR_EVER);
  t.match(answer, { code: 'REQUEST_FAILED', message: 'the enclave could not answer' });
  t.match(logger.records, [{ fields: { reason: /a defect/ } }]);
});
