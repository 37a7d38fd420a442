/**
 * Themis alone, on the same cells that acra-server writes: what any engine must spend on them at least. The C library itself where it is installed,
 * called through FFI (less than 1 µs a call), else wasm-themis, which has no Secure Message here and so no AcraStruct.
 * AcraStruct = 22 × 8 | public key[45] | Secure Message of the data key[84] | u64 length | Secure Cell of the data (acra-server contract 9.1)
 */
import { randomBytes } from 'node:crypto';
import koffi from 'koffi';
import { containerAt, encodeAcraBlock, encodeContainer, openAcraBlock } from '../../acra/container.ts';
import type { Themis } from '../../acra/keystore/themis.ts';
import { systemRandom } from '../../runtime/random.ts';

export type Envelope = 'acrablock' | 'acrastruct';

/** Of the client whose cells they are. */
export interface Keys {
  readonly symmetric: Buffer;
  readonly privateKey: Buffer;
  readonly publicKey: Buffer;
}

export interface ThemisAlone {
  readonly name: string;
  readonly envelopes: readonly Envelope[];
  encrypt(envelope: Envelope, plaintext: Buffer): Buffer;
  /** @param container as acra-server stores it */
  decrypt(envelope: Envelope, container: Buffer): Buffer;
}

type Cells = Omit<Themis, 'isKeyPair'>;

interface Messages {
  wrap(privateKey: Buffer, publicKey: Buffer, message: Buffer): Buffer;
  unwrap(privateKey: Buffer, publicKey: Buffer, message: Buffer): Buffer;
}

const LIBRARY = 'libthemis.so.0';
const SUCCESS = 0;
const KEY_BYTES = 45;
const WRAPPED_BYTES = 84;
const DATA_KEY_BYTES = 32;
const STRUCT_TAG = Buffer.alloc(8, 0x22);
/** More than any of its functions adds. */
const ADDED_BYTES = 256;
const MAX_BYTES = 64 * 1024;

/** One for all results, which are copied out of it. */
const scratch = Buffer.alloc(MAX_BYTES);

/** Called with where the result goes and how long that is, which it corrects. */
function resultOf(call: (out: Buffer, length: Uint32Array) => number): Buffer {
  // size_t, little-endian: the upper half stays 0.
  const length = Uint32Array.of(scratch.length, 0);
  if (call(scratch, length) !== SUCCESS) throw new Error('Themis refused a cell');
  return Buffer.from(scratch.subarray(0, length[0]));
}

function loadNative(): { readonly themis: Cells; readonly messages: Messages } | undefined {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(LIBRARY);
  } catch {
    return undefined;
  }
  const bytes = 'const void *, size_t';
  const cell = (name: string) =>
    library.func(`int themis_secure_cell_${name}_seal(${bytes}, ${bytes}, ${bytes}, void *, void *)`);
  const message = (name: string) =>
    library.func(`int themis_secure_message_${name}(${bytes}, ${bytes}, ${bytes}, void *, void *)`);
  const [seal, open, wrap, unwrap] = [cell('encrypt'), cell('decrypt'), message('encrypt'), message('decrypt')];
  const pair = library.func('int themis_gen_ec_key_pair(void *, void *, void *, void *)');
  const of = (call: typeof seal, first: Buffer, second: Buffer | null, third: Buffer) =>
    resultOf((out, length) => call(first, first.length, second, second?.length ?? 0, third, third.length, out, length));
  return {
    themis: {
      seal: (key, plaintext) => of(seal, key, null, plaintext),
      open: (key, sealed) => of(open, key, null, sealed),
      newKeyPair: () => {
        const [privateKey, publicKey] = [Buffer.alloc(ADDED_BYTES), Buffer.alloc(ADDED_BYTES)];
        const lengths = [Uint32Array.of(ADDED_BYTES, 0), Uint32Array.of(ADDED_BYTES, 0)];
        if (pair(privateKey, lengths[0], publicKey, lengths[1]) !== SUCCESS) throw new Error('Themis made no key pair');
        return { privateKey: privateKey.subarray(0, KEY_BYTES), publicKey: publicKey.subarray(0, KEY_BYTES) };
      },
    },
    messages: {
      wrap: (privateKey, publicKey, text) => of(wrap, privateKey, publicKey, text),
      unwrap: (privateKey, publicKey, text) => of(unwrap, privateKey, publicKey, text),
    },
  };
}

function encodeStruct(themis: Cells, { wrap }: Messages, { publicKey }: Keys, plaintext: Buffer): Buffer {
  const dataKey = randomBytes(DATA_KEY_BYTES);
  const own = themis.newKeyPair();
  const sealed = themis.seal(dataKey, plaintext, '');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(sealed.length));
  return Buffer.concat([STRUCT_TAG, own.publicKey, wrap(own.privateKey, publicKey, dataKey), length, sealed]);
}

function openStruct(themis: Cells, { unwrap }: Messages, { privateKey }: Keys, struct: Buffer): Buffer | undefined {
  const [keyEnd, wrappedEnd] = [STRUCT_TAG.length + KEY_BYTES, STRUCT_TAG.length + KEY_BYTES + WRAPPED_BYTES];
  const publicKey = struct.subarray(STRUCT_TAG.length, keyEnd);
  const dataKey = unwrap(privateKey, publicKey, struct.subarray(keyEnd, wrappedEnd));
  return themis.open(dataKey, struct.subarray(wrappedEnd + 8), '');
}

export async function openThemis(keys: Keys): Promise<ThemisAlone> {
  const native = loadNative();
  const themis = native?.themis ?? (await import('../../test/acra/support/reference-themis.ts')).referenceThemis;
  const messages = native?.messages;
  const needed = () => {
    if (!messages) throw new Error('wasm-themis has no AcraStructs here');
    return messages;
  };
  return {
    name: native ? `Themis (${LIBRARY})` : 'Themis (wasm-themis)',
    envelopes: native ? ['acrablock', 'acrastruct'] : ['acrablock'],
    encrypt: (envelope, plaintext) =>
      encodeContainer(
        envelope,
        envelope === 'acrablock'
          ? encodeAcraBlock(themis, keys.symmetric, plaintext, systemRandom)
          : encodeStruct(themis, needed(), keys, plaintext),
      ),
    decrypt: (envelope, container) => {
      const body = containerAt(container)?.body ?? Buffer.alloc(0);
      const opened =
        envelope === 'acrablock'
          ? openAcraBlock(themis, [keys.symmetric], body)
          : openStruct(themis, needed(), keys, body);
      if (opened === undefined) throw new Error('Themis did not open what acra-server has stored');
      return opened;
    },
  };
}
