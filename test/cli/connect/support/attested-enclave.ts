/**
 * The public port of an enclave as a stranger sees it: attestation and sessions by ALPN, under one TLS key. The document is really signed,
 * by a root that the verifier is told to trust; sessions go to a real database. What it attests, and which key it has, a test can change.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Test } from 'tap';
import type { AttestationPayload } from '../../../../attestation/document/payload.ts';
import { commitmentTo, encodeStatement } from '../../../../attestation/runtime/statement.ts';
import { encodeUserData } from '../../../../attestation/runtime/user-data.ts';
import { publicKeyDigest } from '../../../../encoding/public-key-hash.ts';
import { encodeFrame } from '../../../../wire/control/frame.ts';
import type { TcpEndpoint } from '../../../../wire/endpoint.ts';
import { MAX_REQUEST_BYTES } from '../../../../wire/requests/bounds.ts';
import { parseEnclaveRequest } from '../../../../wire/requests/messages.ts';
import { readOneFrame } from '../../../../wire/requests/one-frame.ts';
import { evidenceOf, statement } from '../../../attestation/verify/support/evidence.ts';
import { GOOD, makeCertificate } from '../../../keys/support/certificate-maker.ts';

const LOCALHOST = '127.0.0.1';
const ATTESTATION = 'acra-attestation/1';

function makeKey() {
  const { pem, keyPem, certificate } = makeCertificate(GOOD.server, Date.now());
  return { identity: { cert: pem, key: keyPem }, keySha256: publicKeyDigest(certificate) };
}

async function listenOn(
  t: Test,
  server: { listen(port: number, host: string): unknown; address(): unknown } & NodeJS.EventEmitter,
) {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket.on('error', () => undefined));
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, LOCALHOST);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    (server as unknown as Server).close();
  });
  return {
    open,
    address: { kind: 'tcp', host: LOCALHOST, port: (server.address() as AddressInfo).port } as TcpEndpoint,
  };
}

export interface AttestedEnclave {
  readonly address: TcpEndpoint;
  /** Of its key now. */
  keySha256(): Buffer;
  /** The key that its document names; by default its own. */
  attested: Buffer | undefined;
  /** Of its documents. */
  payload: Partial<AttestationPayload>;
  /** Documents that it was asked for. */
  questions: number;
  /** Bytes of sessions that it could read. */
  sessionBytes: number;
  /** Of clients that came for a session. */
  readonly clients: (string | undefined)[];
  /** As after another boot: sessions end, and it has another key. */
  boot(): void;
}

/** @param database undefined: sessions are read, and lead nowhere */
export async function attestedEnclave(t: Test, database: TcpEndpoint | undefined): Promise<AttestedEnclave> {
  let key = makeKey();
  const server = createServer({
    ...key.identity,
    ALPNProtocols: ['postgresql', ATTESTATION],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    allowHalfOpen: true,
  });
  const { address, open } = await listenOn(t, server);
  const enclave: AttestedEnclave = {
    address,
    keySha256: () => key.keySha256,
    attested: undefined,
    payload: {},
    questions: 0,
    sessionBytes: 0,
    clients: [],
    boot() {
      key = makeKey();
      server.setSecureContext({ ...key.identity, minVersion: 'TLSv1.3' });
      for (const socket of open) socket.destroy();
    },
  };
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    if (socket.alpnProtocol === ATTESTATION) {
      attest(socket, enclave).catch(() => socket.destroy());
      return;
    }
    enclave.clients.push(socket.getPeerX509Certificate()?.subject);
    socket.on('data', (chunk: Buffer) => {
      enclave.sessionBytes += chunk.length;
    });
    if (database) join(socket, connect({ ...database, allowHalfOpen: true }));
  });
  return enclave;
}

async function attest(socket: TLSSocket, enclave: AttestedEnclave): Promise<void> {
  enclave.questions += 1;
  const signal = new AbortController().signal;
  const request = parseEnclaveRequest(await readOneFrame(socket, MAX_REQUEST_BYTES, signal));
  const tlsKeySha256 = enclave.attested ?? enclave.keySha256();
  const userData = encodeUserData({ tlsKeySha256, commitment: commitmentTo(encodeStatement(statement)) });
  const nonce = Buffer.from(request.nonce, 'base64');
  const shown = evidenceOf({ userData, nonce, ...enclave.payload });
  const [document, stated] = [shown.document, shown.statement ?? Buffer.alloc(0)].map((bytes) =>
    Buffer.from(bytes).toString('base64'),
  );
  socket.end(encodeFrame({ type: 'attestation', document: document ?? '', statement: stated ?? '' }));
}

function join(a: TLSSocket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.on('error', () => to.destroy());
    from.pipe(to);
    from.once('close', () => to.destroy());
  }
}

/** A parent instance that passes TCP on, and chooses by what a ClientHello asks for in the clear: where to. */
export async function middle(t: Test, route: (isAttestation: boolean) => TcpEndpoint): Promise<TcpEndpoint> {
  const server = createTcpServer((client) => {
    client.once('data', (hello: Buffer) => {
      const target = connect(route(hello.includes(ATTESTATION)));
      target.on('error', () => client.destroy()).once('close', () => client.destroy());
      client.once('close', () => target.destroy());
      target.write(hello);
      client.pipe(target);
      target.pipe(client);
    });
  });
  return (await listenOn(t, server)).address;
}
