/** What a client with a certificate can say in the place of its login by SCRAM (RFC 5802), and what it is told then. */
import { X509Certificate } from 'node:crypto';
import { tlsServerEndPoint } from '../../../postgres/scram/channel-binding.ts';
import type { Attacked } from './attacked.ts';
import { frame, RawClient, secure, startupPacket } from './raw-client.ts';

export interface LoginInsult {
  /** Of the start-up packet; default: the application's. */
  readonly asks?: Readonly<Record<string, string>>;
  readonly first: Buffer;
  /** What follows the challenge. @param nonce of the challenge. @param binding to another server's certificate */
  readonly next?: (nonce: string, binding: string) => Buffer;
  /** The SQLSTATE that it is told. */
  readonly told: string;
}

/** What came of it. */
export interface Answer {
  readonly sqlState: string | undefined;
  readonly message: string | undefined;
  readonly types: string;
  /** Without its nonce. */
  readonly challenge: string;
  readonly tookMs: number;
}

const PLAIN = 'SCRAM-SHA-256';
const NONCE = 'rOprNGfwEbeRWgbNEkqO';
const PROOF = Buffer.alloc(32, 7).toString('base64');
const UNBOUND = 'biws';

function initial(mechanism: string, message: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return frame('p', Buffer.concat([Buffer.from(`${mechanism}\0`), length, Buffer.from(message, 'latin1')]));
}
const begins = (flag = 'n', rest = '') => initial(PLAIN, `${flag},,n=,r=${NONCE}${rest}`);
const proves = (nonce: string, binding = UNBOUND, proof = PROOF) => frame('p', `c=${binding},r=${nonce},p=${proof}`);
const wrong = (nonce: string) => proves(nonce);
const WRONG: LoginInsult = { first: begins(), next: wrong, told: '28P01' };

/** Of whom nothing may be learned: all are answered as a wrong password is. */
export const DENIED: Readonly<Record<string, LoginInsult>> = {
  'a wrong password': WRONG,
  'a user whom nobody knows': { ...WRONG, asks: { user: 'nobody' } },
  'a user that it may not be': { ...WRONG, asks: { user: 'owner' } },
  'a database that it may not use': { ...WRONG, asks: { database: 'postgres' } },
};

/** Whether the guard hears it, or the database. */
export const LOGIN_INSULTS: Readonly<Record<string, LoginInsult>> = {
  'a claim of 2,147,483,648 iterations': { ...WRONG, first: begins('n', ',i=2147483648') },
  'a claim of them in its proof': { ...WRONG, next: (nonce) => proves(`${nonce},i=2147483648`) },
  'a mechanism that was not offered': { first: initial('PLAIN', '\0user\0password'), told: '08P01' },
  'a password in clear': { first: frame('p', 'secret\0'), told: '08P01' },
  'its proof before its challenge': { first: proves(NONCE), told: '08P01' },
  'its first message twice': { first: begins(), next: () => begins(), told: '08P01' },
  'a statement in the place of its login': { first: frame('Q', 'SELECT 1\0'), told: '08P01' },
  'a statement in the place of its proof': { first: begins(), next: () => frame('Q', 'SELECT 1\0'), told: '08P01' },
  'another nonce than the one of its challenge': { first: begins(), next: () => proves(`${NONCE}x`), told: '08P01' },
  'a proof of 31 bytes': {
    first: begins(),
    next: (nonce) => proves(nonce, UNBOUND, Buffer.alloc(31).toString('base64')),
    told: '08P01',
  },
  'a megabyte of nonce': { first: begins('n', 'x'.repeat(1_000_000)), told: '08P01' },
  'a length of 2 GiB': { first: frame('p', 'x', 0x7fff_ffff), told: '08P01' },
};

/** Of the guard's own login: it offers to bind. */
export const BINDING_INSULTS: Readonly<Record<string, LoginInsult>> = {
  'a login that is bound to another connection': {
    first: initial('SCRAM-SHA-256-PLUS', `p=tls-server-end-point,,n=,r=${NONCE}`),
    next: proves,
    told: '28000',
  },
  'a claim that binding was not offered': { first: begins('y'), told: '28000' },
  'a binding without its mechanism': { first: begins('p=tls-server-end-point'), told: '08P01' },
};

/** As a client says it that sees the database's certificate, with somebody between them. */
function bindingElsewhere({ stack }: Attacked): string {
  const certificate = new X509Certificate(stack.parts.certificates.database.certificatePem);
  const binding = tlsServerEndPoint(certificate) ?? Buffer.alloc(0);
  return Buffer.concat([Buffer.from('p=tls-server-end-point,,'), binding]).toString('base64');
}

/** Attributes of the last message of type R that carries any. */
function challengeIn({ received }: RawClient): string {
  const bodies = received.filter(({ type }) => type === 'R').map(({ body }) => body.subarray(4).toString('latin1'));
  return bodies.findLast((body) => body.startsWith('r=')) ?? '';
}

/** Logs in as the attacker in that way. */
export async function insultLogin(target: Attacked, { asks, first, next }: LoginInsult): Promise<Answer> {
  const client = new RawClient(await secure(target, target.attacker));
  client.send(startupPacket(asks));
  await client.untilType('R');
  const beganMs = performance.now();
  client.send(first);
  const isChallenged = next !== undefined && (await client.untilMore()) === 'came';
  const challenge = challengeIn(client);
  if (isChallenged) client.send(next(/^r=([^,]+)/.exec(challenge)?.[1] ?? '', bindingElsewhere(target)));
  await client.untilEnd();
  const tookMs = performance.now() - beganMs;
  const { sqlState, message } = client.errors[0] ?? {};
  return { sqlState, message, types: client.types, challenge: challenge.replace(/^r=[^,]+,/, ''), tookMs };
}
