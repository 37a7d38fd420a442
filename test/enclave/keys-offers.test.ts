/**
 * The parent offers a machine what is not its newest key set: made by himself, by another image, put together out of two, or old. Each is
 * refused with its code, the boot waits on, and the right one is taken afterwards; until the key policy turns the machine away.
 */
import t, { type Test } from 'tap';
import type { Fault } from '../../emulator/kms/faults.ts';
import { operatorClient } from '../../kms/operator-encrypt.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { connect, type KeptSet, type KeyParent, setOf, tellDatabase } from '../support/key-parent.ts';
import { alteredSets, exchangedParts } from './support/altered-sets.ts';
import { EnclaveStack } from './support/enclave-stack.ts';
import {
  forgeSet,
  forgeTranscript,
  generatedDataKey,
  KNOWN_DATA_KEYS,
  kmsKeeperOf,
  openKeyPolicy,
  vouchedFor,
} from './support/forged-keys.ts';
import type { BuiltImage } from './support/images.ts';

const RENEW_EVERY_MS = 10_000;
const DRAIN_MS = 2_000;
/** For a clock that runs slower than the parent's, and for what is done with it: an emulated CPU beside other work. */
const SLACK_MS = 20_000;
/** Of an image that there is not. */
const OTHER_PCRS = new Map([0, 1, 2].map((index) => [toPcrIndex(index), Buffer.alloc(48, 0xa5)] as const));

/** Sets that the parent made of data keys that he knows, for this place in the order of sets. */
async function forgedSets(stack: EnclaveStack, like: KeptSet): Promise<ReadonlyMap<string, KeptSet>> {
  const { cloud, keyArn } = stack.parts;
  const client = operatorClient(cloud.operator);
  try {
    await openKeyPolicy(client, keyArn);
    const made = new Map<string, KeptSet>();
    for (const [how, dataKeyBy] of Object.entries(KNOWN_DATA_KEYS)) {
      const dataKey = await dataKeyBy(client, kmsKeeperOf(setOf(like)));
      made.set(how, { ...like, keySet: await forgeSet(setOf(like), dataKey, stack.root) });
    }
    return made;
  } finally {
    client.destroy();
  }
}

/** @returns base64 */
async function ofOtherKey({ parts: { cloud } }: EnclaveStack, like: KeptSet): Promise<string> {
  const client = operatorClient(cloud.operator);
  try {
    const keeper = { ...kmsKeeperOf(setOf(like)), keyArn: await cloud.createKey() };
    return (await generatedDataKey(client, keeper)).ciphertext.toString('base64');
  } finally {
    client.destroy();
  }
}

/** Of a machine of that image which waits for its keys; it is gone afterwards. */
async function ceremonyIn(stack: EnclaveStack, image: BuiltImage): Promise<KeptSet> {
  await stack.allow(image);
  await stack.run(image);
  await stack.keys.untilAwaited();
  const made = await stack.keys.ceremony();
  await stack.daemon?.stop();
  return made;
}

async function refuses(t: Test, keys: KeyParent, { what, kept, code }: Refused): Promise<void> {
  t.match(await keys.bring(kept), { type: 'refusal', code }, `${code}: ${what}`);
}

interface Refused {
  readonly what: string;
  readonly kept: KeptSet;
  readonly code: string;
}

const OTHER_ANSWERS: readonly { readonly what: string; readonly fault: Fault; readonly code: string }[] = [
  { what: 'the name of another key', fault: { kind: 'wrong-key-id' }, code: 'KMS_WRONG_KEY' },
  // What CMS cannot tell: it has no MAC.
  {
    what: 'another data key',
    fault: { kind: 'tamper-recipient-ciphertext', part: 'iv' },
    code: 'KEY_SET_UNSEALABLE',
  },
];

async function diagnoses(client: Awaited<ReturnType<typeof connect>>): Promise<readonly string[]> {
  return (await client.query('SELECT diagnosis FROM patients ORDER BY id')).rows.map(({ diagnosis }) => diagnosis);
}

