/**
 * Numbers that must not be mixed up: context identifiers, vsock ports and PCR indexes are all integers, and a wrong one
 * connects to the wrong machine or binds the wrong register. Ranges: vsock(7), nitro-formats 3.5 (PCR 0-31).
 */
import { WireError } from './errors.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** AF_VSOCK context identifier, 0..2^32-1. */
export type Cid = Branded<'Cid'>;
/** AF_VSOCK port, 0..2^32-1. */
export type VsockPort = Branded<'VsockPort'>;
/** Platform configuration register, 0..31. */
export type PcrIndex = Branded<'PcrIndex'>;

const MAX_U32 = 0xffff_ffff;

function isIntegerIn(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

function outOfRange(what: string, value: number, max: number): WireError {
  return new WireError('CONFIG_NUMBER_RANGE', `${what} is out of range`, {
    found: String(value),
    allowed: `an integer from 0 to ${max}`,
  });
}

/** @throws WireError CONFIG_NUMBER_RANGE */
export function toCid(value: number): Cid {
  if (!isIntegerIn(value, MAX_U32)) throw outOfRange('CID', value, MAX_U32);
  return value as Cid;
}

/** @throws WireError CONFIG_NUMBER_RANGE */
export function toVsockPort(value: number): VsockPort {
  if (!isIntegerIn(value, MAX_U32)) throw outOfRange('vsock port', value, MAX_U32);
  return value as VsockPort;
}

/** @throws WireError CONFIG_NUMBER_RANGE */
export function toPcrIndex(value: number): PcrIndex {
  if (!isIntegerIn(value, 31)) throw outOfRange('PCR index', value, 31);
  return value as PcrIndex;
}

/** VMADDR_CID_ANY of linux/vm_sockets.h: listen on every CID. */
export const CID_ANY: Cid = MAX_U32 as Cid;
/** The parent instance, as AWS's own init dials it (nitro-formats 3.4 step 5). */
export const CID_PARENT: Cid = 3 as Cid;
