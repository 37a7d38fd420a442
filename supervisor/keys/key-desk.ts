/**
 * What the parent may ask about keys, one after the other: that a set be taken, or one be made, or that an operator's share count. A set that is taken at run time is in use
 * everywhere, or nowhere; whoever asked may leave meanwhile.
 *
 *   closed ──open──▶ awaits a set ──bring──▶ has keys ──followedBy──▶ exchanges them by each bring
 *                     └──ceremony: makes the first     └──changes: make the next
 */
import { createHash } from 'node:crypto';
import { KeyError } from '../../keys/errors.ts';
import { keySetDigest } from '../../keys/set/key-set.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { MetricSample } from '../../wire/metrics.ts';
import { refusalOf } from '../../wire/requests/messages.ts';
import type { ParentAnswer, ParentRequest } from '../../wire/requests/parent-messages.ts';
import type { RotatableTlsKey } from '../tls/rotatable-key.ts';
import type { KeyAudit, Operation } from './audit.ts';
import { type JudgedRequest, judgeKeyRequest, type RequestDemands } from './judge-request.ts';
import type { Brought, PlaceOfSet } from './judge-set.ts';
import type { LoadedBy } from './load-share.ts';
import type { Approved, MadeSet, SetAction } from './make-set.ts';
import { refused } from './plans/plan.ts';
import type { TakenKeys } from './take-set.ts';

/** What the desk has done where KMS and the folders of the boot are known. */
export interface KeyWork {
  /** @param follows the set in use; undefined for the first set of the boot */
  take(brought: Brought, follows: PlaceOfSet | undefined, signal: AbortSignal): Promise<TakenKeys>;
  make(approved: Approved, action: SetAction, having: TakenKeys | undefined, signal: AbortSignal): Promise<MadeSet>;
  /** @param file JSON of one operator's share of the set that was brought last */
  load(file: Buffer): Promise<LoadedBy>;
}

export interface KeyDeskDeps {
  readonly demands: RequestDemands;
  /** `keys.ceremony` of enclave.yaml. */
  readonly ceremony: 'refused' | 'allowed';
  readonly audit: KeyAudit;
  /** Of this boot; undefined where it was sealed. */
  readonly tlsKey: Pick<RotatableTlsKey, 'rotate'> | undefined;
}

/** Everybody who uses the keys goes over to others. @throws when they could not be put to use: the old ones then go on */
export type Exchange = (next: TakenKeys, signal: AbortSignal) => Promise<void>;

export type KeyQuestion = Extract<ParentRequest, { type: 'keys-status' | 'bring-keys' | 'change-keys' | 'load-share' }>;

/** What is told of a question before it has been read. */
const OPERATIONS = { 'bring-keys': 'take', 'load-share': 'load', 'change-keys': 'unread' } as const;

/** Of questions that wait for their turn; the parent has one way to ask. */
const MAX_WAITING = 4;

