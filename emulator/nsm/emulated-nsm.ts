/**
 * A Nitro Security Module in memory. It speaks the exact bytes of the device (nitro-formats 3.5), so the product's own
 * codec and provider run unchanged over it; its documents verify only under the root it was given.
 */
import { encodeAttestationPayload } from '../../attestation/document/encode.ts';
import { NsmError } from '../../attestation/errors.ts';
import type { NsmExchange } from '../../attestation/nsm/exchange.ts';
import type { AttestationRequest } from '../../attestation/nsm/provider.ts';
import type { NsmRequest } from '../../attestation/nsm/request.ts';
import { parseNsmRequest } from '../../attestation/nsm/request.ts';
import type { NsmDeviceError, NsmResponse } from '../../attestation/nsm/response.ts';
import { encodeNsmResponse } from '../../attestation/nsm/response.ts';
import { measureParentPcr, PCR_COUNT } from '../../attestation/pcr.ts';
import { ES384, signCoseSign1 } from '../../encoding/cose-sign1.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import type { SigningChain } from './chain.ts';
import { issueSigningChain, isUsable } from './chain.ts';
import { PcrBank } from './pcr-bank.ts';
import type { NsmRoot } from './root.ts';

/** Largest answer of GetRandom. */
const RANDOM_BYTES = 256;

/** How the module answers a request that its codec refuses. */
const REFUSALS: ReadonlyMap<NsmError['code'], NsmDeviceError> = new Map([
  ['NSM_INVALID_INDEX', 'InvalidIndex'],
  ['NSM_REQUEST_INVALID', 'InvalidArgument'],
]);

export interface ParentInstance {
  readonly roleArn: string;
  readonly instanceId: string;
}

interface EmulatedNsmOptions {
  readonly root: NsmRoot;
  /** `i-…-enc…` on hardware. */
  readonly moduleId: string;
  /** Measured values, 48 bytes each; registers that are not named are zero. */
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
  /** What PCR3 and PCR4 are measured from; zero without it, as for a parent instance that has no role. */
  readonly parent?: ParentInstance;
  /** Dates documents and certificates: an earlier clock makes old documents. */
  readonly clock: Clock;
  /** Answers GetRandom. Keys come from the system's generator whatever this is. */
  readonly random: Random;
}

export class EmulatedNsm implements NsmExchange {
  readonly #options: EmulatedNsmOptions;
  readonly #pcrs: PcrBank;
  /** Being made, or made: who asks meanwhile waits for the same one. */
  #chain: Promise<SigningChain> | undefined;
  #closed = false;

  /** @throws EmulatorError EMULATOR_NSM_PCR */
  constructor(options: EmulatedNsmOptions) {
    this.#options = options;
    this.#pcrs = new PcrBank(new Map([...measureParent(options.parent), ...options.pcrs]));
  }

  /** @throws NsmError NSM_CLOSED, NSM_REQUEST_TOO_LARGE: where the device itself fails, and not the module behind it. */
  async exchange(request: Buffer): Promise<Buffer> {
    if (this.#closed) throw new NsmError('NSM_CLOSED', 'the emulated NSM is closed');
    return encodeNsmResponse(await this.#answer(request));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#chain = undefined;
  }

  #answer(bytes: Buffer): NsmResponse | Promise<NsmResponse> {
    let request: NsmRequest;
    try {
      request = parseNsmRequest(bytes);
    } catch (error) {
      const refusal = error instanceof NsmError ? REFUSALS.get(error.code) : undefined;
      if (refusal === undefined) throw error;
      return failure(refusal);
    }
    return this.#perform(request);
  }

  #perform(request: NsmRequest): NsmResponse | Promise<NsmResponse> {
    switch (request.kind) {
      case 'DescribeNSM':
        return { kind: 'DescribeNSM', description: this.#describe() };
      case 'GetRandom':
        return { kind: 'GetRandom', random: this.#options.random.bytes(RANDOM_BYTES) };
      case 'DescribePCR': {
        const pcr = this.#pcrs.describe(request.index);
        return typeof pcr === 'string' ? failure(pcr) : { kind: 'DescribePCR', pcr };
      }
      case 'ExtendPCR': {
        const value = this.#pcrs.extend(request.index, request.data);
        return typeof value === 'string' ? failure(value) : { kind: 'ExtendPCR', value };
      }
      case 'LockPCR': {
        const outcome = this.#pcrs.lock(request.index);
        return outcome === 'locked' ? { kind: 'LockPCR' } : failure(outcome);
      }
      case 'LockPCRs': {
        const outcome = this.#pcrs.lockRange(request.range);
        return outcome === 'locked' ? { kind: 'LockPCRs' } : failure(outcome);
      }
      case 'Attestation':
        return this.#attest(request.request);
    }
  }

  #describe() {
    return {
      versionMajor: 1,
      versionMinor: 0,
      versionPatch: 0,
      moduleId: this.#options.moduleId,
      maxPcrs: PCR_COUNT,
      lockedPcrs: [...this.#pcrs.locked().keys()],
      digest: 'SHA384',
    } as const;
  }

  async #attest({ publicKey, userData, nonce }: AttestationRequest): Promise<NsmResponse> {
    const timestampMs = this.#options.clock.nowMs();
    const pcrs = this.#pcrs.locked();
    const chain = await this.#signingChain(timestampMs);
    const payload = encodeAttestationPayload({
      moduleId: this.#options.moduleId,
      digest: 'SHA384',
      timestampMs,
      pcrs,
      certificate: chain.certificate,
      cabundle: chain.cabundle,
      publicKey,
      userData,
      nonce,
    });
    return { kind: 'Attestation', document: signCoseSign1(ES384, payload, chain.leafKey) };
  }

  async #signingChain(nowMs: number): Promise<SigningChain> {
    const present = await this.#chain;
    if (present !== undefined && isUsable(present, nowMs)) return present;
    const next = issueSigningChain(this.#options.root, this.#options.moduleId, nowMs);
    this.#chain = next;
    return next;
  }
}

function measureParent(parent: ParentInstance | undefined): [PcrIndex, Buffer][] {
  if (parent === undefined) return [];
  return [
    [toPcrIndex(3), measureParentPcr(parent.roleArn)],
    [toPcrIndex(4), measureParentPcr(parent.instanceId)],
  ];
}

function failure(error: NsmDeviceError): NsmResponse {
  return { kind: 'Error', error };
}