t.test('a machine that is offered other key sets than its own', async (t) => {
  const settings = {
    lease: { renewEveryMs: RENEW_EVERY_MS, maxAgeMs: 3_600_000 },
    restart: { drainMs: DRAIN_MS },
  };
  const stack = await EnclaveStack.prepare(t, settings, { keysSource: 'parent' });
  const { keys, parts } = stack;
  const image = await stack.build();
  const ofTwin = await ceremonyIn(stack, await stack.build({ cmdlineSuffix: ' quiet' }));
  await stack.allow(image);
  await stack.run(image);
  await keys.untilAwaited();
  const first = await keys.ceremony();
  const twin = await keys.ceremony();
  let session: Awaited<ReturnType<typeof connect>>;
  let second: KeptSet;
  const withoutFaults = parts.cloud.emulated === undefined && 'AWS’s own KMS makes no mistakes on demand';

  const exchanged = exchangedParts(first, twin, await ofOtherKey(stack, first));

  await t.test('refuses a set with parts of another one (KEY_TRANSCRIPT_OTHER_SET)', async (t) => {
    for (const offer of exchanged) await refuses(t, keys, offer);
  });

  const { signing } = parts;
  const byNitro = signing === undefined && 'nobody here can sign as AWS does';
  await t.test('refuses each of them also behind a transcript that verifies', { skip: byNitro }, async (t) => {
    if (signing === undefined) return;
    for (const { what, kept, behind } of exchanged)
      await refuses(t, keys, { what, kept: vouchedFor(kept, signing.sign), code: behind });
  });

  await t.test(
    'refuses a transcript that is altered, unsigned or of another set, and a set of another name or form',
    async (t) => {
      const { document } = await keys.attested();
      for (const offer of alteredSets(first, twin, Buffer.from(document, 'base64'))) await refuses(t, keys, offer);
    },
  );

  await t.test('refuses what an enclave of another measurement has made (KEY_TRANSCRIPT_OTHER_IMAGE)', (t) =>
    refuses(t, keys, { what: 'another image', kept: ofTwin, code: 'KEY_TRANSCRIPT_OTHER_IMAGE' }),
  );

  await t.test('refuses what the parent made himself while the key policy let him', async (t) => {
    for (const [how, kept] of await forgedSets(stack, first)) {
      const own = await forgeTranscript(kept, image.pcrs, stack.root);
      await refuses(t, keys, { what: `${how}, another transcript`, kept, code: 'KEY_TRANSCRIPT_OTHER_SET' });
      await refuses(t, keys, { what: `${how}, a transcript of his own`, kept: own, code: 'KEY_TRANSCRIPT_INVALID' });
    }
    await stack.allow(image);
  });

  await t.test('waits on after all of that, and serves with the right one', async (t) => {
    t.same(await keys.status(), { type: 'keys-status', ceremony: true });
    await tellDatabase(stack, first);
    t.match(await keys.take(first), { generation: 1 });
    session = await connect(stack, await stack.untilServing());
    await session.query("INSERT INTO patients VALUES (1, 'Ada', 'ada@example.org', 'well')");
  });

  await t.test('refuses an older or another set than the next one while it serves', async (t) => {
    second = await keys.make({ kind: 'rotate-master' });
    await refuses(t, keys, { what: 'of this generation', kept: twin, code: 'KEY_SET_ROLLED_BACK' });
    const mixed = { ...second, transcript: first.transcript };
    await refuses(t, keys, { what: 'an older transcript', kept: mixed, code: 'KEY_TRANSCRIPT_OTHER_SET' });
    t.match(await keys.take(second), { generation: 2 });
    await stack.allow(image, { generations: [2] });
    await refuses(t, keys, { what: 'of the last generation', kept: first, code: 'KEY_SET_ROLLED_BACK' });
    t.same(await diagnoses(session), ['well']);
    await session.end();
  });

  await stack.daemon?.stop();
  await stack.startDaemon('run');
  await keys.untilAwaited();

  await t.test('refuses at boot what the key policy does not open any more (KMS_ACCESS_DENIED)', async (t) => {
    for (const kept of [first, twin]) await refuses(t, keys, { what: 'generation 1', kept, code: 'KMS_ACCESS_DENIED' });
  });

  await t.test('refuses what KMS answers of another key', { skip: withoutFaults }, async (t) => {
    const faults = parts.cloud.emulated?.faults;
    for (const { what, fault, code } of OTHER_ANSWERS) {
      faults?.next('Decrypt', fault);
      await refuses(t, keys, { what, kept: second, code });
    }
  });

  await t.test('serves with the newest one after all of that, and the row is readable', async (t) => {
    t.match(await keys.take(second), { generation: 2 });
    session = await connect(stack, await stack.untilServing());
    t.same(await diagnoses(session), ['well']);
  });

  await t.test('ends within renewEvery and drain when the key policy turns it away (LEASE_REFUSED)', async (t) => {
    const ended = new Promise((resolve) => session.once('end', resolve));
    const startedMs = performance.now();
    await stack.allow({ pcrs: OTHER_PCRS });
    await ended;
    const tookMs = performance.now() - startedMs;
    t.comment(`from the change of the policy to the end of the session: ${Math.round(tookMs)} ms`);
    t.ok(tookMs < RENEW_EVERY_MS + DRAIN_MS + SLACK_MS, `${Math.round(tookMs)} ms`);
    const failed = await stack.until(({ enclave }) => enclave?.state === 'failed');
    t.equal(failed.enclave?.errorCode, 'LEASE_REFUSED');
    t.equal(failed.publicAddress, null, 'the public port is closed');
  });
});
