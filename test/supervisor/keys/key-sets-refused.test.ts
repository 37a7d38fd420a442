/** What a parent may offer, and what comes of it: a code for each, nothing taken, and an enclave that still takes the right set. */
import { createHash, randomBytes } from 'node:crypto';
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import t, { type Test } from 'tap';
import { loadOrCreateNsmRoot } from '../../../emulator/nsm/root.ts';
import { encodeKeySet, type KeySet, keySetDigest } from '../../../keys/set/key-set.ts';
import { openMasterKey, sealMasterKey } from '../../../keys/set/master-key.ts';
import { encodeTranscriptData } from '../../../keys/set/transcript.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { KEY_SET_AWAITED } from '../../../wire/control/messages.ts';
import { nsmFixture } from '../../emulator/support/nsm-fixture.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { BootedRig, type KeptSet, type KeyRig, keyRig, setOf, USER } from './support/key-rig.ts';

interface Scene {
  readonly rig: KeyRig;
  readonly enclave: BootedRig;
  /** Which the enclave has made, and would take. */
  readonly good: KeptSet;
}

async function scene(t: Test): Promise<Scene> {
  const rig = await keyRig(t);
  const enclave = await rig.boot();
  return { rig, enclave, good: await enclave.ceremony() };
}

const encoded = (set: KeySet) => encodeKeySet(set).toString('base64');
const bytesOf = (kept: KeptSet) => Buffer.from(kept.keySet, 'base64');
const json = (text: string) => JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Record<string, string>;
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

function kmsKeeperOf(kept: KeptSet) {
  const { keeper } = setOf(kept);
  if (keeper.kind === 'kms') return keeper;
  throw new Error(keeper.kind);
}

/** A transcript for this set by a module that signs whatever it is asked to: of another image, or under another root. */
async function transcriptBy(t: Test, { rig, good }: Scene, keySet: Buffer, other: { image?: string; own?: boolean }) {
  const root = other.own ? await loadOrCreateNsmRoot(temporaryFolder(t)) : rig.nsm.root;
  const { provider } = await nsmFixture(t, { clock: rig.clock, image: other.image ?? 'image', root });
  const { request = '' } = json(good.transcript);
  const { payload = '' } = json(request);
  const signed = Buffer.from(payload, 'base64');
  const document = await provider.attest({
    nonce: Buffer.from(String(JSON.parse(signed.toString('utf8')).nonce), 'hex'),
    userData: encodeTranscriptData({
      commitment: Buffer.alloc(48, 1),
      keySetSha256: Buffer.from(keySetDigest(keySet), 'hex'),
      requestSha256: createHash('sha256').update(signed).digest(),
    }),
  });
  return base64({ version: 1, document: document.toString('base64'), request });
}

/** All of it the parent's own: he may call KMS, and no policy is in his way. */
async function ownSet({ rig, good }: Scene, by: 'Encrypt' | 'GenerateDataKey'): Promise<KeySet> {
  const set = setOf(good);
  const { encryptionContext: EncryptionContext } = kmsKeeperOf(good);
  const KeyId = rig.keyArn;
  const key = randomBytes(32);
  const sealed =
    by === 'Encrypt'
      ? await rig.admin.send(new EncryptCommand({ KeyId, EncryptionContext, Plaintext: key }))
      : await rig.role.send(new GenerateDataKeyCommand({ KeyId, EncryptionContext, KeySpec: 'AES_256' }));
  const dataKey = SecretBuffer.take(Buffer.from('Plaintext' in sealed ? (sealed.Plaintext ?? []) : key));
  const keeper = { ...kmsKeeperOf(good), dataKey: Buffer.from(sealed.CiphertextBlob ?? []).toString('base64') };
  const { masterKey: _, ...rest } = set;
  return sealMasterKey(
    { ...rest, keeper },
    { masterKey: SecretBuffer.take(randomBytes(32)), dataKey, random: systemRandom },
  );
}

const withTranscript = async (t: Test, of: Scene, set: KeySet, by: { image?: string; own?: boolean } = {}) => {
  const keySet = encodeKeySet(set);
  return { keySet: keySet.toString('base64'), transcript: await transcriptBy(t, of, keySet, by) };
};

/** One character of base64 in the middle is another. */
function bent(text: string): string {
  const at = Math.floor(text.length / 2);
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}

/** To a key that the parent has. */
function shareOf(operator: string) {
  const encoded = Buffer.alloc(32, operator).toString('base64');
  return { operator, recipient: encoded, encapsulated: encoded, ciphertext: 'AAAA', sha256: 'a'.repeat(64) };
}

type Offer = (t: Test, of: Scene) => Promise<KeptSet> | KeptSet;

