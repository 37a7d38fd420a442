/** What a database can say up to a login, and what a client is told then. */
import { randomBytes } from 'node:crypto';
import { encodeError } from '../../../postgres/error-response.ts';
import { int32 } from '../../../postgres/integers.ts';
import type { Lie, LiedTo } from './lying-database.ts';
import { frame } from './raw-client.ts';

export interface LoginLie {
  readonly lie: Lie;
  /** The SQLSTATE that the client is told. */
  readonly told: string;
}

const authentication = (code: number, rest: Buffer | string = '') =>
  frame('R', Buffer.concat([int32(code), Buffer.from(rest as string, 'latin1')]));
const SASL = authentication(10, 'SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0');
const OK = authentication(0);
const READY = frame('Z', 'I');

/** Plays the server with these messages at once. */
const says = (...said: readonly Buffer[]): Lie => ({
  play: ({ socket }) => {
    for (const each of said) socket.write(each);
  },
});

/** The nonce of a client's first message. */
const nonceOf = (body: Buffer) => /r=([^,]+)/.exec(body.toString('latin1'))?.[1] ?? '';

/** Begins SCRAM as a server would, and goes on with what `first` makes of the client's nonce, then with `last`. */
function scram(first: (nonce: string) => string, last = `v=${Buffer.alloc(32).toString('base64')}`): Lie {
  return {
    play: ({ socket }) => void socket.write(SASL),
    hear: ({ body }, { socket, heard }: LiedTo) => {
      const isFirst = heard.length === 1;
      socket.write(isFirst ? authentication(11, first(nonceOf(body))) : authentication(12, last));
      if (!isFirst) socket.write(Buffer.concat([OK, READY]));
    },
  };
}
const SALT = randomBytes(16).toString('base64');
const server = (nonce: string, iterations: string) => `r=${nonce}x,s=${SALT},i=${iterations}`;

export const LOGIN_LIES: Readonly<Record<string, LoginLie>> = {
  'lets in without a login': { lie: says(OK, READY), told: '28000' },
  'asks for a password in clear': { lie: says(authentication(3)), told: '28000' },
  'asks for an MD5 password': { lie: says(authentication(5, 'salt')), told: '28000' },
  'asks for GSSAPI': { lie: says(authentication(7)), told: '28000' },
  'asks for a method that nobody knows': { lie: says(authentication(99)), told: '28000' },
  'offers mechanisms without SCRAM': { lie: says(authentication(10, 'PLAIN\0OAUTHBEARER\0\0')), told: '28000' },
  'offers no mechanism': { lie: says(authentication(10, '\0')), told: '28000' },
  'asks for 2,147,483,648 iterations': { lie: scram((nonce) => server(nonce, '2147483648')), told: '28000' },
  'asks for 100,001 iterations': { lie: scram((nonce) => server(nonce, '100001')), told: '28000' },
  'asks for 1 iteration': { lie: scram((nonce) => server(nonce, '1')), told: '28000' },
  'takes another nonce than the one it got': { lie: scram(() => server('another', '4096')), told: '28000' },
  'takes the nonce as it is': { lie: scram((nonce) => `r=${nonce},s=${SALT},i=4096`), told: '28000' },
  'says what is no SCRAM': { lie: scram(() => 'hello'), told: '08P01' },
  'does not know the password, and says so': {
    lie: scram((nonce) => server(nonce, '4096'), 'e=other-error'),
    told: '28P01',
  },
  'does not know the password, and lets in': { lie: scram((nonce) => server(nonce, '4096')), told: '28000' },
  'goes on with SCRAM before it has begun': { lie: says(authentication(11, server('x', '4096'))), told: '08P01' },
  'lets in with proof of nothing': { lie: says(authentication(12, 'v=AAAA'), OK, READY), told: '08P01' },
  'sends a length of 2 GiB': { lie: says(frame('R', '', 0x7fff_ffff)), told: '08P01' },
  'sends a length of 3': { lie: says(frame('R', '', 3)), told: '08P01' },
  'sends an Authentication without a code': { lie: says(frame('R')), told: '08P01' },
  'sends rows': { lie: says(frame('D', '\0\0')), told: '08P01' },
  'sends zero bytes': { lie: says(Buffer.alloc(100_000)), told: '08P01' },
  'sends endless notices': { lie: says(...Array<Buffer>(2_000).fill(frame('N', 'SNOTICE\0\0'))), told: '08P01' },
  'greets with 256 MiB': {
    lie: {
      play: ({ socket }) =>
        void Array.from({ length: 8 }, () => socket.write(frame('N', Buffer.alloc(32 * 1024 * 1024)))),
    },
    told: '08P01',
  },
  'greets with 200 kB a hundred times': {
    lie: says(...Array<Buffer>(100).fill(frame('N', Buffer.alloc(200_000)))),
    told: '08P01',
  },
  'speaks another protocol': { lie: says(frame('v', Buffer.concat([int32(0x40000), int32(0)]))), told: '0A000' },
  'sends a cancel key without end': { lie: says(frame('K', Buffer.alloc(100_000))), told: '08P01' },
  'refuses in its own words': { lie: says(encodeError('FATAL', '53300', 'no room')), told: '53300' },
  'ends without a word': { lie: { play: ({ socket }) => void socket.destroy() }, told: '08006' },
  'ends in the middle of a message': {
    lie: { play: ({ socket }) => void socket.end(SASL.subarray(0, 7)) },
    told: '08006',
  },
  'is silent': { lie: says(), told: '57014' },
  'is slow: one byte a second': {
    lie: {
      play: ({ socket }) => {
        const bytes = [...SASL];
        const timer = setInterval(() => socket.write(Buffer.of(bytes.shift() ?? 0)), 1_000);
        socket.once('close', () => clearInterval(timer));
      },
    },
    told: '57014',
  },
};
