/** Clients that ask for attestation, and what the supervisor is told of them. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { FrontCounts, RequestQuestion } from '../../../../../sessions/messages.ts';
import { ATTESTATION_ALPN } from '../../../../../wire/requests/bounds.ts';
import { type EnclaveAnswer, parseEnclaveAnswer } from '../../../../../wire/requests/messages.ts';
import type { Arrivals } from '../../support/arrivals.ts';

const LENGTH_BYTES = 4;
export const ANSWER: EnclaveAnswer = { type: 'attestation', document: 'ZG9j', statement: 'e30=' };
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function frame(payload: string, statedBytes = Buffer.byteLength(payload)): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(statedBytes);
  return Buffer.concat([length, Buffer.from(payload)]);
}

export const REQUEST: Buffer = frame(JSON.stringify({ type: 'attest', nonce: Buffer.alloc(16, 7).toString('base64') }));

/** @returns behind its handshake, which rejects when it fails */
export async function secureOver(
  arrivals: Arrivals,
  socket: Socket,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const secured = connectTls({
    ca: arrivals.authority.pem,
    servername: 'records.test',
    ALPNProtocols: [ATTESTATION_ALPN],
    ...options,
    socket,
  });
  secured.on('error', () => undefined);
  await once(secured, 'secureConnect');
  return secured;
}

export async function ask(arrivals: Arrivals, address?: string, options?: ConnectionOptions): Promise<TLSSocket> {
  return secureOver(arrivals, await arrivals.dial(address), options);
}

export function questions({ told }: Arrivals): readonly RequestQuestion[] {
  return told.filter((message) => message.type === 'request');
}

/** The supervisor has so many requests. */
export async function untilAsked(arrivals: Arrivals, count: number): Promise<readonly RequestQuestion[]> {
  while (questions(arrivals).length < count) await turn();
  return questions(arrivals);
}

/** All that comes up to the end: one answer, or none. */
export async function answerTo(secured: TLSSocket): Promise<EnclaveAnswer | undefined> {
  const chunks: Buffer[] = [];
  secured.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!secured.destroyed) await once(secured, 'close').catch(() => undefined);
  const bytes = Buffer.concat(chunks);
  if (bytes.length === 0) return undefined;
  if (bytes.readUInt32BE() !== bytes.length - LENGTH_BYTES) throw new Error('more than an answer');
  return parseEnclaveAnswer(bytes.subarray(LENGTH_BYTES));
}

/** What is told when it is as expected; little time passes meanwhile. */
export async function untilCounts(
  arrivals: Arrivals,
  isExpected: (counts: FrontCounts) => boolean,
): Promise<FrontCounts> {
  for (;;) {
    const last = arrivals.counts.at(-1);
    if (last && isExpected(last)) return last;
    arrivals.clock.advance(20);
    await turn();
  }
}
