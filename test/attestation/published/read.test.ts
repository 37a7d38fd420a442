/** What a reader demands of published measurements, and what each demand that is not met is called. */
import t from 'tap';
import { SIGNATURE_PCR } from '../../../attestation/published/content.ts';
import { PAYLOAD_TYPE, parseEnvelope } from '../../../attestation/published/envelope.ts';
import { MeasurementsError, type MeasurementsErrorCode } from '../../../attestation/published/errors.ts';
import { examinePublished, type PublishedDemands, readPublished } from '../../../attestation/published/read.ts';
import { compareContent } from '../../../attestation/published/same.ts';
import { throwsCode } from '../../support/coded-error.ts';
import {
  CONTENT,
  DAY_MS,
  MEASUREMENTS_JSON,
  makeSigner,
  NOW_MS,
  publicKeyOf,
  RUNTIME,
  signedBy,
} from './support/published.ts';

const provider = makeSigner('provider.pub', 'prime256v1');
const auditor = makeSigner('auditor.pub', 'ed25519');
const stranger = makeSigner('stranger.pub', 'secp384r1');
const both = signedBy(provider, auditor);
const plain = Buffer.from(JSON.stringify(MEASUREMENTS_JSON));
const demands = (change: Partial<PublishedDemands> = {}): PublishedDemands => ({
  require: [publicKeyOf(provider), publicKeyOf(auditor)],
  maxAgeMs: 30 * DAY_MS,
  nowMs: NOW_MS,
  ...change,
});

t.test('returns registers and statement when everybody has signed', async (t) => {
  const { pcrs, statement } = readPublished(both, demands());
  t.same(pcrs, CONTENT.pcrs);
  t.same(statement, RUNTIME);
});

t.test('reports every claim, those that hold among them', async (t) => {
  const require = [publicKeyOf(provider), publicKeyOf(stranger)];
  const { claims } = examinePublished(both, demands({ require, nowMs: NOW_MS + 91 * DAY_MS }));
  t.same(
    claims.map(({ name, status, error }) => [name, status, error?.code]),
    [
      ['signature', 'pass', undefined],
      ['signature', 'fail', 'MEASUREMENTS_SIGNATURE_MISSING'],
      ['validity', 'fail', 'MEASUREMENTS_EXPIRED'],
      ['age', 'fail', 'MEASUREMENTS_TOO_OLD'],
    ],
  );
});

t.test('says what nobody demanded', async (t) => {
  const { claims } = examinePublished(both, demands({ require: [], maxAgeMs: undefined }));
  t.same(
    claims.map(({ name, status }) => [name, status]),
    [
      ['signature', 'not run'],
      ['validity', 'pass'],
      ['age', 'not run'],
    ],
  );
});

t.test('takes a plain measurements.json where nothing is demanded, and what nitro-cli prints', async (t) => {
  const nothing = demands({ require: [], maxAgeMs: undefined });
  t.same(readPublished(plain, nothing).statement, RUNTIME);
  const { HashAlgorithm, PCR0, PCR1, PCR2 } = MEASUREMENTS_JSON.Measurements;
  const nitro = Buffer.from(JSON.stringify({ Measurements: { HashAlgorithm, PCR0: PCR0.toUpperCase(), PCR1, PCR2 } }));
  t.same([...readPublished(nitro, nothing).pcrs.keys()], [0, 1, 2]);
});

t.test('demands every register that a plain file names, and says when it names no image', async (t) => {
  const nothing = demands({ require: [], maxAgeMs: undefined });
  const read = (Measurements: object) => readPublished(Buffer.from(JSON.stringify({ Measurements })), nothing);
  t.same(
    [
      ...read({
        PCR0: 'a'.repeat(96),
        PCR4: 'b'.repeat(96),
        PCR31: 'c'.repeat(96),
        HashAlgorithm: 'Sha384',
      }).pcrs.keys(),
    ],
    [0, 4, 31],
  );
  for (const members of [{}, { PCR1: 'a'.repeat(96) }, { PCR0: 'a'.repeat(96), PCR3: 'short' }]) {
    throwsCode(() => read(members), MeasurementsError, 'MEASUREMENTS_INVALID');
  }
});

t.test('allows the clock of a signer to be some minutes ahead, and ends at the very second', async () => {
  readPublished(both, demands({ nowMs: NOW_MS - 5 * 60_000 }));
  readPublished(both, demands({ nowMs: NOW_MS + 30 * DAY_MS }));
  readPublished(both, demands({ maxAgeMs: undefined, nowMs: NOW_MS + 90 * DAY_MS - 1 }));
});

/** The same file with another payload: what the parent would want a user to read. */
function withPayload(change: (text: string) => string): Buffer {
  const json = JSON.parse(both.toString());
  const { payload } = parseEnvelope(json, PAYLOAD_TYPE);
  return Buffer.from(JSON.stringify({ ...json, payload: Buffer.from(change(payload.toString())).toString('base64') }));
}
const otherPcr0 = withPayload((text) => text.replace('a0'.repeat(48), 'b0'.repeat(48)));
const longer = withPayload((text) => text.replace('2027-02-27', '2029-02-27'));

