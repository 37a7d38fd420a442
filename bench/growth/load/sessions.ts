/** Sessions as they come and go at a public port: opened by TLS, one statement, ended; and those that end otherwise, or never begin. */
import { randomBytes, randomInt } from 'node:crypto';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { QUERY } from '../../../postgres/messages.ts';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import { dial, happens, LoadClient, type Target } from './client.ts';
import { ROWS } from './statements.ts';

export interface Comers extends Target {
  /** Of another authority. */
  readonly wrong: IssuedCertificate;
}

interface Kind {
  readonly name: string;
  /** Of a hundred. */
  readonly share: number;
  readonly run: (comers: Comers) => Promise<void>;
}

const ONE = () => QUERY.encode(`SELECT name, email, diagnosis FROM patients WHERE id = ${randomInt(1, ROWS + 1)}`);

async function whole(comers: Comers): Promise<void> {
  const client = await LoadClient.open(comers);
  await client.ask(ONE());
  await client.end();
}

/** Where a statement is under way, or none. */
async function cut(comers: Comers, during: 'statement' | 'silence'): Promise<void> {
  const client = await LoadClient.open(comers);
  if (during === 'statement') client.send(ONE());
  else await client.ask(ONE());
  client.reset();
  await client.closed();
}

/** From many addresses: the front hears none further that fails so often (ingress.limits.maxFailuresPerSecond). */
const fromElsewhere = (comers: Comers): Comers => ({ ...comers, localAddress: `127.0.1.${randomInt(1, 255)}` });

/** A ClientHello's first bytes (RFC 8446, 5.1 and 4.1.2), and no more of it than that. */
const HELLO_BEGUN = Buffer.from('160301020001000001fc0303', 'hex');

async function givesUp(comers: Comers, how: 'end' | 'reset'): Promise<void> {
  const socket = dial(fromElsewhere(comers)).on('error', () => undefined);
  socket.write(SSL_REQUEST);
  if (await happens(socket, 'data')) socket.write(Buffer.concat([HELLO_BEGUN, randomBytes(32)]));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.resume();
  if (how === 'end') socket.end();
  else socket.resetAndDestroy();
  if (!socket.closed) await closed;
}

async function isRefused(comers: Comers, certificate: IssuedCertificate | null): Promise<void> {
  const opened = await LoadClient.open(fromElsewhere(comers), certificate).catch(() => undefined);
  if (!opened) return;
  await opened.end();
  throw new Error('a session was let in that should not be');
}

export const KINDS: readonly Kind[] = [
  { name: 'whole', share: 65, run: whole },
  { name: 'cut in a statement', share: 5, run: (comers) => cut(comers, 'statement') },
  { name: 'cut in silence', share: 5, run: (comers) => cut(comers, 'silence') },
  { name: 'ends in the handshake', share: 5, run: (comers) => givesUp(comers, 'end') },
  { name: 'cut in the handshake', share: 5, run: (comers) => givesUp(comers, 'reset') },
  { name: 'wrong certificate', share: 10, run: (comers) => isRefused(comers, comers.wrong) },
  { name: 'no certificate', share: 5, run: (comers) => isRefused(comers, null) },
];

function anyKind(): Kind {
  let left = randomInt(KINDS.reduce((sum, { share }) => sum + share, 0));
  for (const kind of KINDS) {
    left -= kind.share;
    if (left < 0) return kind;
  }
  throw new Error('no kinds');
}

/** @param kind default: any, by its share. @returns what went otherwise than it should */
export async function runSession(comers: Comers, kind: Kind = anyKind()): Promise<string | undefined> {
  const { name, run } = kind;
  try {
    await run(comers);
    return undefined;
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
