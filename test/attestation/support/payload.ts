/** Attestation payloads for tests, valid until changed. */
import type { AttestationPayload } from '../../../attestation/document/payload.ts';
import { toPcrIndex } from '../../../wire/brands.ts';

export function pcr(index: number, value: Buffer | number = index + 1): [ReturnType<typeof toPcrIndex>, Buffer] {
  return [toPcrIndex(index), Buffer.isBuffer(value) ? value : Buffer.alloc(48, value)];
}

export function payload(changes: Partial<AttestationPayload> = {}): AttestationPayload {
  return {
    moduleId: 'i-0123456789abcdef0-enc0123456789abcde',
    digest: 'SHA384',
    timestampMs: 1_780_000_000_000,
    pcrs: new Map([pcr(0), pcr(1), pcr(2), pcr(3, 0), pcr(16, 9)]),
    certificate: Buffer.from('leaf'),
    cabundle: [Buffer.from('root')],
    publicKey: undefined,
    userData: undefined,
    nonce: undefined,
    ...changes,
  };
}
