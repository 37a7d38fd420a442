/** The ports of an application at which TLS ends in the enclave, and what they share: the certificate, and the endpoint for attestation. */
import type { Clock } from '../../runtime/clock.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { AttestationEndpoint } from '../front/attestation/endpoint.ts';
import { Counts } from '../front/counts.ts';
import type { RequestAnswer } from '../messages.ts';
import type { Program } from '../program.ts';
import type { FromPorts, ServePorts } from './messages.ts';
import { Port } from './port.ts';

export interface PortsDeps extends Program<FromPorts> {
  readonly clock: Clock;
}

export class Ports {
  readonly #deps: PortsDeps;
  readonly #ports: readonly Port[];
  readonly #endpoint: AttestationEndpoint;
  readonly #counts: Counts;

  /** @param key of the certificate, in PEM */
  constructor(deps: PortsDeps, { ports, certificatePem, attestation }: ServePorts, key: SecretBuffer) {
    this.#deps = deps;
    const tell: (message: FromPorts) => void = deps.send;
    this.#counts = new Counts(deps.clock, ({ attestations }) => {
      const byName = Object.fromEntries(this.#ports.map(({ name, counts }) => [name, counts]));
      tell({ type: 'counts', ports: byName, attesting: this.#endpoint.connectionCount, attestations });
    });
    const options = { limits: { attestation }, certificatePem, minTls: 'TLSv1.3' } as const;
    this.#endpoint = new AttestationEndpoint({ ...deps, send: tell, counts: this.#counts }, options, key);
    const shared = { ...deps, endpoint: this.#endpoint, changed: () => this.#counts.changed() };
    this.#ports = ports.map((port) => new Port(shared, port, certificatePem, key));
  }

  async start(): Promise<void> {
    await Promise.all(this.#ports.map((port) => port.start()));
    this.#deps.send({ type: 'listening' });
  }

  /** Clients that are there keep theirs. @param key its private key, in PEM */
  show(certificatePem: string, key: SecretBuffer): void {
    for (const shown of [...this.#ports, this.#endpoint]) shown.show(certificatePem, key);
  }

  answered(answer: RequestAnswer): void {
    this.#endpoint.answered(answer);
  }

  /** No new connections. */
  drain(): void {
    for (const port of this.#ports) port.drain();
    this.#counts.stop();
  }
}
