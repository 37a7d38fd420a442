/** A vector of key sets as it stands in JSON, and the steps by which one is judged, in the order of the specification. */
import { readVerifyingKey } from '../../../attestation/published/keys.ts';
import { derOf, pemBlocks } from '../../../encoding/pem.ts';
import { KeyError } from '../../../keys/errors.ts';
import { readKeyRequest, requireApprovals } from '../../../keys/requests/key-request.ts';
import { openSealedSecret } from '../../../keys/requests/sealed-secret.ts';
import { decodeKeySet, keySetDigest } from '../../../keys/set/key-set.ts';
import { openMasterKey } from '../../../keys/set/master-key.ts';
import { parseTranscript, readTranscript } from '../../../keys/set/transcript.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { x25519Private } from '../support/hpke-reference.ts';

export interface VectorInputs {
  /** Base64. */
  readonly keySet: string;
  /** JSON, base64. */
  readonly transcript: string;
  /** What the keeper gives: hexadecimal. */
  readonly dataKey: string;
}

interface VectorExpectation {
  readonly sha256: string;
  readonly generation: number;
  readonly masterKey: string;
  readonly image: string;
  readonly commitment: string;
  readonly requestSha256: string;
  readonly madeAtMs: number;
  readonly approvedBy: readonly string[];
  /** By user, as the enclave opens them. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface KeySetVector extends VectorInputs {
  readonly name: string;
  readonly clause: string;
  /** All of it, or the code with which it is refused. */
  readonly expect: VectorExpectation | string;
}

export interface VectorFile {
  readonly version: 1;
  /** PEM of the root that vouches for the enclave's own documents. */
  readonly root: string;
  /** PCR0 of the images whose sets are taken. */
  readonly images: readonly string[];
  /** Private key of the boot, X25519, hexadecimal. */
  readonly bootKey: string;
  /** PEM of each operator's public key, by name. */
  readonly operators: Readonly<Record<string, string>>;
  readonly approvals: number;
  readonly vectors: readonly KeySetVector[];
}

/** What all vectors of a file have in common. */
export type VectorCommon = Omit<VectorFile, 'version' | 'vectors'>;

const hexOf = (secret: SecretBuffer) => secret.use((bytes) => bytes.toString('hex'));

/** @throws KeyError */
async function judge({ keySet, transcript, dataKey }: VectorInputs, common: VectorCommon): Promise<VectorExpectation> {
  const encoding = Buffer.from(keySet, 'base64');
  const set = decodeKeySet(encoding);
  const [root] = pemBlocks(Buffer.from(common.root));
  const rootDer = root === undefined ? Buffer.alloc(0) : derOf(root);
  const brought = parseTranscript(Buffer.from(transcript, 'base64'));
  const read = readTranscript(brought, encoding, { rootDer, images: common.images });
  const operators = Object.entries(common.operators).map(([name, pem]) => readVerifyingKey(name, Buffer.from(pem)));
  const request = readKeyRequest(Buffer.from(brought.request, 'base64'));
  const approvedBy = requireApprovals(request, operators, common.approvals);
  using key = SecretBuffer.take(Buffer.from(dataKey, 'hex'));
  using masterKey = openMasterKey(set, key);
  const { action } = request.content;
  const secrets: Record<string, string> = {};
  for (const secret of 'secrets' in action ? action.secrets : []) {
    using opened = await openSealedSecret(x25519Private(Buffer.from(common.bootKey, 'hex')), request.content, secret);
    secrets[secret.user] = opened.use((bytes) => bytes.toString('utf8'));
  }
  const { image, requestSha256, madeAtMs } = read;
  const commitment = read.commitment.toString('hex');
  const sha256 = keySetDigest(encoding);
  const { generation } = set;
  return {
    sha256,
    generation,
    masterKey: hexOf(masterKey),
    image,
    commitment,
    requestSha256,
    madeAtMs,
    approvedBy,
    secrets,
  };
}

/** @returns what it says, or the code with which it is refused */
export async function judged(inputs: VectorInputs, common: VectorCommon): Promise<KeySetVector['expect']> {
  try {
    return await judge(inputs, common);
  } catch (error) {
    if (error instanceof KeyError) return error.code;
    throw error;
  }
}
