/** What the parent may ask of the TLS key: answers, refusals with their codes, and nothing for strangers on the public port. */
import t from 'tap';
import { TlsKeyError } from '../../../keys/tls/errors.ts';
import { answerParent } from '../../../supervisor/attestation/answer-parent.ts';
import { type CertificateDesk, CLOSED_DESK } from '../../../supervisor/tls/certificate-desk.ts';
import { WireError } from '../../../wire/errors.ts';
import { parseEnclaveRequest } from '../../../wire/requests/messages.ts';
import {
  MAX_CHAIN_CHARACTERS,
  MAX_PARENT_REQUEST_BYTES,
  parseParentAnswer,
  parseParentRequest,
} from '../../../wire/requests/parent-messages.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

const { signal } = new AbortController();
const nonce = Buffer.alloc(32, 5).toString('base64');
const ATTESTATION = { type: 'attestation', document: 'AAAA', statement: 'e30=' } as const;
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

const DESK: CertificateDesk = {
  request: () => ({ request: Buffer.from('a request'), keySha256: Buffer.alloc(32, 9) }),
  install(chain) {
    if (String(chain) === 'good') return { certificate: 'server', subject: 'CN=demo', endsMs: 1_800_000_000_000 };
    throw new TlsKeyError('TLS_CERTIFICATE_OTHER_KEY', 'the certificate is for another key');
  },
};

function answering(certificateDesk = DESK, refusal?: { readonly code: string }) {
  const logger = new MemoryLogger();
  const refused = refusal && ({ type: 'refusal', message: 'not now', ...refusal } as const);
  const named: (Buffer | undefined)[] = [];
  const attestor = {
    answer: async (_request: unknown, _signal: AbortSignal, keySha256?: Buffer) => {
      named.push(keySha256);
      return refused ?? ATTESTATION;
    },
  };
  return { answer: answerParent({ attestor, certificateDesk, keyDesk: undefined, logger }), logger, named };
}

t.test('hands out the request with the attestation of its key', async (t) => {
  const { answer: asking, named } = answering();
  const answer = await asking({ type: 'certificate-request', nonce }, signal);
  t.same(named, [Buffer.alloc(32, 9)], 'of the key whose request it is, shown or not');
  const request = Buffer.from('a request').toString('base64');
  t.same(answer, { ...ATTESTATION, type: 'certificate-request', request });
  t.same(parseParentAnswer(json(answer)), answer);
  t.same(await answering().answer({ type: 'attest', nonce }, signal), ATTESTATION);
});

t.test('refuses the request where no attestation can be made for it', async (t) => {
  const { answer } = answering(DESK, { code: 'REQUEST_RATE_LIMITED' });
  t.match(await answer({ type: 'certificate-request', nonce }, signal), { code: 'REQUEST_RATE_LIMITED' });
});

t.test('says of a certificate whether it was taken, and logs why it was not', async (t) => {
  const { answer, logger } = answering();
  const taken = await answer({ type: 'install-certificate', chain: 'good' }, signal);
  t.same(parseParentAnswer(json(taken)), {
    type: 'certificate-installed',
    subject: 'CN=demo',
    endsMs: 1_800_000_000_000,
  });
  const refused = await answer({ type: 'install-certificate', chain: 'bad' }, signal);
  t.match(refused, { type: 'refusal', code: 'TLS_CERTIFICATE_OTHER_KEY' });
  t.match(logger.records, [{ event: 'tls.certificate-refused', fields: { code: 'TLS_CERTIFICATE_OTHER_KEY' } }]);
});

t.test('refuses both where the enclave wants no certificate (TLS_CERTIFICATE_NOT_WANTED)', async (t) => {
  const { answer } = answering(CLOSED_DESK);
  for (const request of [
    { type: 'certificate-request', nonce },
    { type: 'install-certificate', chain: 'good' },
  ] as const) {
    t.match(await answer(request, signal), { type: 'refusal', code: 'TLS_CERTIFICATE_NOT_WANTED' });
  }
});

t.test('keeps these questions from strangers, whose requests are read by another form', async () => {
  const install = json({ type: 'install-certificate', chain: 'x' });
  for (const payload of [install, json({ type: 'certificate-request', nonce })]) {
    parseParentRequest(payload);
    throwsCode(() => parseEnclaveRequest(payload), WireError, 'WIRE_MESSAGE_INVALID');
  }
});

t.test('takes a chain of the longest size in one request, and no longer one', async (t) => {
  const chain = `${'A'.repeat(63)}\n`.repeat(MAX_CHAIN_CHARACTERS / 64);
  const longest = json({ type: 'install-certificate', chain });
  t.ok(longest.length <= MAX_PARENT_REQUEST_BYTES);
  parseParentRequest(longest);
  const longer = json({ type: 'install-certificate', chain: `${chain}A` });
  throwsCode(() => parseParentRequest(longer), WireError, 'WIRE_MESSAGE_INVALID');
});
