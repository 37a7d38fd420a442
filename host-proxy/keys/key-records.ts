/**
 * What becomes known of key operations, on both ways: the audit log, for whoever examines it later, and the daemon's records, for whoever
 * watches. The keys themselves never wait for it: an enclave that boots gets its set although a log's disk is full, and that is an alarm.
 */
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { AuditLog } from './audit-log.ts';
import type { Arrival, Happening } from './audit-record.ts';
import type { LoadedShares, TakenKeySet } from './enclave-keys.ts';
import type { KeyFolderContents, StoredKeySet } from './key-folder.ts';
import type { KeySetFacts } from './stored-set.ts';

function arrivalOf(what: Arrival['what'], facts: KeySetFacts): Arrival {
  const { sha256: set, generation, previous: from, action, request, approvedBy, document } = facts;
  return { what, set, generation, from, action, request, approvedBy: [...approvedBy], document };
}

type TakenRecord = Extract<Happening, { what: 'taken' }>;

export class KeyRecords {
  readonly audit: AuditLog;
  readonly #logger: Logger;
  /** What was told already, by what it is about: each is told again when it changes. */
  readonly #told = new Map<string, string>();
  /** What could not be appended yet: it goes before what comes after it, since a log with a gap proves nothing. */
  readonly #owed: Happening[] = [];
  #refusals = 0;

  constructor(audit: AuditLog, logger: Logger) {
    this.audit = audit;
    this.#logger = logger;
  }

  /** Refusals since the daemon began, each once for a boot, a set and a code. */
  get refusals(): number {
    return this.#refusals;
  }

  /** The log that the daemon finds. @throws HostProxyError HOST_KEYS_AUDIT */
  async begin(): Promise<void> {
    await this.audit.load();
    const { broken } = this.audit;
    if (broken) this.#logger.log('error', 'keys.audit-broken', { line: broken.line, reason: broken.reason });
  }

  /** @throws HostProxyError HOST_KEYS_AUDIT: it is not to be begun then */
  async approved(request: Pick<Happening & { what: 'approved' }, 'action' | 'request' | 'approvedBy'>): Promise<void> {
    await this.#settle();
    await this.audit.append({ what: 'approved', ...request });
    this.#logger.log('info', 'keys.requested', { action: request.action, request: request.request });
  }

  async made(facts: KeySetFacts): Promise<void> {
    this.#logger.log('info', 'keys.made', { generation: facts.generation, sha256: facts.sha256, action: facts.action });
    if (!this.#knows(facts.sha256)) await this.#append(arrivalOf('made', facts));
  }

  async changed(request: string, what: string): Promise<void> {
    this.#logger.log('info', 'keys.changed', { request, what });
    await this.#append({ what: 'changed', request });
  }

  async denied(request: string, error: unknown): Promise<void> {
    this.#logger.log('error', 'keys.denied', { request, code: errorCode(error), reason: describeError(error) });
    await this.#append({ what: 'denied', request, code: errorCode(error) ?? 'unknown' });
  }

  async taken({ generation, sha256 }: TakenKeySet): Promise<void> {
    this.#logger.log('info', 'keys.taken', { generation, sha256 });
    await this.#append({ what: 'taken', set: sha256, generation });
  }

  async loaded({ keySet, needed, loaded }: LoadedShares): Promise<void> {
    this.#logger.log('info', 'keys.share-loaded', { sha256: keySet, needed, loaded: loaded.join(', ') });
    await this.#append({ what: 'loaded', set: keySet, needed, loaded: [...loaded] });
  }

  /** An enclave that was there before the daemon has taken it meanwhile, or before. */
  async foundTaken(taken: TakenKeySet): Promise<void> {
    const owed = this.#owed.findLast(({ what }) => what === 'taken') as TakenRecord | undefined;
    if ((owed ?? this.audit.lastTaken)?.set !== taken.sha256) await this.taken(taken);
  }

  async refusedSet({ sha256, generation }: StoredKeySet, bootId: string, error: unknown): Promise<void> {
    const code = errorCode(error) ?? 'unknown';
    if (!this.#isNews(`refused ${sha256}`, `${bootId} ${code}`)) return;
    this.#refusals += 1;
    this.#logger.log('error', 'keys.refused', { generation, sha256, code, reason: describeError(error) });
    await this.#append({ what: 'refused', set: sha256, generation, code });
  }

  /** Sets that the log does not know are taken into it; what is wrong in the folder is told. */
  async found({ sets, damaged }: KeyFolderContents): Promise<void> {
    if (this.#owed.length > 0) await this.#trySettle();
    for (const set of sets.filter(({ sha256 }) => !this.#knows(sha256))) {
      const { generation, sha256 } = set;
      if (this.#isNews(`restored ${sha256}`, '')) this.#logger.log('warn', 'keys.restored', { generation, sha256 });
      await this.#append(arrivalOf('restored', set));
    }
    for (const { name, reason } of damaged)
      if (this.#isNews(`damaged ${name}`, reason)) this.#logger.log('warn', 'keys.damaged', { name, reason });
  }

  /** It is older than what was in use, or a twin of that. @param newest that is on disk */
  older(newest: Pick<StoredKeySet, 'generation' | 'sha256'>): void {
    const { lastTaken } = this.audit;
    if (lastTaken === undefined || newest.generation > lastTaken.generation || newest.sha256 === lastTaken.set) return;
    if (!this.#isNews('older', newest.sha256)) return;
    const fields = { generation: newest.generation, sha256: newest.sha256, takenBefore: lastTaken.generation };
    this.#logger.log('error', 'keys.older', fields);
  }

  /** @param topic what it is about; told once until it changes */
  trouble(topic: string, error: unknown): void {
    const code = errorCode(error);
    const reason = describeError(error);
    if (this.#isNews(topic, `${code} ${reason}`)) this.#logger.log('warn', 'keys.trouble', { topic, code, reason });
  }

  well(topic: string): void {
    this.#told.delete(topic);
  }

  async #append(happening: Happening): Promise<void> {
    this.#owed.push(happening);
    await this.#trySettle();
  }

  async #trySettle(): Promise<void> {
    try {
      await this.#settle();
      this.well('audit');
    } catch (error) {
      const what = this.#owed[0]?.what;
      const reason = describeError(error);
      if (!this.#isNews('audit', reason)) return;
      this.#logger.log('error', 'keys.audit-failed', { what, code: errorCode(error), reason });
    }
  }

  /** @throws HostProxyError HOST_KEYS_AUDIT: the rest is still owed */
  async #settle(): Promise<void> {
    for (let first = this.#owed[0]; first !== undefined; first = this.#owed[0]) {
      await this.audit.append(first);
      this.#owed.shift();
    }
  }

  /** Whether the log has it, or will have. */
  #knows(set: string): boolean {
    return this.audit.knows(set) || this.#owed.some((each) => 'document' in each && each.set === set);
  }

  #isNews(topic: string, text: string): boolean {
    if (this.#told.get(topic) === text) return false;
    this.#told.set(topic, text);
    return true;
  }
}
