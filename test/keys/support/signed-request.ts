/** Requests about keys as operators sign them, without the command that makes them. */
import { randomBytes } from 'node:crypto';
import { type Envelope, encodeEnvelope, withSignatureOf } from '../../../attestation/published/envelope.ts';
import { readSigningKey, readVerifyingKey, type VerifyingKey } from '../../../attestation/published/keys.ts';
import { type KeyAction, type KeyRequest, toKeyRequestEnvelope } from '../../../keys/requests/key-request.ts';
import { statement } from '../../attestation/verify/support/evidence.ts';
import type { KeyEnclave, Operator } from './key-enclave.ts';

export const verifyingKeyOf = ({ name, publicPem }: Operator): VerifyingKey =>
  readVerifyingKey(name, Buffer.from(publicPem));

const signedBy = (envelope: Envelope, { name, privatePem }: Operator): Envelope =>
  withSignatureOf(envelope, readSigningKey(name, Buffer.from(privatePem)));

/** For this boot and this state of its keys. */
function requestFor(enclave: KeyEnclave, action: KeyAction): KeyRequest {
  return {
    version: 1,
    enclave: statement.name,
    commitment: enclave.commitment.toString('hex'),
    enclaveKey: enclave.publicKey.toString('base64'),
    nonce: randomBytes(32).toString('hex'),
    from: enclave.takenSha256 ?? null,
    action,
  };
}

/** The file that is handed in. */
export function signedRequest(enclave: KeyEnclave, action: KeyAction, operators: readonly Operator[]): Buffer {
  const unsigned = toKeyRequestEnvelope(requestFor(enclave, action));
  return Buffer.from(encodeEnvelope(operators.reduce(signedBy, unsigned)));
}
