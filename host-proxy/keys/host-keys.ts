/**
 * The keys of this instance's enclave, as long as the daemon runs: looks at the folder and at the enclave, brings what is newest, and
 * passes on what operators ask for. One thing at a time: a change is never made while a set is being brought.
 */
import { BackgroundTask } from '../../runtime/background-task.ts';
import { type BackoffPolicy, backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { type Random, systemRandom } from '../../runtime/random.ts';
import type { Service } from '../../runtime/service.ts';
import { KEY_SET_PHASE, KEY_SHARES_AWAITED } from '../../wire/control/messages.ts';
import type { EnclaveView } from '../enclave/view.ts';
import { HostProxyError } from '../errors.ts';
import { AuditLog } from './audit-log.ts';
import { Bringing, requireNoneLost } from './bringing.ts';
import { doubledGenerations } from './candidates.ts';
import { type Changed, changeKeys } from './changing.ts';
import type { EnclaveKeys, EnclaveKeysStatus, LoadedShares, TakenKeySet } from './enclave-keys.ts';
import { KeyFolder, type KeyFolderContents } from './key-folder.ts';
import { KeyRecords } from './key-records.ts';
import type { KeysStatus } from './keys-status.ts';
import type { KeySetFiles } from './stored-set.ts';

/** Nothing tells that a folder has changed on every file system; so look. */
const LOOK_MS = 1_000;
const RETRY: BackoffPolicy = { minMs: 1_000, maxMs: 60_000 };

export interface HostKeysDeps {
  /** Absolute. */
  readonly folder: string;
  readonly enclave: EnclaveKeys;
  readonly view: Pick<EnclaveView, 'state' | 'status' | 'hello' | 'connected' | 'subscribe'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: Random;
  /** The status may have changed. */
  readonly onChange: () => void;
}

/** What a set was brought, or not, for: it is tried again when this changes. */
interface Attempt {
  readonly of: string;
  readonly failures: number;
  readonly nextMs: number;
}

const NOTHING: KeyFolderContents = { sets: [], damaged: [] };

export class HostKeys implements Service {
  readonly #deps: HostKeysDeps;
  readonly #folder: KeyFolder;
  readonly #records: KeyRecords;
  readonly #bringing: Bringing;
  readonly #task: BackgroundTask;
  #contents = NOTHING;
  #attempt: Attempt = { of: '', failures: 0, nextMs: 0 };
  #taken: (TakenKeySet & { readonly bootId: string }) | undefined;
  #problem: KeysStatus['problem'] = null;
  #last: Promise<unknown> = Promise.resolve();
  /** Ends the wait for the next look. */
  #poke: () => void = () => undefined;

  constructor(deps: HostKeysDeps) {
    const { folder, clock, logger, enclave } = deps;
    this.#deps = deps;
    this.#folder = new KeyFolder(folder);
    this.#records = new KeyRecords(new AuditLog(folder, clock), logger);
    this.#bringing = new Bringing({ folder: this.#folder, enclave, records: this.#records });
    this.#task = new BackgroundTask(
      (signal) => this.#follow(signal),
      (error) => logger.log('fatal', 'keys.broken', { reason: describeError(error) }),
    );
  }

  get status(): KeysStatus {
    const { audit } = this.#records;
    const named = (set: TakenKeySet | undefined) =>
      set === undefined ? null : { generation: set.generation, sha256: set.sha256 };
    return {
      folder: this.#folder.path,
      sets: this.#contents.sets.length,
      newest: named(this.#bringing.candidates(this.#contents)[0]),
      taken: named(this.#taken?.bootId === this.#bootId ? this.#taken : undefined),
      problem: this.#problem,
      damaged: this.#contents.damaged.length,
      doubled: [...doubledGenerations(this.#contents.sets)],
      refusals: this.#records.refusals,
      audit: {
        head: audit.head,
        broken: audit.broken !== undefined,
        lastTaken: audit.lastTaken === undefined ? null : { ...audit.lastTaken },
      },
    };
  }

  /** @throws HostProxyError HOST_KEYS_FOLDER, HOST_KEYS_AUDIT */
  async start(signal: AbortSignal): Promise<void> {
    this.#folder.prepare();
    await this.#records.begin();
    await this.#readFolder();
    await this.#task.start(signal);
  }

  async stop(): Promise<void> {
    await this.#task.stop();
    await this.#last;
  }

  /** All sets on disk, and what is none. @throws HostProxyError HOST_KEYS_FOLDER */
  list(): Promise<KeyFolderContents> {
    return this.#folder.list();
  }

  /** As the enclave says now. @throws ReportedError; HostProxyError HOST_ATTESTATION_UNANSWERED */
  ask(signal: AbortSignal): Promise<EnclaveKeysStatus> {
    return this.#deps.enclave.status(signal);
  }

  /**
   * Goes on when whoever asked has left: a set that the enclave has made must come to the disk. Then brings it.
   * @throws what changeKeys throws; a set that is not taken afterwards shows in the status
   */
  async change(request: Buffer): Promise<Changed> {
    const { enclave } = this.#deps;
    return await this.#inTurn(async () => {
      await this.#readFolder();
      const newest = this.#bringing.candidates(this.#contents)[0];
      const deps = { folder: this.#folder, enclave, records: this.#records };
      const changed = await changeKeys(deps, request, newest, this.#task.signal);
      await this.#readFolder();
      if (changed.kind === 'made') await this.#bring();
      return changed;
    });
  }

  /** The set that is brought first. @throws HostProxyError HOST_KEYS_MISSING, HOST_KEYS_DAMAGED, HOST_KEYS_FOLDER */
  async first(): Promise<KeySetFiles> {
    const contents = await this.#folder.list();
    requireNoneLost(contents, undefined, this.#records.audit.lastTaken);
    const [first] = this.#bringing.candidates(contents);
    if (first === undefined) throw new HostProxyError('HOST_KEYS_MISSING', 'there is no key set');
    return await this.#folder.read(first);
  }

  /**
   * A share of an operator goes to the enclave, and when that has enough of them, the set again.
   * @param share its JSON
   * @throws ReportedError: it does not count; HostProxyError HOST_ATTESTATION_UNANSWERED
   */
  async load(share: Buffer): Promise<LoadedShares> {
    return await this.#inTurn(async () => {
      const loaded = await this.#deps.enclave.load(share, this.#task.signal);
      await this.#records.loaded(loaded);
      if (loaded.loaded.length >= loaded.needed) await this.#bring();
      return loaded;
    });
  }

  async #follow(signal: AbortSignal): Promise<void> {
    using tidy = new DisposableStack();
    tidy.defer(this.#deps.view.subscribe(() => this.#poke()));
    for (;;) {
      await this.#inTurn(() => this.#look());
      await this.#untilNextLook(signal);
    }
  }

  /** Until the enclave says something, or a while has passed. @throws the signal's reason */
  async #untilNextLook(signal: AbortSignal): Promise<void> {
    const poked = new AbortController();
    this.#poke = () => poked.abort();
    await this.#deps.clock.sleep(LOOK_MS, AbortSignal.any([signal, poked.signal])).catch(() => undefined);
    signal.throwIfAborted();
  }

  async #look(): Promise<void> {
    try {
      await this.#readFolder();
      this.#records.well('folder');
    } catch (error) {
      this.#records.trouble('folder', error);
      this.#setProblem(error);
      return;
    }
    if (!this.#mayBring) return;
    const { of, nextMs } = this.#attempt;
    if (of === this.#occasion && this.#deps.clock.monotonicMs() < nextMs) return;
    await this.#bring();
  }

  /** @throws HostProxyError HOST_KEYS_FOLDER */
  async #readFolder(): Promise<void> {
    this.#contents = await this.#folder.list();
    await this.#records.found(this.#contents);
  }

  get #bootId(): string {
    return this.#deps.view.hello?.bootId ?? '';
  }

  /** In between an enclave boots, and has taken its set. */
  get #mayBring(): boolean {
    const { state, status, connected } = this.#deps.view;
    if (!connected) return false;
    return state === 'serving' || state === 'degraded' || (state === 'booting' && status?.phase === KEY_SET_PHASE);
  }

  /** What is to be settled once: this boot, and these sets. */
  get #occasion(): string {
    return [this.#bootId, ...this.#contents.sets.map(({ sha256 }) => sha256)].join(' ');
  }

  async #bring(): Promise<void> {
    const { of, failures } = this.#attempt.of === this.#occasion ? this.#attempt : { of: this.#occasion, failures: 0 };
    const bootId = this.#bootId;
    try {
      const taken = await this.#bringing.attempt(this.#contents, bootId, this.#task.signal);
      if (taken === undefined) throw new HostProxyError('HOST_KEYS_MISSING', 'the enclave waits for a key set');
      this.#taken = { ...taken, bootId };
      this.#attempt = { of, failures: 0, nextMs: Number.POSITIVE_INFINITY };
      this.#records.well('bringing');
      this.#setProblem(undefined);
    } catch (error) {
      if (this.#task.signal.aborted) return;
      const { clock, random = systemRandom } = this.#deps;
      // It waits for operators: whoever loads the last share brings the set again.
      const awaitsShares = errorCode(error) === KEY_SHARES_AWAITED;
      const nextMs = awaitsShares ? Number.POSITIVE_INFINITY : clock.monotonicMs() + backoffMs(RETRY, failures, random);
      this.#attempt = { of, failures: failures + 1, nextMs };
      this.#records.trouble('bringing', error);
      this.#setProblem(error);
    }
  }

  #setProblem(error: unknown): void {
    this.#problem = error === undefined ? null : { code: errorCode(error) ?? null, message: describeError(error) };
    this.#deps.onChange();
  }

  /** Rejects at once when the daemon stops. */
  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(() => {
      this.#task.signal.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => undefined);
    return await turn;
  }
}
