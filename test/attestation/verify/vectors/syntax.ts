/** Vectors that break the envelope, the encoding, the platform or the payload. */
import { encodeAttestationPayload } from '../../../../attestation/document/encode.ts';
import { type CborWritable, writeCbor } from '../../../../encoding/cbor/writer.ts';
import { hex } from '../../support/der.ts';
import { documentOf, documentWith, payloadOf, signBytes, type VectorSource } from './vector.ts';

const COSE = 'RFC 9052 section 4.2; nitro-formats 3.6: ';
const CBOR = 'RFC 8949 section 4.2.1; nitro-formats 3.6: ';
const PAYLOAD = 'nsm-api attestation_process.md section 3.2.2.1: ';

const right = documentOf();
const body = encodeAttestationPayload(payloadOf());
const protectedEs384 = hex('a1013822');
const signature = right.subarray(-96);
const empty = new Map<number, CborWritable>();
const envelope = (...members: readonly CborWritable[]) => writeCbor(members);

const COSE_BROKEN: readonly [name: string, rule: string, document: Buffer][] = [
  ['empty', 'a document is COSE_Sign1', Buffer.alloc(0)],
  ['trailing byte', 'nothing follows the envelope', Buffer.concat([right, hex('00')])],
  ['cut short', 'the envelope is whole', right.subarray(0, -1)],
  ['another tag', 'only tag 18 may stand before', Buffer.concat([hex('d1'), right])],
  ['tag 18 twice', 'tag 18 may stand there once', Buffer.concat([hex('d2d2'), right])],
  ['array of indefinite length', 'lengths are definite', Buffer.concat([hex('9f'), right.subarray(1), hex('ff')])],
  ['array length in two bytes', 'lengths are in their shortest form', Buffer.concat([hex('9804'), right.subarray(1)])],
  ['three members', 'four members', envelope(protectedEs384, empty, body)],
  ['five members', 'four members', envelope(protectedEs384, empty, body, signature, null)],
  ['algorithm ES256', 'the protected header names ES384', envelope(hex('a10126'), empty, body, signature)],
  ['algorithm ES512', 'the protected header names ES384', envelope(hex('a1013823'), empty, body, signature)],
  ['no algorithm', 'the protected header names ES384', envelope(hex('a0'), empty, body, signature)],
  ['a second protected header', 'nothing but the algorithm', envelope(hex('a201382204 41aa'), empty, body, signature)],
  [
    'an unprotected header',
    'the unprotected header is empty',
    envelope(protectedEs384, new Map([[4, hex('aa')]]), body, signature),
  ],
  ['detached payload', 'the payload is inside', envelope(protectedEs384, empty, null, signature)],
  [
    'signature of 64 bytes',
    'r ‖ s of P-384 has 96 bytes',
    envelope(protectedEs384, empty, body, signature.subarray(32)),
  ],
  [
    'payload of 16385 bytes',
    'a payload has at most 16384 bytes',
    envelope(protectedEs384, empty, Buffer.alloc(16_385), signature),
  ],
];

/** The payload's bytes are changed, then signed: only the encoding is wrong. */
const edited = (edit: (bytes: Buffer) => Buffer) => signBytes(edit(body));
const replaced = (old: Buffer, by: Buffer) => (bytes: Buffer) => {
  const at = bytes.indexOf(old);
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + old.length)]);
};
const DIGEST = writeCbor('digest');
const SHA384 = writeCbor('SHA384');

const CBOR_BROKEN: readonly [name: string, rule: string, edit: (bytes: Buffer) => Buffer][] = [
  ['trailing byte in the payload', 'nothing follows the map', (bytes) => Buffer.concat([bytes, hex('00')])],
  [
    'map of indefinite length',
    'lengths are definite',
    (bytes) => Buffer.concat([hex('bf'), bytes.subarray(1), hex('ff')]),
  ],
  [
    'map length in two bytes',
    'lengths are in their shortest form',
    (bytes) => Buffer.concat([hex('b809'), bytes.subarray(1)]),
  ],
  [
    'duplicate key',
    'keys are unique',
    (bytes) => Buffer.concat([hex('aa'), bytes.subarray(1), writeCbor('nonce'), hex('f6')]),
  ],
  [
    'text length in two bytes',
    'lengths are in their shortest form',
    replaced(DIGEST, Buffer.concat([hex('7806'), DIGEST.subarray(1)])),
  ],
  ['text that is not UTF-8', 'text is UTF-8', replaced(SHA384, hex('6653484133 38ff'))],
  ['a tag', 'there are no tags', replaced(SHA384, Buffer.concat([hex('c1'), SHA384]))],
  ['a float', 'there are no floats', replaced(SHA384, hex('fb3ff0000000000000'))],
  ['undefined', 'there is no undefined', replaced(SHA384, hex('f7'))],
  ['an array', 'the payload is a map', () => writeCbor([1])],
];

