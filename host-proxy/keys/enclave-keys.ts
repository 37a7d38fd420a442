/** What the daemon asks the enclave about keys, and what it makes of the answers. The enclave's refusals keep their codes. */
import { ReportedError } from '../../wire/errors.ts';
import type { ParentAnswer, ParentRequest } from '../../wire/requests/parent-messages.ts';
import type { EnclaveClient } from '../attestation/enclave-client.ts';
import { HostProxyError } from '../errors.ts';
import type { KeySetFiles } from './stored-set.ts';

export interface TakenKeySet {
  readonly generation: number;
  readonly sha256: string;
}

export interface EnclaveKeysStatus {
  /** Undefined while the enclave has none. */
  readonly taken: TakenKeySet | undefined;
  /** Whether it would hold a ceremony. */
  readonly ceremony: boolean;
}

/** Of the set that was brought last. */
export interface LoadedShares {
  /** Hash of the set. */
  readonly keySet: string;
  readonly needed: number;
  /** Operators. */
  readonly loaded: readonly string[];
}

/** A request either makes a key set, or changes something that no set holds. */
export type ChangeAnswer = { readonly made: KeySetFiles } | { readonly changed: string };

const base64 = (bytes: Buffer) => bytes.toString('base64');
const bytesOf = (text: string) => Buffer.from(text, 'base64');

/** All of them throw HostProxyError HOST_ATTESTATION_UNANSWERED; ReportedError with the enclave's code. */
export class EnclaveKeys {
  readonly #client: Pick<EnclaveClient, 'ask'>;

  constructor(client: Pick<EnclaveClient, 'ask'>) {
    this.#client = client;
  }

  async status(signal: AbortSignal): Promise<EnclaveKeysStatus> {
    const answer = await this.#ask({ type: 'keys-status' }, signal);
    if (answer.type !== 'keys-status') throw unexpected(answer);
    return { taken: answer.taken, ceremony: answer.ceremony };
  }

  /** @returns what the enclave works with then */
  async bring({ keySet, transcript }: KeySetFiles, signal: AbortSignal): Promise<TakenKeySet> {
    const brought = { keySet: base64(keySet), transcript: base64(transcript) };
    const answer = await this.#ask({ type: 'bring-keys', ...brought }, signal);
    if (answer.type !== 'keys-taken') throw unexpected(answer);
    return { generation: answer.generation, sha256: answer.sha256 };
  }

  /** @param request JSON of a DSSE envelope */
  async change(request: Buffer, signal: AbortSignal): Promise<ChangeAnswer> {
    const answer = await this.#ask({ type: 'change-keys', request: base64(request) }, signal);
    if (answer.type === 'keys-changed') return { changed: answer.what };
    if (answer.type !== 'keys-made') throw unexpected(answer);
    return { made: { keySet: bytesOf(answer.keySet), transcript: bytesOf(answer.transcript) } };
  }

  /** @param share JSON of one operator's share @returns what the enclave has then */
  async load(share: Buffer, signal: AbortSignal): Promise<LoadedShares> {
    const answer = await this.#ask({ type: 'load-share', share: base64(share) }, signal);
    if (answer.type !== 'share-loaded') throw unexpected(answer);
    const { keySet, needed, loaded } = answer;
    return { keySet, needed, loaded };
  }

  async #ask(request: ParentRequest, signal: AbortSignal): Promise<ParentAnswer> {
    const answer = await this.#client.ask(request, signal);
    if (answer.type === 'refusal') throw new ReportedError(answer.code, answer.message);
    return answer;
  }
}

function unexpected({ type }: ParentAnswer): HostProxyError {
  return new HostProxyError('HOST_ATTESTATION_UNANSWERED', 'the enclave answered something else', { found: type });
}
