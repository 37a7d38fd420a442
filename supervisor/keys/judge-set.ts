/**
 * What is asked of a key set before KMS is: that it is one, of this enclave, not older than the one in use, the one that is pinned, and that
 * its transcript proves by Nitro's own signature that an enclave made it whose image this one trusts. The parent brings it, and whoever
 * may call KMS can seal a key: only the transcript tells a set of ours from one of his. Specification: docs/specs/key-sets.md, 2.
 */
import { parseAttestationDocument } from '../../attestation/document/parse.ts';
import type { NsmProvider } from '../../attestation/nsm/provider.ts';
import { isDigest } from '../../config/keys.ts';
import { KeyError } from '../../keys/errors.ts';
import { decodeKeySet, type KeySet, keySetDigest } from '../../keys/set/key-set.ts';
import { parseTranscript, type ReadTranscript, readTranscript } from '../../keys/set/transcript.ts';
import type { Random } from '../../runtime/random.ts';

/** As the parent keeps it. */
export interface Brought {
  readonly keySet: Buffer;
  /** JSON. */
  readonly transcript: Buffer;
}

/** Where a set stands among others. */
export interface PlaceOfSet {
  readonly generation: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface SetDemands {
  /** `name` of enclave.yaml. */
  readonly name: string;
  /** `keys.pin`. */
  readonly pin: string;
  /** PCR0 of the images whose sets are taken, lower-case hex. */
  readonly images: readonly string[];
  /** DER. */
  readonly rootDer: Buffer;
  /** The set in use; undefined at boot, when any may come. */
  readonly follows: PlaceOfSet | undefined;
}

export interface JudgedSet {
  readonly set: KeySet;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly transcript: ReadTranscript;
}

function rolledBack(message: string, found: string, allowed: string): KeyError {
  return new KeyError('KEY_SET_ROLLED_BACK', message, { found, allowed });
}

/** @throws KeyError KEY_SET_OTHER_ENCLAVE, KEY_SET_ROLLED_BACK, KEY_SET_OTHER_LINE */
function requirePlace(set: KeySet, sha256: string, { name, pin, follows }: SetDemands): void {
  if (set.name !== name) {
    throw new KeyError('KEY_SET_OTHER_ENCLAVE', 'the key set is of another enclave', {
      found: set.name,
      allowed: name,
    });
  }
  if (isDigest(pin) && pin !== sha256) {
    throw rolledBack('the key set is another than the measured configuration pins', sha256, pin);
  }
  if (follows !== undefined) requireSuccessor(set, follows);
}

/**
 * Of one that skips generations nobody here can tell what is between.
 * @throws KeyError KEY_SET_ROLLED_BACK, KEY_SET_OTHER_LINE
 */
function requireSuccessor({ generation, previous }: KeySet, inUse: PlaceOfSet): void {
  if (generation <= inUse.generation) {
    const allowed = `above ${inUse.generation}, which is in use`;
    throw rolledBack('the key set is not newer than the one in use', `generation ${generation}`, allowed);
  }
  if (generation > inUse.generation + 1 || previous === inUse.sha256) return;
  throw new KeyError('KEY_SET_OTHER_LINE', 'the key set was made from another one than that in use', {
    found: previous ?? 'none',
    allowed: inUse.sha256,
  });
}

/** @throws KeyError KEY_SET_INVALID, KEY_SET_OTHER_ENCLAVE, KEY_SET_ROLLED_BACK, KEY_SET_OTHER_LINE, KEY_TRANSCRIPT_… */
export function judgeKeySet(brought: Brought, demands: SetDemands): JudgedSet {
  const set = decodeKeySet(brought.keySet);
  const sha256 = keySetDigest(brought.keySet);
  requirePlace(set, sha256, demands);
  const transcript = readTranscript(parseTranscript(brought.transcript), brought.keySet, demands);
  return { set, sha256, transcript };
}

/**
 * The root that vouches for this enclave's own documents: no other has to be configured, and simulated and real enclaves never take each
 * other's sets. @throws KeyError KEY_TRANSCRIPT_INVALID; AttestationError; NsmError
 */
export async function ownRoot(nsm: Pick<NsmProvider, 'attest'>, random: Random): Promise<Buffer> {
  const document = await nsm.attest({ nonce: random.bytes(32) });
  const [root] = parseAttestationDocument(document).payload.cabundle;
  if (root !== undefined) return root;
  throw new KeyError('KEY_TRANSCRIPT_INVALID', 'this enclave’s own documents name no root');
}