const OFFERS: Readonly<Record<string, readonly [code: string, offer: Offer]>> = {
  'what is no key set': ['KEY_SET_INVALID', (_, { good }) => ({ ...good, keySet: 'AAAA' })],
  'a set in another form': [
    'KEY_SET_INVALID',
    (_, { good }) => ({ ...good, keySet: Buffer.from(` ${bytesOf(good)}`).toString('base64') }),
  ],
  'a set of another enclave': [
    'KEY_SET_OTHER_ENCLAVE',
    async (_, { rig }) => (await rig.boot({ name: 'others' })).ceremony(),
  ],
  'a set whose name was changed': [
    'KEY_TRANSCRIPT_OTHER_SET',
    async (_, { rig }) => {
      const others = await (await rig.boot({ name: 'others' })).ceremony();
      return { ...others, keySet: encoded({ ...setOf(others), name: 'records' }) };
    },
  ],
  'a set that he sealed himself by kms:Encrypt, with a transcript that he has': [
    'KEY_TRANSCRIPT_OTHER_SET',
    async (_, of) => ({ ...of.good, keySet: encoded(await ownSet(of, 'Encrypt')) }),
  ],
  'a set under a data key of kms:GenerateDataKey without attestation, with a transcript that he signed': [
    'KEY_TRANSCRIPT_INVALID',
    async (t, of) => withTranscript(t, of, await ownSet(of, 'GenerateDataKey'), { own: true }),
  ],
  'a set of an image that this one does not trust': [
    'KEY_TRANSCRIPT_OTHER_IMAGE',
    async (_, { rig }) => (await rig.boot({ image: 'of the parent' })).ceremony(),
  ],
  'a set of an enclave under another root': [
    'KEY_TRANSCRIPT_INVALID',
    async (t, of) => ({ ...of.good, transcript: await transcriptBy(t, of, bytesOf(of.good), { own: true }) }),
  ],
  'a transcript of another set': [
    'KEY_TRANSCRIPT_OTHER_SET',
    async (_, { enclave, good }) => ({ ...good, transcript: (await enclave.ceremony()).transcript }),
  ],
  'what is no transcript': ['KEY_TRANSCRIPT_INVALID', (_, { good }) => ({ ...good, transcript: 'AAAA' })],
  'a transcript whose document was changed': [
    'KEY_TRANSCRIPT_INVALID',
    (_, { good }) => {
      const { document = '', ...rest } = json(good.transcript);
      return { ...good, transcript: base64({ ...rest, document: bent(document) }) };
    },
  ],
  'a transcript with the request of another set': [
    'KEY_TRANSCRIPT_INVALID',
    async (_, { enclave, good }) => {
      const { request } = json((await enclave.ceremony()).transcript);
      return { ...good, transcript: base64({ ...json(good.transcript), request }) };
    },
  ],
};

const withOtherIds = ({ keyIds }: Pick<KeySet, 'keyIds'>) =>
  keyIds.map((ids) => ({ ...ids, current: ids.current === 'abcd' ? 'dcba' : 'abcd' }));

/** By whoever has the data key, as an enclave with a fault would. */
async function sealedWithOtherIds({ rig, good }: Scene): Promise<KeySet> {
  const { encryptionContext: EncryptionContext, dataKey } = kmsKeeperOf(good);
  const CiphertextBlob = Buffer.from(dataKey, 'base64');
  const { Plaintext = [] } = await rig.role.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
  using key = SecretBuffer.take(Buffer.from(Plaintext));
  using masterKey = openMasterKey(setOf(good), key);
  const { masterKey: _, ...rest } = setOf(good);
  return sealMasterKey({ ...rest, keyIds: withOtherIds(rest) }, { masterKey, dataKey: key, random: systemRandom });
}

/** With a transcript as if the enclave had been brought to sign it: each link must hold alone. */
const TAMPERED: Readonly<Record<string, readonly [code: string, tamper: (of: Scene) => Promise<KeySet> | KeySet]>> = {
  'a set under another KMS key': [
    'KEY_SET_OTHER_KEEPER',
    async ({ rig, good }) => ({ ...setOf(good), keeper: { ...kmsKeeperOf(good), keyArn: await rig.createKey() } }),
  ],
  'a set that operators of the parent keep, without KMS': [
    'KEY_SET_OTHER_KEEPER',
    ({ good }) => ({ ...setOf(good), keeper: { kind: 'operators', k: 2, shares: ['mallory', 'trudy'].map(shareOf) } }),
  ],
  'a set under another encryption context': [
    'KEY_SET_OTHER_KEEPER',
    ({ good }) => ({ ...setOf(good), keeper: { ...kmsKeeperOf(good), encryptionContext: { purpose: 'another' } } }),
  ],
  'a set with the context of another generation': [
    'KEY_SET_OTHER_KEEPER',
    ({ good }) => ({ ...setOf(good), generation: 2 }),
  ],
  'a set with the data key of another one': [
    'KEY_SET_UNSEALABLE',
    async ({ enclave, good }) => ({ ...setOf(good), keeper: kmsKeeperOf(await enclave.ceremony()) }),
  ],
  'a set with the master key of another one': [
    'KEY_SET_UNSEALABLE',
    async ({ enclave, good }) => ({ ...setOf(good), masterKey: setOf(await enclave.ceremony()).masterKey }),
  ],
  'a set with a file of another one': [
    'KEY_SET_UNSEALABLE',
    async ({ enclave, good }) => {
      const [first, ...rest] = setOf(good).keystore;
      const [other] = setOf(await enclave.ceremony()).keystore;
      return { ...setOf(good), keystore: [other ?? first, ...rest].flatMap((each) => each ?? []) };
    },
  ],
  'a set without a file': [
    'KEY_SET_UNSEALABLE',
    ({ good }) => ({ ...setOf(good), keystore: setOf(good).keystore.slice(1) }),
  ],
  'a set with the password of another one': [
    'KEY_SET_UNSEALABLE',
    async ({ enclave, good }) => ({ ...setOf(good), secrets: setOf(await enclave.ceremony()).secrets }),
  ],
  'a set with another chain': ['KEY_SET_UNSEALABLE', ({ good }) => ({ ...setOf(good), previous: 'a'.repeat(64) })],
  'a set with other ids of keys': [
    'KEY_SET_UNSEALABLE',
    ({ good }) => ({ ...setOf(good), keyIds: withOtherIds(setOf(good)) }),
  ],
  'a set that was sealed with ids of keys which it has not': ['KEY_SET_INVALID', sealedWithOtherIds],
  'a data key that is no ciphertext': [
    'KMS_INVALID_CIPHERTEXT',
    ({ good }) => ({ ...setOf(good), keeper: { ...kmsKeeperOf(good), dataKey: 'AAAA' } }),
  ],
};

