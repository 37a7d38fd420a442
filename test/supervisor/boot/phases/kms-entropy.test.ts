/** Randomness from KMS as a second source: mixed in before the master key, and nothing less than the configuration asks for. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EncryptCommand } from '@aws-sdk/client-kms';
import t, { type Test as TapTest } from 'tap';
import { kmsEntropyOf } from '../../../../config/supervision.ts';
import type { Fault } from '../../../../emulator/kms/faults.ts';
import { roleArn } from '../../../../emulator/principal.ts';
import { encodeMasterKeyFile } from '../../../../keys/master-key-file.ts';
import { CmsError, KmsError } from '../../../../kms/errors.ts';
import type { CodedError } from '../../../../runtime/errors.ts';
import type { KmsNeeds } from '../../../../supervisor/boot/attested-kms.ts';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import type { EntropyReady } from '../../../../supervisor/boot/phases/entropy.ts';
import type { KeySetReady } from '../../../../supervisor/boot/phases/key-set.ts';
import { kmsEntropyPhase } from '../../../../supervisor/boot/phases/kms-entropy.ts';
import { masterKeyPhase } from '../../../../supervisor/boot/phases/master-key.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { ROLE } from '../../../emulator/support/kms-fixture.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { primaryReseeds } from '../../../system/libc/support/openssl-generator.ts';
import type { KmsRig } from '../../support/kms-needs.ts';
import { ENCRYPTION_CONTEXT, kmsNeeds } from '../../support/kms-needs.ts';

type Needs = KmsNeeds & Pick<EntropyReady, 'firstRecipientKey'>;

const table = BootTable.empty<Needs>().phase(kmsEntropyPhase);
const both = BootTable.empty<Needs & KeySetReady>().phase(kmsEntropyPhase).phase(masterKeyPhase);
const BYTES = 512;

const run = ({ needs, context }: KmsRig) => boot(table, needs, context, new AbortController().signal);
const asked = ({ kms }: KmsRig) => kms.audit().filter(({ operation }) => operation === 'GenerateRandom').length;
const settings = (mode: string) => ({ entropy: { kms: mode } });

/** Lets time pass whenever the boot waits, until it has ended. */
async function whileTimePasses<Result>({ clock }: KmsRig, booting: Promise<Result>): Promise<Result> {
  let ended = false;
  const ending = booting.finally(() => {
    ended = true;
  });
  ending.catch(() => undefined);
  while (!ended) {
    await new Promise(setImmediate);
    if (clock.sleeping > 1) clock.advance(10_000);
  }
  return ending;
}

t.test('mixes 512 bytes of KMS in, seeds Node’s own generator after them, and zeroes them', async (t) => {
  for (const mode of ['required', 'optional']) {
    const rig = await kmsNeeds(t, settings(mode));
    const reseeds = primaryReseeds();
    t.equal((await run(rig)).kmsEntropyBytes, BYTES);
    t.same(
      rig.added.map(({ length }) => length),
      [BYTES],
    );
    t.notSame(rig.added[0], Buffer.alloc(BYTES));
    t.same(rig.lent, [Buffer.alloc(BYTES)], 'what was lent is zero afterwards');
    t.equal(primaryReseeds(), reseeds + 1);
    t.equal(asked(rig), 1);
  }
});

t.test('asks for it by default, in an enclave.yaml of before', async (t) => {
  const rig = await kmsNeeds(t);
  t.equal(kmsEntropyOf(rig.needs.config), 'required');
  t.equal((await run(rig)).kmsEntropyBytes, BYTES);
});

