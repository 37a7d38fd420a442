/** What strangers say where a request for attestation is expected, and what they get: a document, or a refusal's code. */
import type { ConnectionOptions } from 'node:tls';
import { encodeFrame } from '../../../wire/control/frame.ts';
import { attest, REQUEST } from './attestation.ts';
import { startupPacket } from './raw-client.ts';

export interface AttestationInsult {
  /** Behind the handshake. */
  readonly says: Buffer;
  readonly gets: 'document' | 'REQUEST_MALFORMED';
  readonly options?: ConnectionOptions;
}

function stated(bytes: number, payload: Buffer | string = ''): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes);
  return Buffer.concat([length, Buffer.from(payload)]);
}

function framed(json: string): Buffer {
  return stated(Buffer.byteLength(json), json);
}

function nonce(bytes: number, gets: AttestationInsult['gets']): AttestationInsult {
  return { says: encodeFrame(attest(bytes)), gets };
}

const malformed = (says: Buffer): AttestationInsult => ({ says, gets: 'REQUEST_MALFORMED' });

/** @param options of a client that has a certificate */
export function attestationInsults(options: ConnectionOptions): Readonly<Record<string, AttestationInsult>> {
  return {
    'a nonce of 16 bytes': nonce(16, 'document'),
    'a nonce of 64 bytes': nonce(64, 'document'),
    'a nonce of 15 bytes': nonce(15, 'REQUEST_MALFORMED'),
    'a nonce of 65 bytes': nonce(65, 'REQUEST_MALFORMED'),
    'a nonce of no bytes': nonce(0, 'REQUEST_MALFORMED'),
    'no nonce': malformed(framed('{"type":"attest"}')),
    'what is to be signed beside it': malformed(
      framed(JSON.stringify({ ...attest(), userData: 'AAAA', publicKey: 'AAAA' })),
    ),
    'another question': malformed(framed('{"type":"open","nonce":"AAAAAAAAAAAAAAAAAAAAAA=="}')),
    'a prototype': malformed(framed('{"__proto__":{"type":"attest"},"nonce":"AAAAAAAAAAAAAAAAAAAAAA=="}')),
    'a request of 4 GiB': malformed(stated(0xffff_ffff, '{')),
    'a request of 2 GiB': malformed(stated(0x8000_0000, '{')),
    'a request of no bytes': malformed(stated(0)),
    'a thousand brackets': malformed(framed('['.repeat(1_000))),
    'no UTF-8': malformed(stated(1_024, Buffer.alloc(1_024, 0xff))),
    HTTP: malformed(Buffer.from('GET /v1/attestation?nonce=00 HTTP/1.1\r\nHost: enclave\r\n\r\n')),
    'a start-up packet of PostgreSQL': malformed(Buffer.concat([startupPacket(), startupPacket()])),
    'a second request behind the first': { says: Buffer.concat([REQUEST, REQUEST]), gets: 'document' },
    'forty requests': { says: Buffer.concat(Array.from({ length: 40 }, () => REQUEST)), gets: 'document' },
    'a certificate that nobody asks for': { says: REQUEST, gets: 'document', options },
  };
}