async function isRefused(t: Test, of: Scene, offered: KeptSet, code: string): Promise<void> {
  const answer = await of.enclave.bring(offered);
  t.match(answer, { type: 'refusal', code });
  t.match(await of.enclave.ask({ type: 'keys-status' }), { ceremony: true }, 'nothing was taken');
  t.match(of.enclave.status.current, { errorCode: KEY_SET_AWAITED, detail: /refused/ });
  t.match(of.enclave.logger.records.at(-1), { event: 'keys.refused', level: 'warn', fields: { code } });
}

t.test('takes no key set but one of an enclave like itself, whole and unchanged', async (t) => {
  const of = await scene(t);
  for (const [what, [code, offer]] of Object.entries(OFFERS)) {
    await t.test(`rejects ${what} (${code})`, async (t) => isRefused(t, of, await offer(t, of), code));
  }
  for (const [what, [code, tamper]] of Object.entries(TAMPERED)) {
    await t.test(`rejects ${what} (${code})`, async (t) =>
      isRefused(t, of, await withTranscript(t, of, await tamper(of)), code),
    );
  }
  t.match(await of.enclave.bring(of.good), { type: 'keys-taken' }, 'and the right one after all of them');
});

t.test('believes no answer that is of another KMS key, or that was changed on the way', async (t) => {
  const of = await scene(t);
  for (const [fault, code] of [
    [{ kind: 'wrong-key-id' }, 'KMS_WRONG_KEY'],
    [{ kind: 'return-plaintext' }, 'KMS_PLAINTEXT_RETURNED'],
    [{ kind: 'short-secret' }, 'KEY_SET_UNSEALABLE'],
  ] as const) {
    of.rig.kms.faults.next('Decrypt', fault);
    await t.test(fault.kind, async (t) => isRefused(t, of, of.good, code));
  }
  t.match(await of.enclave.bring(of.good), { type: 'keys-taken' });
});

t.test('takes sets of other images that the measured configuration names', async (t) => {
  const old = await nsmFixture(t, { clock: (await keyRig(t)).clock, image: 'before' });
  const madeIn = [old.pcrs.values().next().value?.toString('hex')];
  const rig = await keyRig(t, { madeIn });
  const kept = await (await rig.boot({ image: 'before' })).ceremony();
  t.match(await (await rig.boot({ image: 'after' })).bring(kept), { type: 'keys-taken' });
});

t.test('takes no set but the pinned one (KEY_SET_ROLLED_BACK)', async (t) => {
  const rig = await keyRig(t);
  const enclave = await rig.boot();
  const [first, second] = [await enclave.ceremony(), await enclave.ceremony()];
  const pinned = { ...rig, needs: { ...rig.needs, config: structuredClone(rig.needs.config) } };
  Object.assign(pinned.needs.config.keys, { pin: keySetDigest(bytesOf(second)) });
  const next = await BootedRig.boot(t, pinned);
  t.match(await next.bring(first), { type: 'refusal', code: 'KEY_SET_ROLLED_BACK' });
  t.match(await next.bring(second), { type: 'keys-taken' });
});

t.test(
  'demands a secret of each user of the configuration, whatever else is in a set (KEYSTORE_SEALED_FILE)',
  async (t) => {
    const rig = await keyRig(t, {}, { users: [{ name: 'others', clients: ['CN=billing,O=Example'] }] });
    const kept = await (await rig.boot()).ceremony();
    const config = structuredClone(rig.needs.config);
    Object.assign(config.database.users[0] ?? {}, { name: USER });
    const next = await BootedRig.boot(t, { ...rig, needs: { ...rig.needs, config } });
    t.match(await next.bring(kept), { code: 'KEYSTORE_SEALED_FILE', message: /no secret of users .*app/ });
  },
);
