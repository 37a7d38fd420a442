/**
 * `struct nsm_raw` of the NSM driver: two `struct iovec`, 32 bytes, little-endian on both architectures that Nitro has.
 *
 *   0  u64 request address    8  u64 request length
 *  16  u64 response address  24  u64 response length (the driver writes the true one)
 *
 * Message, request and room for the response lie in one block, so that one reference keeps all three alive while the
 * driver works on bare addresses.
 * Specification: nitro-formats 3.5; linux drivers/misc/nsm.c.
 */
import { addressOf } from '../../system/libc/device-call.ts';
import { NsmError } from '../errors.ts';
import { MAX_NSM_RESPONSE_BYTES } from './limits.ts';

const MESSAGE_BYTES = 32;
const RESPONSE_LENGTH_OFFSET = 24;

/** @returns the block; its first byte is what the ioctl takes. */
export function packNsmMessage(request: Buffer): Buffer {
  const block = Buffer.alloc(MESSAGE_BYTES + request.length + MAX_NSM_RESPONSE_BYTES);
  const address = addressOf(block);
  const responseOffset = MESSAGE_BYTES + request.length;
  block.writeBigUInt64LE(address + BigInt(MESSAGE_BYTES), 0);
  block.writeBigUInt64LE(BigInt(request.length), 8);
  block.writeBigUInt64LE(address + BigInt(responseOffset), 16);
  block.writeBigUInt64LE(BigInt(MAX_NSM_RESPONSE_BYTES), RESPONSE_LENGTH_OFFSET);
  request.copy(block, MESSAGE_BYTES);
  return block;
}

/**
 * Copies the response out of a block that the driver has filled, and zeroes the block.
 * @throws NsmError NSM_RESPONSE_INVALID
 */
export function takeNsmResponse(block: Buffer): Buffer {
  const length = block.readBigUInt64LE(RESPONSE_LENGTH_OFFSET);
  const room = block.subarray(block.length - MAX_NSM_RESPONSE_BYTES);
  if (length > BigInt(room.length)) {
    throw new NsmError('NSM_RESPONSE_INVALID', 'the driver reports an impossible length', { found: `${length} bytes` });
  }
  const response = Buffer.from(room.subarray(0, Number(length)));
  block.fill(0);
  return response;
}
