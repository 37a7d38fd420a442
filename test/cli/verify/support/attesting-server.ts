/**
 * An enclave's public port and its endpoint by HTTP, as far as a verifier sees them: TLS with the protocol `acra-attestation/1`,
 * PostgreSQL's SSLRequest, and GET /v1/attestation. Its documents are made by a chain of the test's own, for the nonce that was sent.
 */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { type AcraRuntimeStatement, commitmentTo, encodeStatement } from '../../../../attestation/runtime/statement.ts';
import { encodeUserData } from '../../../../attestation/runtime/user-data.ts';
import { createAuthority } from '../../../../emulator/pki/authority.ts';
import { publicKeyDigest } from '../../../../encoding/public-key-hash.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { encodeFrame, FrameReader } from '../../../../wire/control/frame.ts';
import { ATTESTATION_ALPN } from '../../../../wire/requests/bounds.ts';
import { type EnclaveAnswer, parseEnclaveRequest } from '../../../../wire/requests/messages.ts';
import { pemOf } from '../../../attestation/support/certificate.ts';
import { type Chain, makeChain } from '../../../attestation/support/chain.ts';
import { honestPayload, signed, statement } from '../../../attestation/verify/support/evidence.ts';

type Teardown = { teardown(run: () => unknown): void };

const DAY_MS = 86_400_000;

/** Valid while the test runs: the command has the machine's clock. */
function presentChain(): Chain {
  const validity = { notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + DAY_MS };
  return makeChain({ root: validity, region: validity, zone: validity, instance: validity, leaf: validity });
}

export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

export async function tlsIdentity(): Promise<TlsIdentity> {
  const authority = await createAuthority({ commonName: 'test authority', clock: systemClock });
  const { certificatePem, privateKeyPem } = await authority.issue({
    kind: 'server',
    commonName: 'enclave',
    subjectAltNames: ['localhost'],
  });
  return { cert: certificatePem + authority.certificatePem, key: privateKeyPem };
}

/** Makes answers for whoever asks. */
export class Attesting {
  readonly chain = presentChain();
  readonly identity: TlsIdentity;
  readonly rootPem: string = pemOf(this.chain.root);
  readonly #stated: AcraRuntimeStatement;

  constructor(identity: TlsIdentity, stated: AcraRuntimeStatement = statement) {
    this.identity = identity;
    this.#stated = stated;
  }

  answer(nonce: Buffer): Extract<EnclaveAnswer, { type: 'attestation' }> {
    const tlsKeySha256 = publicKeyDigest(new X509Certificate(this.identity.cert));
    const encoding = encodeStatement(this.#stated);
    const userData = encodeUserData({ tlsKeySha256, commitment: commitmentTo(encoding) });
    const payload = { ...honestPayload(this.chain, this.#stated), userData, nonce, timestampMs: Date.now() };
    const document = signed(payload, this.chain.leaf.privateKey);
    return { type: 'attestation', document: document.toString('base64'), statement: encoding.toString('base64') };
  }
}

async function listening(t: Teardown, server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** @param respond to the payload of the first frame: writes what it wants */
export async function attestationPort(
  t: Teardown,
  identity: TlsIdentity,
  respond: (payload: Buffer, socket: TLSSocket) => void,
  protocols: readonly string[] = [ATTESTATION_ALPN],
): Promise<number> {
  const server = createTlsServer({ ...identity, ALPNProtocols: [...protocols] }, (socket) => {
    const reader = new FrameReader(1_024);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (const payload of reader.push(chunk)) respond(payload, socket);
    });
  });
  server.on('tlsClientError', () => undefined);
  return listening(t, server);
}

/** As the enclave answers. */
export const honest = (attesting: Attesting) => (payload: Buffer, socket: TLSSocket) => {
  const { nonce } = parseEnclaveRequest(payload);
  socket.end(encodeFrame(attesting.answer(Buffer.from(nonce, 'base64'))));
};

/** @param answer the status and the body for a nonce in hexadecimal */
export async function httpEndpoint(
  t: Teardown,
  answer: (nonce: string, path: string) => readonly [status: number, body: string | Buffer],
): Promise<number> {
  const server = createHttpServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const [status, body] = answer(url.searchParams.get('nonce') ?? '', url.pathname);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  return listening(t, server);
}

/** PostgreSQL's port: SSLRequest, `S`, TLS. */
export async function postgresPort(t: Teardown, identity: TlsIdentity, answer = 'S'): Promise<number> {
  const server = createTcpServer((socket) => {
    socket.once('data', () => {
      socket.write(answer);
      const secured = new TLSSocket(socket, { isServer: true, ...identity, ALPNProtocols: ['postgresql'] });
      secured.on('error', () => undefined);
    });
  });
  return listening(t, server);
}