export class KeyDesk {
  readonly #deps: KeyDeskDeps;
  readonly #first = Promise.withResolvers<TakenKeys>();
  readonly #stopping = new AbortController();
  #work: KeyWork | undefined;
  #taken: TakenKeys | undefined;
  #exchange: Exchange | undefined;
  /** The last set that was made, so that a request whose answer was lost makes no second one. */
  #lastMade: { readonly requestSha256: string; readonly made: MadeSet } | undefined;
  readonly #usedNonces = new Set<string>();
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: KeyDeskDeps) {
    this.#deps = deps;
  }

  get samples(): readonly MetricSample[] {
    return this.#deps.audit.samples;
  }

  leaseLost(error: unknown): void {
    this.#deps.audit.leaseLost(error);
  }

  /** From now on sets are taken and made. */
  open(work: KeyWork): void {
    this.#work = work;
  }

  /** Resolves with the first set, which stays the desk's to dispose of. @throws the signal's reason */
  firstSet(signal: AbortSignal): Promise<TakenKeys> {
    return untilAborted(this.#first.promise, signal);
  }

  /** From now on other sets are taken, too. */
  followedBy(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  /** The keys in use are the desk's to dispose of. */
  async stop(): Promise<void> {
    this.#stopping.abort(notNow('it stops'));
    await this.#last;
    await this.#taken?.dispose();
  }

  /** Never rejects. @param signal aborts when nobody waits for the answer any more */
  async answer(asked: KeyQuestion, signal: AbortSignal): Promise<ParentAnswer> {
    if (asked.type === 'keys-status') return this.#status();
    let operation: Operation = OPERATIONS[asked.type];
    try {
      return await this.#inTurn(signal, (either) => {
        if (asked.type === 'bring-keys') return this.#bring(bytesOf(asked), either);
        if (asked.type === 'load-share') return this.#load(Buffer.from(asked.share, 'base64'));
        const file = Buffer.from(asked.request, 'base64');
        const request = judgeKeyRequest(file, this.#taken?.sha256 ?? null, this.#deps.demands);
        operation = request.content.action.kind;
        return this.#change(request, file, either);
      });
    } catch (error) {
      const refusal = this.#deps.audit.refused(operation, error);
      return refusalOf(refusal, describeError(refusal));
    }
  }

  #status(): ParentAnswer {
    const { set, sha256 } = this.#taken ?? {};
    const taken = set === undefined || sha256 === undefined ? {} : { taken: { generation: set.generation, sha256 } };
    return { type: 'keys-status', ...taken, ceremony: this.holdsCeremony };
  }

  /** This boot waits for its first set. */
  get awaitsFirstSet(): boolean {
    return this.#work !== undefined && this.#taken === undefined;
  }

  /** Only while this boot waits for its first set: an enclave that has keys never makes others in their place. */
  get holdsCeremony(): boolean {
    return this.#deps.ceremony === 'allowed' && this.awaitsFirstSet;
  }

  async #inTurn<Result>(asker: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    if (this.#waiting >= MAX_WAITING) throw notNow('it works on others');
    this.#waiting += 1;
    const signal = AbortSignal.any([asker, this.#stopping.signal]);
    const turn = this.#last.then(() => {
      signal.throwIfAborted();
      return work(signal);
    });
    this.#last = turn.catch(() => undefined).finally(() => (this.#waiting -= 1));
    return await turn;
  }

  #requireWork(): KeyWork {
    if (this.#work !== undefined) return this.#work;
    throw notNow('it boots, and has not come to its keys yet');
  }

  async #bring(brought: Brought, signal: AbortSignal): Promise<ParentAnswer> {
    const work = this.#requireWork();
    const before = this.#taken;
    if (before?.sha256 === keySetDigest(brought.keySet)) return takenAnswer(before);
    if (before !== undefined && this.#exchange === undefined) throw notNow('it boots with the keys that it has');
    const next = await work.take(
      brought,
      before && { generation: before.set.generation, sha256: before.sha256 },
      signal,
    );
    if (before !== undefined) await this.#exchangeFor(next, before);
    this.#taken = next;
    this.#deps.audit.taken(next);
    this.#first.resolve(next);
    return takenAnswer(next);
  }

  async #load(file: Buffer): Promise<ParentAnswer> {
    const by = await this.#requireWork().load(file);
    this.#deps.audit.loaded(by);
    const { keySet, needed, loaded } = by.count;
    return { type: 'share-loaded', keySet, needed, loaded: [...loaded] };
  }

  /** Not ended by the one who asked: half of an exchange is none. */
  async #exchangeFor(next: TakenKeys, before: TakenKeys): Promise<void> {
    try {
      await this.#exchange?.(next, this.#stopping.signal);
    } catch (error) {
      // Where some use them already, the enclave ends, and the process with them.
      if (errorCode(error) !== 'KEYS_EXCHANGED_IN_PART') await next.dispose();
      throw error;
    }
    await before.dispose();
  }

  async #change(request: JudgedRequest, file: Buffer, signal: AbortSignal): Promise<ParentAnswer> {
    const work = this.#requireWork();
    const { action, nonce } = request.content;
    const requestSha256 = createHash('sha256').update(request.payload).digest('hex');
    // Its answer did not reach whoever keeps the sets: it is the same again.
    if (this.#lastMade?.requestSha256 === requestSha256) return madeAnswer(this.#lastMade.made);
    if (this.#usedNonces.has(nonce)) throw new KeyError('KEY_REQUEST_STALE', 'the request was carried out before');
    if (action.kind === 'rotate-tls') return this.#rotateTls(request, requestSha256);
    this.#requireState(action);
    const made = await work.make({ request, file }, action, this.#taken, signal);
    this.#usedNonces.add(nonce);
    this.#lastMade = { requestSha256, made };
    this.#deps.audit.made(request, requestSha256, made);
    return madeAnswer(made);
  }

  /** @throws KeyError KEYS_NOT_NOW before it serves */
  #rotateTls(request: JudgedRequest, requestSha256: string): ParentAnswer {
    const { tlsKey, audit } = this.#deps;
    if (tlsKey === undefined) throw refused('this enclave has not made its TLS key itself');
    if (this.#exchange === undefined) throw notNow('it boots with the TLS key that it has');
    this.#usedNonces.add(request.content.nonce);
    const { kind, keySha256 } = tlsKey.rotate();
    const sha256 = keySha256.toString('hex');
    audit.changed(request, requestSha256, { tlsKeySha256: sha256 });
    const isShown = kind === 'shown';
    const what = isShown ? 'is the one of new sessions now' : 'takes over when its certificate is installed';
    return { type: 'keys-changed', what: `the TLS key ${sha256} ${what}` };
  }

  /** @throws KeyError KEY_REQUEST_REFUSED, KEY_SET_MISSING */
  #requireState({ kind }: SetAction): void {
    if (kind !== 'ceremony' && this.#taken === undefined) {
      throw new KeyError('KEY_SET_MISSING', 'there is no key set yet that could be changed');
    }
    if (kind !== 'ceremony' || this.holdsCeremony) return;
    if (this.#taken !== undefined) throw refused('the enclave has keys already', { allowed: 'changes of them' });
    throw refused('the measured configuration allows no ceremony', {
      found: 'keys.ceremony: refused',
      allowed: 'keys.ceremony: allowed',
    });
  }
}

function notNow(why: string): KeyError {
  return new KeyError('KEYS_NOT_NOW', `the enclave does not take or make keys now: ${why}`);
}

function bytesOf({ keySet, transcript }: { readonly keySet: string; readonly transcript: string }): Brought {
  return { keySet: Buffer.from(keySet, 'base64'), transcript: Buffer.from(transcript, 'base64') };
}

function takenAnswer({ set, sha256 }: TakenKeys): ParentAnswer {
  return { type: 'keys-taken', generation: set.generation, sha256 };
}

function madeAnswer({ keySet, transcript }: MadeSet): ParentAnswer {
  return { type: 'keys-made', keySet: keySet.toString('base64'), transcript: transcript.toString('base64') };
}
