/** Floods: what one attacker on one core can begin, so many a second, or all at once, from one address or from many. */
import { connect as connectTls } from 'node:tls';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import { ATTACKER, type Attacked, type Flood } from './attacked.ts';
import { wholeClientHello } from './client-hello.ts';
import { keysWithoutEnd } from './key-floods.ts';
import { begun, FLOOD_MS, forAWhile, IS_LONG } from './pace.ts';
import { dial, frame, RawClient, startupPacket } from './raw-client.ts';

/** Whose connection it is, by its number. */
type From = (index: number) => string;

const one: From = () => ATTACKER;
/** As many as the front lets wait (ingress.limits.maxPending), so that each may have a place there. */
const ADDRESSES = 200;
const many: From = (index) => `127.0.1.${1 + (index % ADDRESSES)}`;
const AT_ONCE = IS_LONG ? 5_000 : 2_000;
const CANCEL = Buffer.from('0000001004d2162e0000000100000002', 'hex');

function begin(target: Attacked, from: string, says?: Buffer): ReturnType<typeof dial> {
  const socket = dial(target, from).resume();
  if (says) socket.write(says);
  return socket;
}

/** Holds that many connections for a while, and ends them. @param says each of them, and no more */
async function hold(target: Attacked, from: From, says?: Buffer): Promise<string> {
  const sockets = Array.from({ length: AT_ONCE }, (_, index) => begin(target, from(index), says));
  await forAWhile(FLOOD_MS);
  const held = sockets.filter(({ destroyed }) => !destroyed).length;
  for (const socket of sockets) socket.destroy();
  return `${AT_ONCE} at once, ${held} still there at the end`;
}

/** The same, with so many more a second. */
async function stay(target: Attacked, perSecond: number, from: From, says?: Buffer): Promise<string> {
  const sockets: ReturnType<typeof dial>[] = [];
  const told = await begun(perSecond, (index) => sockets.push(begin(target, from(index), says)));
  for (const socket of sockets) socket.destroy();
  return told;
}

/** Asks for TLS, and goes on with something else. */
function badHandshake(target: Attacked, from: string, then: (socket: ReturnType<typeof dial>) => void): void {
  const socket = dial(target, from);
  socket.once('data', () => then(socket));
  socket.write(SSL_REQUEST);
}

/** Shows a certificate, or none, and begins a session. */
function handshake(target: Attacked, certificate?: IssuedCertificate): void {
  const socket = connectTls({
    ca: target.stack.parts.certificates.applicationCaPem,
    servername: ENCLAVE_NAME,
    ALPNProtocols: ['postgresql'],
    socket: dial(target, ATTACKER),
    ...(certificate && { cert: certificate.certificatePem, key: certificate.privateKeyPem }),
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

const HANDSHAKE_BEGUN = Buffer.from('160301020001000001fc0303', 'hex');
const failed = (from: From) => (target: Attacked) =>
  begun(300, (index) => badHandshake(target, from(index), (socket) => socket.end('\x16\x03\x01\x00\x05junk!')));

export const FLOODS: Readonly<Record<string, Flood>> = {
  'silent connections at once': (target) => hold(target, one),
  'connections at once that ask for TLS': (target) => hold(target, one, SSL_REQUEST),
  'connections at once that begin a handshake': (target) => hold(target, one, HANDSHAKE_BEGUN),
  '12 silent connections a second': (target) => stay(target, 12, one),
  '300 failed handshakes a second': failed(one),
  '300 connections a second that are cut in the handshake': (target) =>
    begun(300, () => badHandshake(target, ATTACKER, (socket) => socket.resetAndDestroy())),
  '100 handshakes a second without a certificate': (target) => begun(100, () => handshake(target)),
  '300 handshakes a second with a certificate that is revoked': (target) =>
    begun(300, () => handshake(target, target.revoked)),
  '300 requests to cancel a second': (target) =>
    begun(300, () => {
      dial(target, ATTACKER).resume().end(CANCEL);
    }),
  'all sessions of an identity': allItsSessions,
  'new keys without end, by strangers': keysWithoutEnd(() => undefined),
  'new keys without end, in sessions': keysWithoutEnd(({ attacker }) => attacker, startupPacket()),
};

/** The same from many addresses, so that limits by address hold none of them. */
export const FLOODS_FROM_MANY: Readonly<Record<string, Flood>> = {
  'silent connections at once, from 200 addresses': (target) => hold(target, many),
  'connections at once that ask for TLS, from 200 addresses': (target) => hold(target, many, SSL_REQUEST),
  'connections at once that begin a handshake, from 200 addresses': (target) => hold(target, many, HANDSHAKE_BEGUN),
  'connections at once that say a whole ClientHello, from 200 addresses': async (target) =>
    hold(target, many, await wholeClientHello()),
  '300 connections a second that ask for TLS and stay, from 200 addresses': (target) =>
    stay(target, 300, many, SSL_REQUEST),
  '300 connections a second that say a whole ClientHello and stay, from 200 addresses': async (target) =>
    stay(target, 300, many, await wholeClientHello()),
  '300 failed handshakes a second, from 200 addresses': failed(many),
};
