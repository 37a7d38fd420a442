/**
 * Attestation documents as QEMU's nitro-enclave machine makes them: AWS's form, but nothing is signed. The algorithm is -1,
 * and certificate, the one entry of cabundle and signature are 64 zero bytes each.
 * Specification: nitro-formats 3.6; QEMU's hw/virtio/virtio-nsm.c.
 */
import type { CborWritable } from '../../../encoding/cbor/writer.ts';
import { writeCbor } from '../../../encoding/cbor/writer.ts';
import { hex } from './der.ts';

export const QEMU_MODULE_ID = 'i-234-enc5678';
/** QEMU states whole seconds. */
export const QEMU_TIME_MS = Date.UTC(2026, 10, 20, 12, 0, 0);
export const ZEROS: Buffer = Buffer.alloc(64);

const ALGORITHM_MINUS_1 = hex('a10120');
const LOCKED_PCRS = 16;

export interface QemuDocument {
  readonly protectedHeader?: Buffer;
  readonly timestampMs?: number;
  readonly certificate?: Buffer;
  readonly cabundle?: readonly Buffer[];
  readonly signature?: Buffer;
  readonly publicKey?: Buffer | null;
  readonly nonce?: Buffer | null;
}

/** PCR0 is 1 in every byte, PCR1 is 2, and so on. */
export function qemuDocument(changes: QemuDocument = {}): Buffer {
  const pcrs = new Map(Array.from({ length: LOCKED_PCRS }, (_, index) => [index, Buffer.alloc(48, index + 1)]));
  const payload: Record<string, CborWritable> = {
    module_id: QEMU_MODULE_ID,
    digest: 'SHA384',
    timestamp: changes.timestampMs ?? QEMU_TIME_MS,
    pcrs,
    certificate: changes.certificate ?? ZEROS,
    cabundle: changes.cabundle ?? [ZEROS],
    public_key: changes.publicKey ?? null,
    user_data: null,
    nonce: changes.nonce ?? null,
  };
  return writeCbor([
    changes.protectedHeader ?? ALGORITHM_MINUS_1,
    new Map<number, CborWritable>(),
    writeCbor(payload),
    changes.signature ?? ZEROS,
  ]);
}
