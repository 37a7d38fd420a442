/** What the security module of a machine shows once the enclave has committed, and what a stranger on the network is given. */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import t from 'tap';
import { request } from 'undici';
import { readStatedDocument } from '../../attestation/document/stated-document.ts';
import { decodeStatement, pcrOfCommitment } from '../../attestation/runtime/statement.ts';
import { decodeUserData } from '../../attestation/runtime/user-data.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { EnclaveStack } from './support/enclave-stack.ts';
import { explaining } from './support/explaining.ts';

interface HttpBody {
  readonly version: number;
  readonly document: string;
  readonly statement: string;
}

const REFUSED = { locked: true, extended: 'NSM_READ_ONLY_INDEX', lockedAgain: 'NSM_READ_ONLY_INDEX', isSame: true };
const ALL = Array.from({ length: 32 }, (_, index) => index);

t.test('an enclave machine that has committed', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  const host = { attestation: { listen: 'tcp://127.0.0.1:0' } };
  const { image } = await stack.serve({ init: 'test/enclave/images/extender.ts' }, { host });
  const { statement, PCR16 } = image.measurements.runtime;
  const status = await stack.until(({ attestation }) => attestation !== null);
  const origin = status.attestation?.address.replace('tcp:', 'http:');
  const test = explaining(t, stack);

  const ask = async (nonce: Buffer) => {
    const response = await request(`${origin}/v1/attestation?nonce=${nonce.toString('hex')}`);
    return { code: response.statusCode, body: (await response.body.json()) as HttpBody };
  };

  await test('shows PCR16 as measurements.json of the image says, and every register locked', async (t) => {
    t.equal(status.measurements?.['PCR16'], PCR16);
    for (const index of ALL) {
      const { fields } = await stack.untilRecord(({ event }) => event === `test.register-${index}`);
      t.match(fields, { ...REFUSED, ...(index === 16 ? { value: PCR16 } : {}) }, `PCR${index}`);
    }
  });

  await test('gives a stranger a document for his nonce, and the statement behind PCR16', async (t) => {
    const nonce = randomBytes(32);
    const { code, body } = await ask(nonce);
    t.equal(code, 200);
    const { payload } = readStatedDocument(Buffer.from(body.document, 'base64'));
    t.same(payload.nonce, nonce);
    t.same([...payload.pcrs.keys()], ALL);
    t.equal(payload.pcrs.get(toPcrIndex(16))?.toString('hex'), PCR16);
    t.same(decodeStatement(Buffer.from(body.statement, 'base64')), statement);
    const { commitment, tlsKeySha256 } = decodeUserData(payload.userData ?? Buffer.alloc(0));
    t.equal(pcrOfCommitment(commitment).toString('hex'), PCR16);
    const { publicKey } = new X509Certificate(stack.parts.certificates.server.certificatePem);
    t.same(
      tlsKeySha256,
      createHash('sha256')
        .update(publicKey.export({ type: 'spki', format: 'der' }))
        .digest(),
    );
    t.equal(payload.publicKey?.length, 32);
    t.comment(`document ${body.document}`);
    t.comment(`statement ${body.statement}`);
  });
});
