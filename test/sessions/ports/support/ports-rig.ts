/** A port of an application with real TLS, on a unix socket as the relay reaches it, and clients that come through a parent of ours. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Test } from 'tap';
import { attestationLimits } from '../../../../config/ingress.ts';
import { type Clock, systemClock } from '../../../../runtime/clock.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import type { FromPorts, PortLimits, ServedPort } from '../../../../sessions/ports/messages.ts';
import { Ports } from '../../../../sessions/ports/ports.ts';
import { encodeProxyHeader } from '../../../../wire/proxy-protocol.ts';
import { GOOD, type Made, makeCertificate } from '../../../keys/support/certificate-maker.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

/** So many that no test comes near them by chance. */
const MANY: PortLimits = {
  handshakeMs: 60_000,
  connectTimeoutMs: 60_000,
  prefaceTimeoutMs: 60_000,
  maxConnections: 5_000,
  maxPending: 5_000,
  maxConnectionsPerAddress: 5_000,
};

export const HERE = '192.0.2.1';

export interface RigOptions extends Partial<Omit<ServedPort, 'limits' | 'listenPath' | 'to' | 'clientCaPem'>> {
  /** Where the program listens. */
  readonly programPort: number;
  readonly limits?: Partial<PortLimits>;
  readonly clock?: Clock;
  /** Whether clients must show a certificate of the CA. */
  readonly asksCertificate?: boolean;
}

export class PortsRig {
  readonly authority: Made;
  readonly client: Made;
  readonly server: Made;
  readonly logger = new MemoryLogger();
  readonly told: FromPorts[] = [];
  readonly ports: Ports;
  readonly #test: Test;
  readonly #path: string;

  constructor(t: Test, { limits, programPort, clock = systemClock, asksCertificate, ...port }: RigOptions) {
    this.#test = t;
    this.#path = join(temporaryFolder(t), 'port');
    this.authority = makeCertificate(GOOD.authority, clock.nowMs());
    this.client = makeCertificate({ ...GOOD.client, serial: '0a1b' }, clock.nowMs(), this.authority);
    this.server = makeCertificate(GOOD.server, clock.nowMs(), this.authority);
    const served: ServedPort = {
      name: 'web',
      protocol: 'tcp',
      minTls: 'TLSv1.3',
      clientCaPem: asksCertificate === true ? this.authority.pem : undefined,
      revoked: [],
      proxyProtocol: false,
      ...port,
      listenPath: this.#path,
      to: { kind: 'tcp', host: '127.0.0.1', port: programPort },
      limits: { ...MANY, ...limits },
    };
    const { pem: certificatePem, keyPem } = this.server;
    const key = SecretBuffer.take(Buffer.from(keyPem));
    const deps = { clock, logger: this.logger, send: (message: FromPorts) => void this.told.push(message) };
    const serve = { certificatePem, ports: [served], attestation: attestationLimits.parse({}) };
    this.ports = new Ports(deps, { type: 'serve', ...serve }, key);
    t.teardown(() => this.ports.drain());
  }

  static async start(t: Test, options: RigOptions): Promise<PortsRig> {
    const rig = new PortsRig(t, options);
    await rig.ports.start();
    return rig;
  }

  /** Another certificate, as the supervisor tells of it. */
  show(made: Made): void {
    this.ports.show(made.pem, SecretBuffer.take(Buffer.from(made.keyPem)));
  }

  /** What the relay dials for whoever connects from there; undefined: the parent knows no address. */
  async dial(address: string | undefined = HERE): Promise<Socket> {
    const socket = await this.dialBare();
    socket.write(encodeProxyHeader(address === undefined ? undefined : { address, port: 5 }));
    return socket;
  }

  async dialBare(): Promise<Socket> {
    const socket = createConnection(this.#path).on('error', () => undefined);
    this.#test.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  /** Begins TLS. */
  async handshake(options: ConnectionOptions = {}, address: string | undefined = HERE): Promise<TLSSocket> {
    const socket = await this.dial(address);
    const secured = connectTls({ socket, ca: this.authority.pem, servername: 'records.test', ...options });
    return secured.on('error', () => undefined);
  }

  /** With the client's certificate. */
  async secure(options: ConnectionOptions = {}, address: string | undefined = HERE): Promise<TLSSocket> {
    const { pem: cert, keyPem: key } = this.client;
    const secured = await this.handshake({ cert, key, ...options }, address);
    await once(secured, 'secureConnect');
    return secured;
  }
}
