/**
 * The security module as bytes in, bytes out: the one seam below which device and emulator differ. All that is above,
 * requests, answers and refusals, is the same code for both.
 */
import { NsmError } from '../errors.ts';
import type { NsmProvider } from './provider.ts';
import type { NsmRequest } from './request.ts';
import { encodeNsmRequest } from './request.ts';
import type { NsmDeviceError, NsmResponse } from './response.ts';
import { parseNsmResponse } from './response.ts';

export interface NsmExchange {
  /** At most 4096 bytes in, at most 12288 out. The caller owns the answer and may zero it. */
  exchange(request: Buffer): Promise<Buffer>;
  /** Idempotent; waits for exchanges under way. */
  close(): Promise<void>;
}

const REFUSALS = {
  InvalidArgument: 'NSM_INVALID_ARGUMENT',
  InvalidIndex: 'NSM_INVALID_INDEX',
  InvalidResponse: 'NSM_INVALID_RESPONSE',
  ReadOnlyIndex: 'NSM_READ_ONLY_INDEX',
  InvalidOperation: 'NSM_INVALID_OPERATION',
  BufferTooSmall: 'NSM_BUFFER_TOO_SMALL',
  InputTooLarge: 'NSM_INPUT_TOO_LARGE',
  InternalError: 'NSM_INTERNAL_ERROR',
} as const satisfies Record<NsmDeviceError, NsmError['code']>;

type Answer<Kind extends NsmRequest['kind']> = Extract<NsmResponse, { kind: Kind }>;

async function ask<Kind extends NsmRequest['kind']>(
  exchange: NsmExchange,
  request: Extract<NsmRequest, { kind: Kind }>,
): Promise<Answer<Kind>> {
  const bytes = await exchange.exchange(encodeNsmRequest(request));
  let response: NsmResponse;
  try {
    response = parseNsmResponse(bytes);
  } finally {
    bytes.fill(0);
  }
  if (response.kind === 'Error') {
    throw new NsmError(REFUSALS[response.error], `the security module refused ${request.kind}`, {
      found: response.error,
    });
  }
  if (response.kind === request.kind) return response as Answer<Kind>;
  throw new NsmError('NSM_RESPONSE_INVALID', 'the answer is for another request', {
    found: response.kind,
    allowed: request.kind,
  });
}

/** Errors of every method: NsmError with the codes of the device, the codec, or the module's own refusal. */
export function nsmOver(exchange: NsmExchange): NsmProvider {
  return {
    describe: async () => (await ask(exchange, { kind: 'DescribeNSM' })).description,
    describePcr: async (index) => (await ask(exchange, { kind: 'DescribePCR', index })).pcr,
    extendPcr: async (index, data) => (await ask(exchange, { kind: 'ExtendPCR', index, data })).value,
    lockPcr: async (index) => {
      await ask(exchange, { kind: 'LockPCR', index });
    },
    lockPcrs: async (range) => {
      await ask(exchange, { kind: 'LockPCRs', range });
    },
    attest: async (request) => (await ask(exchange, { kind: 'Attestation', request })).document,
    random: async () => (await ask(exchange, { kind: 'GetRandom' })).random,
    close: () => exchange.close(),
  };
}
