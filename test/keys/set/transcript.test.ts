/** Transcripts: only the document of an enclave that made this very set, in an image that is trusted, counts. By name: vectors.test.ts. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { canonicalJson } from '../../../encoding/canonical-json.ts';
import { KeyError } from '../../../keys/errors.ts';
import {
  encodeTranscriptData,
  parseTranscript,
  readTranscript,
  type Transcript,
} from '../../../keys/set/transcript.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { nsmFixture } from '../../emulator/support/nsm-fixture.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  ANNA,
  BORIS,
  CLIENT,
  COMMITMENT,
  chain,
  MADE_AT_MS,
  makeSet,
  PCR0,
  requestFor,
  signedRequest,
  transcriptJson,
  transcriptOf,
} from '../vectors/parts.ts';

const SEED = 20_261_130;
const SOURCE = makeSet(1, null);
const REQUEST = requestFor({ kind: 'ceremony', clients: [CLIENT], secrets: [] });
const ENVELOPE = signedRequest(REQUEST, [ANNA, BORIS]);
const TRANSCRIPT: Transcript = transcriptOf(SOURCE.encoding, ENVELOPE, REQUEST);
const DEMANDS = { rootDer: chain.root.der, images: [PCR0] };

t.test('tells what an authentic transcript says', async (t) => {
  const read = readTranscript(parseTranscript(transcriptJson(TRANSCRIPT)), SOURCE.encoding, DEMANDS);
  t.same(read, {
    request: REQUEST,
    requestSha256: createHash('sha256').update(canonicalJson(REQUEST)).digest('hex'),
    image: PCR0,
    commitment: COMMITMENT,
    madeAtMs: MADE_AT_MS,
  });
});

t.test('judges a document at its own time, and rejects one made when its certificates did not hold', async () => {
  const day = 86_400_000;
  for (const timestampMs of [MADE_AT_MS - day, MADE_AT_MS + day]) {
    const transcript = transcriptOf(SOURCE.encoding, ENVELOPE, REQUEST, { timestampMs });
    throwsCode(() => readTranscript(transcript, SOURCE.encoding, DEMANDS), KeyError, 'KEY_TRANSCRIPT_INVALID');
  }
});

t.test('takes what the security module signs, and only under the root that vouches for this enclave', async (t) => {
  const clock = new FakeClock(Date.UTC(2026, 10, 30));
  const [own, other] = [await nsmFixture(t, { clock }), await nsmFixture(t, { clock })];
  const document = await own.attest({
    nonce: Buffer.from(REQUEST.nonce, 'hex'),
    userData: encodeTranscriptData({
      commitment: COMMITMENT,
      keySetSha256: Buffer.from(SOURCE.sha256, 'hex'),
      requestSha256: createHash('sha256').update(canonicalJson(REQUEST)).digest(),
    }),
  });
  const transcript = { ...TRANSCRIPT, document: document.toString('base64') };
  const image = (own.pcrs.get(toPcrIndex(0)) ?? Buffer.alloc(0)).toString('hex');
  const read = (rootDer: Buffer, images = [image]) => readTranscript(transcript, SOURCE.encoding, { rootDer, images });
  t.equal(read(own.root.rootDer).image, image);
  throwsCode(() => read(other.root.rootDer), KeyError, 'KEY_TRANSCRIPT_INVALID');
  throwsCode(() => read(own.root.rootDer, [PCR0]), KeyError, 'KEY_TRANSCRIPT_OTHER_IMAGE');
  throwsCode(() => read(own.root.rootDer, []), KeyError, 'KEY_TRANSCRIPT_OTHER_IMAGE');
});

t.test('rejects every changed byte of the document (KEY_TRANSCRIPT_INVALID)', async () => {
  const whole = Buffer.from(TRANSCRIPT.document, 'base64');
  const changed = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([position, by]) => {
    const bytes = Buffer.from(whole);
    const at = position % bytes.length;
    bytes[at] = (bytes[at] ?? 0) ^ by;
    return bytes;
  });
  const rejects = fc.property(changed, (bytes) => {
    const transcript = { ...TRANSCRIPT, document: bytes.toString('base64') };
    throwsCode(() => readTranscript(transcript, SOURCE.encoding, DEMANDS), KeyError, 'KEY_TRANSCRIPT_INVALID');
  });
  fc.assert(rejects, { numRuns: 150, seed: SEED });
});

t.test('rejects every changed byte of the set (KEY_TRANSCRIPT_OTHER_SET)', async () => {
  const rejects = fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (position, by) => {
    const bytes = Buffer.from(SOURCE.encoding);
    const at = position % bytes.length;
    bytes[at] = (bytes[at] ?? 0) ^ by;
    throwsCode(() => readTranscript(TRANSCRIPT, bytes, DEMANDS), KeyError, 'KEY_TRANSCRIPT_OTHER_SET');
  });
  fc.assert(rejects, { numRuns: 60, seed: SEED });
});

t.test('rejects every changed byte of what was asked (KEY_TRANSCRIPT_INVALID)', async () => {
  const { payload, ...rest } = JSON.parse(ENVELOPE.toString());
  const whole = Buffer.from(payload, 'base64');
  const rejects = fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (position, by) => {
    const bytes = Buffer.from(whole);
    const at = position % bytes.length;
    bytes[at] = (bytes[at] ?? 0) ^ by;
    const envelope = JSON.stringify({ ...rest, payload: bytes.toString('base64') });
    const transcript = { ...TRANSCRIPT, request: Buffer.from(envelope).toString('base64') };
    throwsCode(() => readTranscript(transcript, SOURCE.encoding, DEMANDS), KeyError, 'KEY_TRANSCRIPT_INVALID');
  });
  fc.assert(rejects, { numRuns: 100, seed: SEED });
});

t.test('rejects what is too long, before it is parsed (KEY_TRANSCRIPT_INVALID)', async () => {
  throwsCode(() => parseTranscript(Buffer.alloc(2 * 1024 * 1024 + 1, ' ')), KeyError, 'KEY_TRANSCRIPT_INVALID');
  const long = { ...TRANSCRIPT, document: Buffer.alloc(16 * 1024 + 3).toString('base64') };
  throwsCode(() => parseTranscript(transcriptJson(long)), KeyError, 'KEY_TRANSCRIPT_INVALID');
});
