/** Strangers that ask an enclave what it is: in order, and in every way in which they should not. */
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { encodeFrame } from '../../../wire/control/frame.ts';
import { askEnclave } from '../../../wire/requests/ask.ts';
import { ATTESTATION_ALPN } from '../../../wire/requests/bounds.ts';
import type { EnclaveAnswer, EnclaveRequest } from '../../../wire/requests/messages.ts';
import { ATTACKER, type Attacked } from './attacked.ts';
import { dial } from './raw-client.ts';

const PATIENCE_MS = 20_000;

export function attest(nonceBytes = 32): EnclaveRequest {
  return { type: 'attest', nonce: Buffer.alloc(nonceBytes, 0x5a).toString('base64') };
}

export const REQUEST: Buffer = encodeFrame(attest());

/** TLS of attestation, whose handshake may not come about. */
export function secureForAttestation(
  target: Attacked,
  localAddress: string = ATTACKER,
  options: ConnectionOptions = {},
): TLSSocket {
  return connectTls({
    ca: target.stack.parts.certificates.applicationCaPem,
    servername: ENCLAVE_NAME,
    ALPNProtocols: [ATTESTATION_ALPN],
    ...options,
    socket: dial(target, localAddress),
  }).on('error', () => undefined);
}

/** Rejects when the handshake fails. */
export async function untilSecure(secured: TLSSocket): Promise<TLSSocket> {
  const closed = once(secured, 'close').then(() => Promise.reject(new Error('closed in its handshake')));
  await Promise.race([once(secured, 'secureConnect'), closed]);
  closed.catch(() => undefined);
  return secured;
}

/** @throws as askEnclave, and when the handshake fails */
export async function askInOrder(
  target: Attacked,
  request: EnclaveRequest,
  localAddress?: string,
): Promise<EnclaveAnswer> {
  const secured = await untilSecure(secureForAttestation(target, localAddress));
  return askEnclave(secured, request, AbortSignal.timeout(PATIENCE_MS));
}
