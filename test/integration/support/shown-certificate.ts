/** The certificate that a server of PostgreSQL shows, whoever may have signed it. */
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { connect } from 'node:tls';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';

export async function shownCertificate({ host, port }: TcpEndpoint): Promise<X509Certificate> {
  const socket = createConnection({ host, port });
  await once(socket, 'connect');
  socket.write(SSL_REQUEST);
  await once(socket, 'data');
  const secured = connect({ socket, rejectUnauthorized: false });
  await once(secured, 'secureConnect');
  const certificate = secured.getPeerX509Certificate();
  secured.destroy();
  if (certificate) return certificate;
  throw new Error('no certificate was shown');
}
