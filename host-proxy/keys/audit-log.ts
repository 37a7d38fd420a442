/**
 * The audit log of key operations: appended to, flushed with each line, never rewritten. It is the parent's own word, which could write
 * another one: what holds it are the documents in it, and the head, which every key command prints for its operator to keep.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import { HostProxyError } from '../errors.ts';
import { type Break, readChain } from './audit-chain.ts';
import { encodeRecord, type Happening, lineHash } from './audit-record.ts';
import { syncFolder } from './durable.ts';

export const AUDIT_FILE = 'audit.jsonl';
const FILE_MODE = 0o600;

export interface LastTaken {
  readonly set: string;
  readonly generation: number;
}

interface State {
  /** Of the file, in bytes. */
  readonly length: number;
  readonly lines: number;
  readonly head: string | null;
  readonly broken: Break | undefined;
  /** By hash, each with its generation. */
  readonly sets: ReadonlyMap<string, number>;
  readonly lastTaken: LastTaken | undefined;
}

const EMPTY: State = { length: 0, lines: 0, head: null, broken: undefined, sets: new Map(), lastTaken: undefined };

type Known = Pick<State, 'sets' | 'lastTaken'>;

/** What a record adds to what is known. */
function learn({ sets, lastTaken }: Known, record: Happening): Known {
  if (record.what === 'made' || record.what === 'restored')
    return { lastTaken, sets: new Map([...sets, [record.set, record.generation]]) };
  if (record.what !== 'taken') return { sets, lastTaken };
  return { sets, lastTaken: { set: record.set, generation: record.generation } };
}

export class AuditLog {
  readonly path: string;
  readonly #folder: string;
  readonly #clock: Clock;
  #state = EMPTY;
  #last: Promise<unknown> = Promise.resolve();

  /** @param folder that is there already */
  constructor(folder: string, clock: Clock) {
    this.path = join(folder, AUDIT_FILE);
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Hash of the last line; null while there is none. */
  get head(): string | null {
    return this.#state.head;
  }

  get broken(): Break | undefined {
    return this.#state.broken;
  }

  get lastTaken(): LastTaken | undefined {
    return this.#state.lastTaken;
  }

  knows(set: string): boolean {
    return this.#state.sets.has(set);
  }

  /** Reads what is there. A line that was not finished is cut off: nothing was begun on its account. @throws HostProxyError HOST_KEYS_AUDIT */
  load(): Promise<void> {
    return this.#inTurn(() => this.#load());
  }

  /** On disk when it resolves. @throws HostProxyError HOST_KEYS_AUDIT: nothing of it is there then */
  append(happening: Happening): Promise<void> {
    return this.#inTurn(() => this.#append(happening));
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    try {
      await turn;
    } catch (cause) {
      throw new HostProxyError('HOST_KEYS_AUDIT', `${this.path} cannot be written`, { cause });
    }
  }

  async #load(): Promise<void> {
    const handle = await open(this.path, 'r+').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    this.#state = EMPTY;
    if (handle === undefined) return;
    try {
      const bytes = await handle.readFile();
      const { records, tornBytes, ...chain } = readChain(bytes);
      const length = bytes.length - tornBytes;
      if (tornBytes > 0) {
        await handle.truncate(length);
        await handle.sync();
      }
      const nothing: Known = { sets: EMPTY.sets, lastTaken: undefined };
      this.#state = { ...chain, ...records.reduce(learn, nothing), length };
    } finally {
      await handle.close();
    }
  }

  async #append(happening: Happening): Promise<void> {
    const handle = await open(this.path, 'a', FILE_MODE);
    try {
      // Somebody else wrote, or an earlier attempt was left half-way.
      if ((await handle.stat()).size !== this.#state.length) await this.#load();
      const { lines, head, length } = this.#state;
      const time = new Date(this.#clock.nowMs()).toISOString();
      const line = encodeRecord({ ...happening, seq: lines + 1, previous: head, time });
      const bytes = Buffer.from(`${line}\n`, 'utf8');
      await handle.writeFile(bytes);
      await handle.sync();
      if (length === 0) await syncFolder(this.#folder);
      const next = { length: length + bytes.length, lines: lines + 1, head: lineHash(line) };
      this.#state = { ...this.#state, ...learn(this.#state, happening), ...next };
    } finally {
      await handle.close();
    }
  }
}
