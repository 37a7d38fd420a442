/** Floods: what one attacker on one core can begin, so many a second, or all at once. */
import { connect as connectTls } from 'node:tls';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import type { Attacked } from './attacked.ts';
import { atRate, FLOOD_MS, forAWhile, IS_LONG } from './pace.ts';
import { dial, frame, RawClient, startupPacket } from './raw-client.ts';

/** Resolves when the flood is over. @returns what to say of it */
export type Flood = (target: Attacked) => Promise<string>;

/** Not the honest client's address, so that limits by address can tell them apart. */
const ATTACKER = '127.0.0.2';
const AT_ONCE = IS_LONG ? 5_000 : 2_000;
const CANCEL = Buffer.from('0000001004d2162e0000000100000002', 'hex');

const begun = async (perSecond: number, attempt: (count: number) => void) =>
  `${await atRate(perSecond, FLOOD_MS, attempt)} begun`;

/** Holds that many connections for a while, and ends them. */
async function hold(target: Attacked, first: (index: number) => Buffer | undefined): Promise<string> {
  const sockets = Array.from({ length: AT_ONCE }, (_, index) => {
    const socket = dial(target, ATTACKER).resume();
    const bytes = first(index);
    if (bytes) socket.write(bytes);
    return socket;
  });
  await forAWhile(FLOOD_MS);
  const held = sockets.filter(({ destroyed }) => !destroyed).length;
  for (const socket of sockets) socket.destroy();
  return `${AT_ONCE} at once, ${held} still there at the end`;
}

async function silentASecond(target: Attacked): Promise<string> {
  const sockets: ReturnType<typeof dial>[] = [];
  const told = await begun(12, () => sockets.push(dial(target, ATTACKER).resume()));
  for (const socket of sockets) socket.destroy();
  return told;
}

/** Asks for TLS, and goes on with something else. */
function badHandshake(target: Attacked, then: (socket: ReturnType<typeof dial>) => void): void {
  const socket = dial(target, ATTACKER);
  socket.once('data', () => then(socket));
  socket.write(SSL_REQUEST);
}

function handshakeWithoutCertificate(target: Attacked): void {
  const socket = connectTls({
    ca: target.stack.parts.certificates.applicationCaPem,
    servername: ENCLAVE_NAME,
    ALPNProtocols: ['postgresql'],
    socket: dial(target, ATTACKER),
  });
  socket.on('error', () => undefined).resume();
  socket.once('secureConnect', () => socket.end(startupPacket()));
}

/** All sessions that an identity may have (FEW_SESSIONS), and some more. */
async function allItsSessions(target: Attacked): Promise<string> {
  const opened: RawClient[] = [];
  let refused = 0;
  for (let count = 0; count < 60; count += 1) {
    const client = await RawClient.open(target, target.attacker).catch(() => undefined);
    if (client && !client.socket.destroyed) opened.push(client);
    else refused += 1;
  }
  for (const client of opened) client.send(frame('Q', 'SELECT generate_series(1, 1000)\0'));
  await forAWhile(FLOOD_MS);
  for (const { socket } of opened) socket.destroy();
  return `${opened.length} sessions of one identity, ${refused} refused`;
}

export const FLOODS: Readonly<Record<string, Flood>> = {
  'silent connections at once': (target) => hold(target, () => undefined),
  'connections at once that ask for TLS': (target) => hold(target, () => SSL_REQUEST),
  'connections at once that begin a handshake': (target) =>
    hold(target, () => Buffer.from('160301020001000001fc0303', 'hex')),
  '12 silent connections a second': silentASecond,
  '300 failed handshakes a second': (target) =>
    begun(300, () => badHandshake(target, (socket) => socket.end('\x16\x03\x01\x00\x05junk!'))),
  '300 connections a second that are cut in the handshake': (target) =>
    begun(300, () => badHandshake(target, (socket) => socket.resetAndDestroy())),
  '100 handshakes a second without a certificate': (target) => begun(100, () => handshakeWithoutCertificate(target)),
  '300 requests to cancel a second': (target) =>
    begun(300, () => {
      dial(target, ATTACKER).resume().end(CANCEL);
    }),
  'all sessions of an identity': allItsSessions,
};
