/** Connects to the program behind a port, and says first whose connection it is where the program wants to know. */
import { connect, type Socket } from 'node:net';
import { untilAborted } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { encodeProxyHeader } from '../../wire/proxy-protocol.ts';
import { Refused } from '../front/refused.ts';
import type { PortClient } from './client.ts';
import type { ServedPort } from './messages.ts';

/** @throws Refused unavailable */
export async function dialProgram(
  { to, proxyProtocol, limits }: Pick<ServedPort, 'to' | 'proxyProtocol' | 'limits'>,
  { source }: PortClient,
  clock: Clock,
): Promise<Socket> {
  const late = () => new Refused('unavailable', '57P03', 'the program did not take the connection in time');
  using deadline = new Deadline(clock, limits.connectTimeoutMs, undefined, late);
  const socket = connect({ host: to.host, port: to.port, allowHalfOpen: true, noDelay: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined);
  socket.once('connect', resolve).on('error', () => {
    reject(new Refused('unavailable', '57P03', 'the program takes no connections'));
  });
  try {
    await untilAborted(promise, deadline.signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  if (proxyProtocol) socket.write(encodeProxyHeader(source));
  return socket;
}
