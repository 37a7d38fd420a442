import t from 'tap';
import { AttestationError } from '../../../attestation/errors.ts';
import type { NsmTrust } from '../../../emulator/kms/nsm-trust.ts';
import { believe } from '../../../emulator/kms/nsm-trust.ts';
import { authenticateRecipient } from '../../../emulator/kms/recipient.ts';
import { ServiceError } from '../../../emulator/kms/service-error.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { awsRootDer, REAL_TIME_MS, realDocument } from '../../attestation/support/aws-documents.ts';
import { QEMU_TIME_MS, qemuDocument, ZEROS } from '../../attestation/support/qemu-document.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { recipientKey } from '../support/kms-fixture.ts';
import { nsmFixture } from '../support/nsm-fixture.ts';

const QEMU: NsmTrust = { kind: 'qemu-unsigned' };
const publicKey = recipientKey.publicKey.export({ type: 'spki', format: 'der' });

t.test('believes QEMU’s zeros when told to, and reads the measurements', async (t) => {
  const { pcrs, timestampMs } = believe(qemuDocument(), QEMU, QEMU_TIME_MS);
  t.same(pcrs.get(toPcrIndex(0)), Buffer.alloc(48, 1));
  t.equal(timestampMs, QEMU_TIME_MS);
});

t.test('tests a policy’s conditions on the measurements that QEMU states', async (t) => {
  const recipient = authenticateRecipient(qemuDocument({ publicKey }), { nsmTrust: QEMU, nowMs: QEMU_TIME_MS });
  t.equal(recipient.pcr0, '01'.repeat(48));
  t.equal(recipient.registers.get(toPcrIndex(0))?.toString('hex'), '01'.repeat(48));
  t.equal(recipient.registers.get(toPcrIndex(2))?.toString('hex'), '03'.repeat(48));
});

t.test(
  'rejects documents that AWS or the emulated module signed, when told to believe QEMU (ATTESTATION_SIGNATURE_INVALID)',
  async (t) => {
    const { attest } = await nsmFixture(t, { clock: new FakeClock(QEMU_TIME_MS) });
    for (const document of [realDocument, await attest({ publicKey })]) {
      throwsCode(() => believe(document, QEMU, QEMU_TIME_MS), AttestationError, 'ATTESTATION_SIGNATURE_INVALID');
    }
  },
);

const withByte = (at: number) => {
  const bytes = Buffer.from(ZEROS);
  bytes[at] = 1;
  return bytes;
};

for (const what of ['certificate', 'cabundle', 'signature'] as const) {
  t.test(`rejects another byte in the zeros of ${what} (ATTESTATION_SIGNATURE_INVALID)`, async () => {
    for (const at of ZEROS.keys()) {
      const document = qemuDocument({ [what]: what === 'cabundle' ? [withByte(at)] : withByte(at) });
      throwsCode(() => believe(document, QEMU, QEMU_TIME_MS), AttestationError, 'ATTESTATION_SIGNATURE_INVALID');
    }
  });
}

for (const [what, document] of [
  ['a certificate of 63 zeros', qemuDocument({ certificate: ZEROS.subarray(1) })],
  ['a certificate of 65 zeros', qemuDocument({ certificate: Buffer.alloc(65) })],
  ['a second entry in cabundle that is not zeros', qemuDocument({ cabundle: [ZEROS, Buffer.alloc(64, 1)] })],
  ['a second entry of zeros in cabundle', qemuDocument({ cabundle: [ZEROS, ZEROS] })],
  ['a longer signature that ends in zeros', qemuDocument({ signature: Buffer.concat([Buffer.alloc(32, 1), ZEROS]) })],
  ['an algorithm that signs', qemuDocument({ protectedHeader: Buffer.from('a1013822', 'hex') })],
  ['a signature of 63 zeros', qemuDocument({ signature: ZEROS.subarray(1) })],
] as const) {
  t.test(`rejects ${what} (ATTESTATION_SIGNATURE_INVALID)`, async () => {
    throwsCode(() => believe(document, QEMU, QEMU_TIME_MS), AttestationError, 'ATTESTATION_SIGNATURE_INVALID');
  });
}

t.test('rejects what is no document, when told to believe QEMU (ATTESTATION_PAYLOAD_INVALID)', async () => {
  throwsCode(() => believe(Buffer.alloc(64), QEMU, QEMU_TIME_MS), AttestationError, 'ATTESTATION_PAYLOAD_INVALID');
});

t.test('rejects QEMU’s documents when told to believe a root, whichever', async (t) => {
  const { root } = await nsmFixture(t, { clock: new FakeClock(QEMU_TIME_MS) });
  for (const rootDer of [awsRootDer, root.rootDer, ZEROS]) {
    t.throws(() => believe(qemuDocument(), { kind: 'signed', rootDer }, QEMU_TIME_MS), AttestationError);
  }
  const trust = { nsmTrust: { kind: 'signed', rootDer: root.rootDer }, nowMs: QEMU_TIME_MS } as const;
  t.throws(() => authenticateRecipient(qemuDocument({ publicKey }), trust), ServiceError);
});

t.test('keeps believing the signed documents of its root', async (t) => {
  t.equal(believe(realDocument, { kind: 'signed', rootDer: awsRootDer }, REAL_TIME_MS).timestampMs, REAL_TIME_MS);
});

t.test('rejects QEMU’s documents by their age like any other (ValidationException)', async (t) => {
  const at = (nowMs: number) => () => authenticateRecipient(qemuDocument({ publicKey }), { nsmTrust: QEMU, nowMs });
  t.ok(at(QEMU_TIME_MS + 299_000)());
  t.throws(at(QEMU_TIME_MS + 301_000), ServiceError);
  t.throws(at(QEMU_TIME_MS - 61_000), ServiceError);
});
