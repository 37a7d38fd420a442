/**
 * Whether an audit log holds: each line follows the one before it, each set was made by an enclave (its document says so, under a root that the
 * reader trusts), from a set that the log knows, on a request that was handed in, and what enclaves took was never older than before, nor of
 * another line. It cannot tell that the end was cut, or that the whole is another one: the head can, which key commands print for whoever keeps it.
 */
import { readTranscriptDocument } from '../../keys/set/transcript.ts';
import { describeError } from '../../runtime/errors.ts';
import { type Break, type ReadChain, readChain } from './audit-chain.ts';
import { type Arrival, type AuditRecord, lineHash } from './audit-record.ts';
import type { StoredKeySet } from './key-folder.ts';

export interface AuditDemands {
  /** DER. */
  readonly rootDer: Buffer;
  /** PCR0 of the images that may have made sets, lower-case hex; undefined: any, and they are told. */
  readonly images: readonly string[] | undefined;
  /** Hash of a line that the log must have. */
  readonly head: string | undefined;
  /** Those that lie beside the log; undefined where only the log is there. */
  readonly sets: readonly StoredKeySet[] | undefined;
}

export interface AuditReport {
  /** Where it first goes wrong. */
  readonly broken: Break | undefined;
  /** True as far as the log says, and not wrong. */
  readonly notes: readonly string[];
  readonly lines: number;
  readonly head: string | null;
  /** Lines behind the head that was named. */
  readonly since: number | undefined;
  readonly sets: number;
  readonly lastTaken: { readonly generation: number; readonly set: string } | undefined;
  /** PCR0 of the images in which sets were made. */
  readonly images: readonly string[];
}

class Reading {
  readonly #demands: AuditDemands;
  readonly #arrived = new Map<string, Pick<Arrival, 'generation' | 'from'>>();
  readonly #approved = new Set<string>();
  readonly images = new Set<string>();
  readonly notes: string[] = [];
  lastTaken: AuditReport['lastTaken'];

  constructor(demands: AuditDemands) {
    this.#demands = demands;
  }

  get arrived(): ReadonlyMap<string, unknown> {
    return this.#arrived;
  }

  /** @returns what is wrong with it */
  follow(record: AuditRecord): string | undefined {
    switch (record.what) {
      case 'approved':
        this.#approved.add(record.request);
        return undefined;
      case 'made':
      case 'restored':
        return this.#arrive(record, record.what === 'made');
      case 'taken':
        return this.#take(record);
      case 'refused':
      case 'loaded':
        return this.#arrived.has(record.set) ? undefined : 'it is of a set that the log does not know';
      default:
        return this.#approved.has(record.request) ? undefined : 'nobody handed in that request before it';
    }
  }

  #arrive(record: Arrival, isMade: boolean): string | undefined {
    if (this.#arrived.has(record.set)) return 'the set is there already';
    if (isMade && !this.#approved.has(record.request)) return 'nobody handed in the request for it before';
    const wrong = this.#placeFault(record) ?? this.#documentFault(record) ?? this.#fileFault(record);
    if (wrong !== undefined) return wrong;
    if (!isMade)
      this.notes.push(`generation ${record.generation} (${record.set}) was found on disk, not made before this log`);
    this.#arrived.set(record.set, record);
    return undefined;
  }

  #placeFault({ generation, from }: Arrival): string | undefined {
    if (from === null) return generation === 1 ? undefined : `generation ${generation} comes from no other set`;
    const before = this.#arrived.get(from)?.generation;
    if (before !== undefined)
      return generation === before + 1 ? undefined : `generation ${generation} comes from generation ${before}`;
    if (this.#arrived.size > 0) return `it comes from a set that the log does not know: ${from}`;
    this.notes.push(`the log begins with generation ${generation}: what was before is in another one`);
    return undefined;
  }

  #documentFault({ document, set, request }: Arrival): string | undefined {
    const { rootDer, images } = this.#demands;
    try {
      const made = readTranscriptDocument(Buffer.from(document, 'base64'), rootDer);
      if (made.keySetSha256 !== set) return `its document is of another set: ${made.keySetSha256}`;
      if (made.requestSha256 !== request) return `its document is of another request: ${made.requestSha256}`;
      if (images !== undefined && !images.includes(made.image))
        return `it was made in another image: PCR0 ${made.image}`;
      this.images.add(made.image);
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }

  /** Generation and origin are the log's word only where the set itself is not beside it. */
  #fileFault({ set, generation, from, request }: Arrival): string | undefined {
    const file = this.#demands.sets?.find(({ sha256 }) => sha256 === set);
    if (file === undefined || (file.generation === generation && file.previous === from && file.request === request))
      return undefined;
    return `the set itself says generation ${file.generation}, made from ${file.previous ?? 'none'}, on request ${file.request}`;
  }

  #take({ set, generation }: Extract<AuditRecord, { what: 'taken' }>): string | undefined {
    const known = this.#arrived.get(set)?.generation;
    if (known === undefined) return 'the enclave took a set that the log does not know';
    if (known !== generation) return `the set is of generation ${known}`;
    const last = this.lastTaken;
    if (last !== undefined && last.generation > generation)
      return `an enclave took generation ${generation} after generation ${last.generation}`;
    if (last !== undefined && !this.#descends(set, last.set))
      return `an enclave took a set of generation ${generation} that was not made from the one of generation ${last.generation} that was in use before`;
    this.lastTaken = { set, generation };
    return undefined;
  }

  /** What the other has is in it then, or was taken away by request. */
  #descends(set: string, from: string): boolean {
    let at: string | null | undefined = set;
    while (at !== from && at !== null && at !== undefined) at = this.#arrived.get(at)?.from;
    return at === from;
  }
}

function firstBreak({ records, broken, tornBytes, lines }: ReadChain, reading: Reading): Break | undefined {
  for (const record of records) {
    const reason = reading.follow(record);
    if (reason !== undefined) return { line: record.seq, reason: `${record.what}: ${reason}` };
  }
  if (broken !== undefined) return broken;
  return tornBytes === 0 ? undefined : { line: lines + 1, reason: 'the line was not finished' };
}

/** Those behind it; undefined where it is none of the log's lines. */
function linesSince(bytes: Buffer, head: string): number | undefined {
  const lines = bytes.toString('utf8').split('\n').slice(0, -1);
  const at = lines.findIndex((line) => lineHash(line) === head);
  return at === -1 ? undefined : lines.length - 1 - at;
}

/** What only shows when all lines are read. */
function faultOfWhole(
  { head, sets = [] }: AuditDemands,
  since: number | undefined,
  known: ReadonlyMap<string, unknown>,
): string | undefined {
  if (head !== undefined && since === undefined)
    return 'no line has the head that was kept: the end was cut off, or this is another log';
  const stray = sets.find(({ sha256 }) => !known.has(sha256));
  return stray && `the folder holds a set that the log does not know: ${stray.name}`;
}

/** @param bytes of the whole file */
export function verifyAudit(bytes: Buffer, demands: AuditDemands): AuditReport {
  const chain = readChain(bytes);
  const reading = new Reading(demands);
  const own = firstBreak(chain, reading);
  const { head, lines } = chain;
  const { notes, lastTaken, images, arrived } = reading;
  const since = demands.head === undefined ? undefined : linesSince(bytes, demands.head);
  const reason = faultOfWhole(demands, since, arrived);
  const broken = own ?? (reason === undefined ? undefined : { line: lines + 1, reason });
  return { broken, notes, lines, head, since, sets: arrived.size, lastTaken, images: [...images] };
}