t.test('rejects a role that may not ask, and says what to allow (KMS_ACCESS_DENIED)', async (t) => {
  const rig = await kmsNeeds(t);
  rig.kms.putRolePolicy(
    roleArn(ROLE),
    JSON.stringify({ Statement: [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' }] }),
  );
  const error = await rejectsCode(() => run(rig), KmsError, 'KMS_ACCESS_DENIED');
  t.match(error.action, /IAM policy.*kms:GenerateRandom.*Resource "\*".*entropy\.kms/);
  t.match(error.cause, {
    message: /is not authorized to perform: kms:GenerateRandom because no identity-based policy/,
  });
  t.same(rig.added, []);
});

for (const { what, fault, times, code } of [
  { what: 'KMS throttles', fault: { kind: 'throttle' }, times: 3, code: 'KMS_THROTTLED' },
  { what: 'KMS is down', fault: { kind: 'close' }, times: 2, code: 'KMS_UNAVAILABLE' },
  {
    what: 'KMS finds the credentials expired',
    fault: { kind: 'expired-token' },
    times: 1,
    code: 'KMS_CREDENTIALS_EXPIRED',
  },
] as const) {
  t.test(`waits while ${what} (${code})`, async (t) => {
    const rig = await kmsNeeds(t);
    rig.kms.faults.next('GenerateRandom', fault, times);
    t.equal((await whileTimePasses(rig, run(rig))).kmsEntropyBytes, BYTES);
    t.equal(asked(rig), times + 1);
    const retries = rig.context.logger.records.filter(({ event }) => event === 'boot.retry');
    t.same(
      retries.map(({ fields }) => fields['code']),
      Array(times).fill(code),
    );
    t.equal(
      rig.fetched(),
      code === 'KMS_CREDENTIALS_EXPIRED' ? 2 : 1,
      'credentials are fetched anew when they are bad',
    );
  });
}

t.test('gives up at the deadline, and says what it waited for (BOOT_DEADLINE)', async (t) => {
  const rig = await kmsNeeds(t, { deadlines: { kmsEntropyMs: 60_000 } });
  rig.kms.faults.next('GenerateRandom', { kind: 'throttle' }, 1_000);
  const error = await rejectsCode(() => whileTimePasses(rig, run(rig)), SupervisorError, 'BOOT_DEADLINE');
  t.match(error.message, 'kms-entropy');
  t.match(error.found, /waiting for KMS to give randomness.*KMS_THROTTLED/);
});

interface Wrong {
  readonly what: string;
  readonly fault: Fault;
  readonly errorClass: new (...args: never[]) => CodedError;
  readonly code: string;
}

const WRONGS: readonly Wrong[] = [
  { what: 'too few bytes', fault: { kind: 'short-secret' }, errorClass: KmsError, code: 'KMS_RESPONSE_INVALID' },
  {
    what: 'an envelope that does not open',
    fault: { kind: 'tamper-recipient-ciphertext', part: 'key' },
    errorClass: CmsError,
    code: 'CMS_DECRYPT_FAILED',
  },
  {
    what: 'no envelope',
    fault: { kind: 'omit-recipient-ciphertext' },
    errorClass: KmsError,
    code: 'KMS_RECIPIENT_MISSING',
  },
  {
    what: 'random bytes in clear',
    fault: { kind: 'return-plaintext' },
    errorClass: KmsError,
    code: 'KMS_PLAINTEXT_RETURNED',
  },
];

for (const { what, fault, errorClass, code } of WRONGS) {
  t.test(`rejects ${what} (${code})`, async (t) => {
    const rig = await kmsNeeds(t);
    rig.kms.faults.next('GenerateRandom', fault);
    await rejectsCode(() => run(rig), errorClass as typeof KmsError, code as 'KMS_RESPONSE_INVALID');
    t.same(rig.added, []);
    t.equal(asked(rig), 1, 'not asked again');
  });
}

const ANY_FAULT: readonly (readonly [Fault, string])[] = [
  [{ kind: 'throttle' }, 'KMS_THROTTLED'],
  [{ kind: 'close' }, 'KMS_UNAVAILABLE'],
  [{ kind: 'short-secret' }, 'KMS_RESPONSE_INVALID'],
  [{ kind: 'tamper-recipient-ciphertext', part: 'padding' }, 'CMS_DECRYPT_FAILED'],
];

t.test('goes on without it when it is optional: one attempt, and a warning that says why', async (t) => {
  for (const [fault, code] of ANY_FAULT) {
    const rig = await kmsNeeds(t, settings('optional'));
    rig.kms.faults.next('GenerateRandom', fault);
    t.equal((await run(rig)).kmsEntropyBytes, 0);
    t.equal(asked(rig), 1);
    t.same(rig.added, []);
    t.match(skips(rig), [{ level: 'warn', fields: { code } }], fault.kind);
  }
});

t.test('does not ask when it is switched off', async (t) => {
  const rig = await kmsNeeds(t, settings('off'));
  t.equal((await run(rig)).kmsEntropyBytes, 0);
  t.equal(asked(rig), 0);
  t.match(skips(rig), [{ level: 'info' }]);
});

function skips({ context }: KmsRig) {
  return context.logger.records.filter(({ event }) => event === 'entropy.kms-skipped');
}

async function writeMasterKey(rig: KmsRig): Promise<void> {
  const { admin, keyArn, folder } = rig;
  const encryptionContext = ENCRYPTION_CONTEXT;
  const command = new EncryptCommand({
    KeyId: keyArn,
    Plaintext: Buffer.alloc(32, 7),
    EncryptionContext: encryptionContext,
  });
  const ciphertext = Buffer.from((await admin.send(command)).CiphertextBlob ?? []);
  writeFileSync(join(folder, 'master-key.json'), encodeMasterKeyFile({ keyArn, encryptionContext, ciphertext }));
}

async function masterKeyOf(t: TapTest, region: string): Promise<Buffer> {
  const rig = await kmsNeeds(t, {}, region);
  await writeMasterKey(rig);
  const needs = { ...rig.needs, brought: undefined };
  const { masterKey } = await boot(both, needs, rig.context, new AbortController().signal);
  return masterKey.use((bytes) => Buffer.from(bytes));
}

t.test('makes the key to which the master key is encrypted when the randomness has been mixed in', async (t) => {
  const rig = await kmsNeeds(t);
  await writeMasterKey(rig);
  const attested = t.capture(rig.nsm.provider, 'attest', rig.nsm.provider.attest);
  await boot(both, { ...rig.needs, brought: undefined }, rig.context, new AbortController().signal);
  const [first, second] = attested().map(({ args: [{ publicKey }] }) => publicKey);
  t.same(first, (await rig.needs.firstRecipientKey).publicKeyDer, 'the randomness came to the key that was there');
  t.ok(second && first && !second.equals(first), 'and the master key to another');
});

t.test('asks KMS of the key’s own region and partition, whose certificate it demands', async (t) => {
  for (const region of ['eu-central-1', 'cn-north-1', 'us-gov-west-1', 'eusc-de-east-1']) {
    t.same(await masterKeyOf(t, region), Buffer.alloc(32, 7), region);
  }
});
