/** Answers operators' questions about keys. What they ask for is not judged here: the enclave does, and they judge what it made. */
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { EnclaveView } from '../enclave/view.ts';
import type { HostKeys } from './host-keys.ts';
import type { ChangeAnswer, FirstKeySet, KeysListing, KeysReport, ShareAnswer } from './key-answers.ts';

type Keys = Pick<HostKeys, 'status' | 'ask' | 'list' | 'change' | 'first' | 'load'>;

export class KeyCommands {
  readonly #keys: Keys;
  readonly #view: Pick<EnclaveView, 'status'>;

  constructor(keys: Keys, view: Pick<EnclaveView, 'status'>) {
    this.#keys = keys;
    this.#view = view;
  }

  async report(signal: AbortSignal): Promise<KeysReport> {
    const { phase = null, detail = null } = this.#view.status ?? {};
    const common = { parent: this.#keys.status, phase, detail };
    try {
      const { taken, ceremony } = await this.#keys.ask(signal);
      return { ...common, enclave: { taken: taken ?? null, ceremony }, silent: null };
    } catch (error) {
      return { ...common, enclave: null, silent: { code: errorCode(error) ?? null, message: describeError(error) } };
    }
  }

  /** @throws HostProxyError HOST_KEYS_FOLDER */
  async list(): Promise<KeysListing> {
    const { sets, damaged } = await this.#keys.list();
    const { folder, newest, taken, audit } = this.#keys.status;
    return {
      folder,
      sets: sets.map(({ document: _, approvedBy, ...set }) => ({
        ...set,
        approvedBy: [...approvedBy],
        inUse: set.sha256 === taken?.sha256,
        broughtFirst: set.sha256 === newest?.sha256,
      })),
      damaged: [...damaged],
      head: audit.head,
    };
  }

  /** @param request base64 of a DSSE envelope’s JSON. @throws what HostKeys.change throws */
  async change(request: string): Promise<ChangeAnswer> {
    const changed = await this.#keys.change(Buffer.from(request, 'base64'));
    const { taken, problem, audit } = this.#keys.status;
    if (changed.kind === 'changed') return { ...changed, head: audit.head };
    const { files, stored } = changed;
    const isTaken = taken?.sha256 === stored.sha256;
    return {
      kind: 'made',
      keySet: files.keySet.toString('base64'),
      transcript: files.transcript.toString('base64'),
      name: stored.name,
      taken: isTaken,
      problem: isTaken ? null : problem,
      head: audit.head,
    };
  }
  /** @throws what HostKeys.first throws */
  async first(): Promise<FirstKeySet> {
    const { keySet, transcript } = await this.#keys.first();
    return { keySet: keySet.toString('base64'), transcript: transcript.toString('base64') };
  }

  /** @param share base64 of its JSON. @throws what HostKeys.load throws */
  async load(share: string): Promise<ShareAnswer> {
    const { keySet, needed, loaded } = await this.#keys.load(Buffer.from(share, 'base64'));
    const { taken, problem, audit } = this.#keys.status;
    const isTaken = taken?.sha256 === keySet;
    const isEnough = loaded.length >= needed;
    return {
      loaded: [...loaded],
      needed,
      taken: isTaken,
      problem: isEnough && !isTaken ? problem : null,
      head: audit.head,
    };
  }
}
