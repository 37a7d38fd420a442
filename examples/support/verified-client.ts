/** Somebody outside who verifies an enclave by command, and then speaks with nobody else. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { acraEnclave } from './command.ts';
import type { ExampleContext } from './example.ts';

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Files for `acra-enclave verify`. */
export interface Published {
  readonly measurements: string;
  readonly trustRoot: string;
}

export interface Server {
  readonly port: number;
  /** As its certificate has it. */
  readonly name: string;
}

export class VerifiedClient {
  readonly #server: Server;
  readonly #ca: string;
  readonly #signal: AbortSignal;

  private constructor(server: Server, ca: string, signal: AbortSignal) {
    this.#server = server;
    this.#ca = ca;
    this.#signal = signal;
  }

  /** @throws StepFailed when a claim does not hold */
  static async verify(published: Published, server: Server, context: ExampleContext): Promise<VerifiedClient> {
    const { root, steps, signal } = context;
    const { measurements, trustRoot } = published;
    const out = join(root, `verified-${server.port}`);
    const words = ['verify', '--connect', `127.0.0.1:${server.port}`, '--measurements', measurements];
    const { code, output } = await acraEnclave([...words, '--trust-root', trustRoot, '--out', out], signal);
    steps.show(`acra-enclave ${words.join(' ')} …`);
    const claim = 'every claim holds: this image, this configuration, and TLS that ends in the enclave';
    steps.check(code === 0, claim, output);
    return new VerifiedClient(server, readFileSync(join(out, 'ca.pem'), 'utf8'), signal);
  }

  /** Where nothing can be verified: holds to the certificate that is shown now. */
  static async asItComes(server: Server, { signal }: ExampleContext): Promise<VerifiedClient> {
    const { port, name: servername } = server;
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
    try {
      await once(socket, 'secureConnect', { signal });
      return new VerifiedClient(server, socket.getPeerX509Certificate()?.toString() ?? '', signal);
    } finally {
      socket.destroy();
    }
  }

  ask({ method = 'GET', path, headers = {}, body }: Question): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { port, name: servername } = this.#server;
    const options = { host: '127.0.0.1', port, servername, ca: this.#ca, agent: false, signal: this.#signal };
    const asked = request({ ...options, method, path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }
}
