/**
 * Socket addresses as bytes, native byte order where C has it (both supported platforms are little-endian).
 * Sources: ip(7), ipv6(7), unix(7), vsock(7) and linux/vm_sockets.h (struct sockaddr_vm: family, reserved, port, cid,
 * flags, three zero bytes). The flags stay 0: an enclave has one transport only, so CID 3 needs no VMADDR_FLAG_TO_HOST.
 */
import { isIP } from 'node:net';
import type { Cid, VsockPort } from '../../wire/brands.ts';
import { toCid } from '../../wire/brands.ts';
import { AF_INET, AF_INET6, AF_UNIX, AF_VSOCK } from './socket-constants.ts';

/** Longest address of the four families: sockaddr_un. */
export const MAX_SOCKADDR_BYTES = 110;

/** Parses one IPv6 literal, `::` and a dotted tail included; the caller has checked it with isIP. */
function ipv6Bytes(text: string): Buffer {
  const bytes = Buffer.alloc(16);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : text;
  const [head = '', tail] = plain.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  front.forEach((group, index) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  });
  back.forEach((group, index) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), (8 - back.length + index) * 2);
  });
  return bytes;
}

/** @param host an IPv4 or IPv6 literal without a zone; undefined is returned for anything else. */
export function encodeInet(host: string, port: number): Buffer | undefined {
  const family = isIP(host);
  if (family === 4) {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt16LE(AF_INET, 0);
    bytes.writeUInt16BE(port, 2);
    bytes.set(host.split('.').map(Number), 4);
    return bytes;
  }
  if (family !== 6 || host.includes('%')) return undefined;
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ipv6Bytes(host), 8);
  return bytes;
}

/** @param path at most 107 bytes (wire/endpoint.ts checks it). */
export function encodeUnix(path: string): Buffer {
  const bytes = Buffer.alloc(MAX_SOCKADDR_BYTES);
  bytes.writeUInt16LE(AF_UNIX, 0);
  bytes.write(path, 2, MAX_SOCKADDR_BYTES - 3);
  return bytes;
}

export function encodeVsock(cid: Cid, port: VsockPort): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_VSOCK, 0);
  bytes.writeUInt32LE(port, 4);
  bytes.writeUInt32LE(cid, 8);
  return bytes;
}

/** The address family of an encoded address. */
export function familyOf(address: Buffer): number {
  return address.readUInt16LE(0);
}

/** Peer CID from what accept() wrote, or undefined if it is not a vsock address. */
export function decodeVsockCid(address: Buffer): Cid | undefined {
  return familyOf(address) === AF_VSOCK ? toCid(address.readUInt32LE(8)) : undefined;
}

/** Port of a TCP address, as getsockname() gives it. */
export function decodeInetPort(address: Buffer): number {
  return address.readUInt16BE(2);
}

/** The 4 or 16 bytes of an IPv4 or IPv6 address; undefined for other families. */
export function decodeInetAddress(address: Buffer): Buffer | undefined {
  const family = familyOf(address);
  if (family === AF_INET) return address.subarray(4, 8);
  return family === AF_INET6 ? address.subarray(8, 24) : undefined;
}