const registers = (index: number, bytes: number) => new Map([[index, Buffer.alloc(bytes, 1)]]);
const set = (name: string, value: CborWritable) => (members: Map<string, CborWritable>) =>
  void members.set(name, value);
const drop = (name: string) => (members: Map<string, CborWritable>) => void members.delete(name);

const PAYLOAD_BROKEN: readonly (readonly [
  name: string,
  rule: string,
  change: (members: Map<string, CborWritable>) => void,
])[] = [
  ...['module_id', 'digest', 'timestamp', 'pcrs', 'certificate', 'cabundle'].map(
    (name) => [`no ${name}`, `${name} is mandatory`, drop(name)] as const,
  ),
  ['an unknown member', 'no other members', set('extra', null)],
  ['empty module_id', 'module_id is not empty', set('module_id', '')],
  ['digest SHA256', 'digest is SHA384', set('digest', 'SHA256')],
  ['timestamp 0', 'timestamp is above 0', set('timestamp', 0)],
  ['no registers', 'pcrs has 1 to 32 entries', set('pcrs', new Map())],
  ['PCR32', 'indexes are 0 to 31', set('pcrs', registers(32, 48))],
  ['a register of 32 bytes', 'a register has 48 bytes with SHA384', set('pcrs', registers(0, 32))],
  ['a register of 64 bytes', 'a register has 48 bytes with SHA384', set('pcrs', registers(0, 64))],
  ['registers by text', 'indexes are integers', set('pcrs', new Map([['0', Buffer.alloc(48, 1)]]))],
  ['empty certificate', 'a certificate has 1 to 1024 bytes', set('certificate', Buffer.alloc(0))],
  ['certificate of 1025 bytes', 'a certificate has 1 to 1024 bytes', set('certificate', Buffer.alloc(1_025))],
  ['empty cabundle', 'cabundle has at least one entry', set('cabundle', [])],
  ['1025 bytes in cabundle', 'an entry of cabundle has 1 to 1024 bytes', set('cabundle', [Buffer.alloc(1_025)])],
  ['empty public key', 'public_key has 1 to 1024 bytes', set('public_key', Buffer.alloc(0))],
  ['user data of 1025 bytes', 'user_data has at most 1024 bytes', set('user_data', Buffer.alloc(1_025))],
  ['nonce of 1025 bytes', 'nonce has at most 1024 bytes', set('nonce', Buffer.alloc(1_025))],
  ['nonce that is text', 'nonce is bytes', set('nonce', 'nonce')],
];

const NITROTPM = 'EC2 user guide, "Validate a NitroTPM Attestation Document": ';
const toNitroTpm = (members: Map<string, CborWritable>) => {
  members.set('nitrotpm_pcrs', members.get('pcrs') ?? null);
  members.delete('pcrs');
};

export const SYNTAX: readonly VectorSource[] = [
  ...COSE_BROKEN.map(([name, rule, document]) => ({
    name: `envelope: ${name}`,
    clause: COSE + rule,
    document,
    fails: { cose: 'ATTESTATION_COSE_INVALID' },
  })),
  {
    name: 'envelope: longer than any',
    clause: `${COSE}a payload has at most 16384 bytes`,
    document: Buffer.alloc(16_500),
    fails: { cose: 'ATTESTATION_TOO_LARGE' },
  },
  ...CBOR_BROKEN.map(([name, rule, edit]) => ({
    name: `encoding: ${name}`,
    clause: CBOR + rule,
    document: edited(edit),
    fails: { cbor: 'ATTESTATION_PAYLOAD_INVALID' },
  })),
  {
    name: 'platform: NitroTPM',
    clause: `${NITROTPM}nitrotpm_pcrs in the place of pcrs`,
    document: documentWith(toNitroTpm),
    fails: { platform: 'ATTESTATION_NITROTPM' },
  },
  {
    name: 'platform: NitroTPM beside pcrs',
    clause: `${NITROTPM}no document is of both platforms`,
    document: documentWith(set('nitrotpm_pcrs', registers(4, 48))),
    fails: { platform: 'ATTESTATION_NITROTPM' },
  },
  ...PAYLOAD_BROKEN.map(([name, rule, change]) => ({
    name: `payload: ${name}`,
    clause: PAYLOAD + rule,
    document: documentWith(change),
    fails: { payload: 'ATTESTATION_PAYLOAD_INVALID' },
  })),
];
