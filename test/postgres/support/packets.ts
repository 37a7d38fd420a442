/** What servers and clients send that the product only reads. */
import { CANCEL_REQUEST_CODE, type CancelKey } from '../../../postgres/cancel-request.ts';
import { int32 } from '../../../postgres/integers.ts';

function framed(type: string, ...parts: readonly Buffer[]): Buffer {
  const message = Buffer.concat([Buffer.from(type), Buffer.alloc(4), ...parts]);
  message.writeUInt32BE(message.length - type.length, type.length);
  return message;
}

export function encodeCancelRequest({ processId, key }: CancelKey): Buffer {
  return framed('', int32(CANCEL_REQUEST_CODE), int32(processId), key);
}

export function encodeBackendKeyData({ processId, key }: CancelKey): Buffer {
  return framed('K', int32(processId), key);
}

/** Of protocol 3. */
export function encodeNegotiateProtocolVersion(minor: number, unrecognised: readonly string[]): Buffer {
  const texts = Buffer.from(unrecognised.map((text) => `${text}\0`).join(''), 'latin1');
  return framed('v', int32(0x3_0000 + minor), int32(unrecognised.length), texts);
}
