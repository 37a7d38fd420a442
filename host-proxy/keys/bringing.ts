/**
 * Has the enclave work with the newest key set that is on disk: one attempt at a time. What the enclave refuses it refuses by what it has
 * verified; nothing here can make it take another set than that of its own decision.
 */
import { KEY_SHARES_AWAITED } from '../../wire/control/messages.ts';
import { ReportedError } from '../../wire/errors.ts';
import { HostProxyError } from '../errors.ts';
import type { LastTaken } from './audit-log.ts';
import { inOrderOfBringing } from './candidates.ts';
import type { EnclaveKeys, TakenKeySet } from './enclave-keys.ts';
import type { DamagedKeySet, KeyFolder, KeyFolderContents, StoredKeySet } from './key-folder.ts';
import type { KeyRecords } from './key-records.ts';
import { folderNameOf, generationOfFolder, isFolderName } from './stored-set.ts';

/** The enclave's measured configuration pins another set. */
const PINNED_OTHER = 'KEY_SET_ROLLED_BACK';
/** No word about the set: the enclave is asked again, or waits for operators, and begins anew when it is brought another. */
const LATER: ReadonlySet<string> = new Set([
  KEY_SHARES_AWAITED,
  'KEYS_NOT_NOW',
  'REQUEST_CANCELLED',
  'REQUEST_RATE_LIMITED',
  'REQUEST_QUEUE_FULL',
]);
/** What the enclave found in the set itself: it will find it again. KMS, or the way to it, may recover. */
const OF_THE_SET = /^KEY_(?!SHARES_)/;

export interface BringingDeps {
  readonly folder: KeyFolder;
  readonly enclave: EnclaveKeys;
  readonly records: KeyRecords;
}

type Candidates = readonly StoredKeySet[];

export class Bringing {
  readonly #deps: BringingDeps;

  constructor(deps: BringingDeps) {
    this.#deps = deps;
  }

  /** All sets, the one to be brought first. */
  candidates({ sets }: KeyFolderContents): Candidates {
    return inOrderOfBringing(sets, this.#deps.records.audit.lastTaken?.set) ?? [];
  }

  /**
   * @returns what the enclave works with; undefined when it has nothing, and there is nothing to bring
   * @throws ReportedError: it refuses; HostProxyError HOST_ATTESTATION_UNANSWERED, HOST_KEYS_FOLDER, HOST_KEYS_NOT_ON_DISK,
   * HOST_KEYS_DAMAGED
   */
  async attempt(contents: KeyFolderContents, bootId: string, signal: AbortSignal): Promise<TakenKeySet | undefined> {
    const { enclave, records } = this.#deps;
    const { taken } = await enclave.status(signal);
    if (taken !== undefined) await records.foundTaken(taken);
    const newer = this.candidates(contents).filter(({ generation }) => generation > (taken?.generation ?? 0));
    const [newest] = newer;
    if (taken !== undefined) requireOnDisk(taken, contents);
    requireNoneLost(contents, taken, records.audit.lastTaken);
    if (newest === undefined) return taken;
    records.older(newest);
    return await this.#bringFirst(newer, { bootId, hasSome: taken !== undefined }, signal);
  }

  async #bringFirst(
    candidates: Candidates,
    boot: { readonly bootId: string; readonly hasSome: boolean },
    signal: AbortSignal,
  ): Promise<TakenKeySet | undefined> {
    const { folder, enclave, records } = this.#deps;
    let refusal: unknown;
    for (const set of candidates) {
      try {
        const taken = await enclave.bring(await folder.read(set), signal);
        await records.taken(taken);
        return taken;
      } catch (error) {
        if (!(error instanceof ReportedError) || LATER.has(error.code)) throw error;
        await records.refusedSet(set, boot.bootId, error);
        refusal ??= error;
        if (!this.#mayTryNext(set, candidates, error.code, boot.hasSome)) break;
      }
    }
    throw refusal;
  }

  /** A pin leaves one set, whichever it is; the twin of a set that never was of use is as new as that. Nothing older stands in for a newer one. */
  #mayTryNext(set: StoredKeySet, candidates: Candidates, code: string, hasSome: boolean): boolean {
    if (code === PINNED_OTHER) return !hasSome;
    const next = candidates[candidates.indexOf(set) + 1];
    const wasTaken = this.#deps.records.audit.lastTaken?.set === set.sha256;
    return next?.generation === set.generation && !wasTaken && OF_THE_SET.test(code);
  }
}

/** @throws HostProxyError HOST_KEYS_NOT_ON_DISK */
function requireOnDisk(taken: TakenKeySet, { sets }: KeyFolderContents): void {
  if (sets.some(({ sha256 }) => sha256 === taken.sha256)) return;
  throw new HostProxyError('HOST_KEYS_NOT_ON_DISK', 'the enclave works with a key set that is not on disk', {
    found: `generation ${taken.generation}, ${taken.sha256}`,
  });
}

/**
 * A newer set that cannot be read is not replaced by an older one, which lacks what was added since, either; nor by its twin of the same
 * generation, once it was in use.
 * @param lastTaken by any enclave, as the audit log knows
 * @throws HostProxyError HOST_KEYS_DAMAGED
 */
export function requireNoneLost(
  { sets, damaged }: KeyFolderContents,
  taken: TakenKeySet | undefined,
  lastTaken: LastTaken | undefined,
): void {
  const has = taken?.generation ?? 0;
  const whole = Math.max(has, ...sets.map(({ generation }) => generation));
  const used = lastTaken && folderNameOf({ generation: lastTaken.generation, sha256: lastTaken.set });
  const isLost = ({ name }: DamagedKeySet) => {
    if (!isFolderName(name)) return false;
    const generation = generationOfFolder(name);
    return generation > whole || (generation === whole && generation > has && name === used);
  };
  const lost = damaged.find(isLost);
  if (lost === undefined) return;
  throw new HostProxyError('HOST_KEYS_DAMAGED', 'the newest key set on disk is damaged, and no other one is brought', {
    found: `${lost.name}: ${lost.reason}`,
    allowed: whole === 0 ? 'the set, whole' : `the set, whole; or its folder elsewhere, and then generation ${whole}`,
  });
}