interface Refusal {
  readonly what: string;
  readonly code: MeasurementsErrorCode;
  readonly bytes?: Buffer;
  readonly demands?: Partial<PublishedDemands>;
}

const REFUSALS: readonly Refusal[] = [
  { what: 'a register that was changed after the signature', code: 'MEASUREMENTS_SIGNATURE_INVALID', bytes: otherPcr0 },
  { what: 'an expiry that was changed after the signature', code: 'MEASUREMENTS_SIGNATURE_INVALID', bytes: longer },
  { what: 'what the auditor has not signed', code: 'MEASUREMENTS_SIGNATURE_MISSING', bytes: signedBy(provider) },
  { what: 'what only strangers have signed', code: 'MEASUREMENTS_SIGNATURE_MISSING', bytes: signedBy(stranger) },
  { what: 'a plain file where signatures are demanded', code: 'MEASUREMENTS_UNSIGNED', bytes: plain },
  {
    what: 'a plain file where an age is demanded',
    code: 'MEASUREMENTS_UNSIGNED',
    bytes: plain,
    demands: { require: [] },
  },
  {
    what: 'measurements that have expired',
    code: 'MEASUREMENTS_EXPIRED',
    demands: { maxAgeMs: undefined, nowMs: NOW_MS + 90 * DAY_MS },
  },
  { what: 'measurements of tomorrow', code: 'MEASUREMENTS_FROM_FUTURE', demands: { nowMs: NOW_MS - 5 * 60_000 - 1 } },
  { what: 'measurements that are too old', code: 'MEASUREMENTS_TOO_OLD', demands: { nowMs: NOW_MS + 30 * DAY_MS + 1 } },
  {
    what: 'one key under two names',
    code: 'MEASUREMENTS_KEY_TWICE',
    demands: { require: [publicKeyOf(provider), publicKeyOf(provider)] },
  },
  { what: 'what is no JSON', code: 'MEASUREMENTS_INVALID', bytes: Buffer.from('PCR0') },
  { what: 'bytes that are no UTF-8', code: 'MEASUREMENTS_INVALID', bytes: Buffer.from('{"\xff":1}', 'latin1') },
  {
    what: 'a register that is there twice',
    code: 'MEASUREMENTS_INVALID',
    bytes: Buffer.from(plain.toString().replace('"PCR0"', `"PCR0":"${'e'.repeat(96)}","PCR0"`)),
  },
  {
    what: 'an envelope with two payloads',
    code: 'MEASUREMENTS_INVALID',
    bytes: Buffer.from(both.toString().replace('"payload"', '"payload":"e30=","payload"')),
  },
  ...['pcr3', 'PCR03', 'PCR32', 'Pcr3', ' PCR3', 'PCR 3', 'PCR'].map((name) => ({
    what: `a register with the name ${JSON.stringify(name)}`,
    code: 'MEASUREMENTS_INVALID' as const,
    bytes: Buffer.from(plain.toString().replace('"PCR0"', `"${name}":"${'e'.repeat(96)}","PCR0"`)),
  })),
  { what: 'other JSON', code: 'MEASUREMENTS_INVALID', bytes: Buffer.from('{}') },
  { what: 'a file that is too large', code: 'MEASUREMENTS_FILE', bytes: Buffer.alloc(1024 * 1024 + 1) },
  {
    what: 'a plain file whose PCR16 is of another statement',
    code: 'MEASUREMENTS_CONTRADICTORY',
    bytes: Buffer.from(
      JSON.stringify({
        ...MEASUREMENTS_JSON,
        runtime: { statement: { ...RUNTIME, name: 'x' }, PCR16: 'a'.repeat(96) },
      }),
    ),
  },
];

for (const { what, code, bytes = both, demands: change = {} } of REFUSALS) {
  t.test(`rejects ${what} (${code})`, async () => {
    throwsCode(() => readPublished(bytes, demands(change)), MeasurementsError, code);
  });
}

t.test('compares what an auditor built with what he is to sign', async (t) => {
  const signed = {
    ...CONTENT,
    pcrs: new Map([...CONTENT.pcrs, [SIGNATURE_PCR, Buffer.alloc(48, 8)]]),
    image: { name: 'x', sha256: '7'.repeat(64) },
  };
  t.same(compareContent(CONTENT, CONTENT), []);
  t.same(compareContent(CONTENT, signed), [], 'he cannot sign the image as its owner does');
  t.same(
    compareContent(signed, CONTENT).map(({ field }) => field),
    ['PCR8', 'image'],
    'a signed image of one’s own is compared whole',
  );
  const { statement: _, ...without } = CONTENT;
  t.same(
    compareContent({ ...CONTENT, statement: { ...RUNTIME, name: 'x' } }, CONTENT).map(({ field }) => field),
    ['runtime'],
  );
  t.same(
    compareContent(without, CONTENT).map(({ field }) => field),
    ['runtime'],
  );
});
