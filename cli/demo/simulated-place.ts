/** The demo's enclaves as processes of this machine. The emulated security module signs: whoever is told of its root can verify them. */
import type { AcraProgram } from '../../acra/obtain/program.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import type { OutsideParts } from './parts.ts';
import type { DemoEnclave, DemoPlace, PublishedFiles } from './place.ts';
import { Stack } from './stack.ts';
import type { Steps } from './steps.ts';
import { verifyAsStranger, writeVerificationFiles } from './verification.ts';

/** Of the whole list, those that a reader of the demo cares for first. */
const TOLD_CLAIMS: ReadonlySet<string> = new Set(['signature', 'nonce', 'pcr0', 'pcr16', 'guard', 'tls-key']);

export class SimulatedPlace implements DemoPlace {
  readonly registers = 'PCR0 is everything, PCR1 the supervisor, PCR2 the measured folder and acra-server.';
  readonly #stack: Stack;

  private constructor(stack: Stack) {
    this.#stack = stack;
  }

  static async prepare(root: string, acraProgram: AcraProgram, signal: AbortSignal): Promise<SimulatedPlace> {
    return new SimulatedPlace(await Stack.prepare({ root, acraProgram, signal }));
  }

  get root(): string {
    return this.#stack.options.root;
  }

  get parts(): OutsideParts {
    return this.#stack.parts;
  }

  async measure(): Promise<DemoEnclave> {
    return { pcrs: this.#stack.measure(), runner: this.#stack.enclave };
  }

  async measureAltered(change: (folder: string) => void): Promise<DemoEnclave> {
    const { folder, pair } = this.#stack.copyEnclave('altered');
    change(folder);
    return { pcrs: this.#stack.measure(folder), runner: pair };
  }

  publish(): Promise<PublishedFiles> {
    return writeVerificationFiles(this.#stack);
  }

  async showToStranger(_: DemoEnclave, address: TcpEndpoint, steps: Steps): Promise<void> {
    const files = await writeVerificationFiles(this.#stack);
    const { verdict, claims } = await verifyAsStranger(files, address, steps.signal);
    for (const { claim, result, proves } of claims) {
      if (TOLD_CLAIMS.has(claim)) steps.show(`${result === 'pass' ? 'pass' : 'FAIL'} ${claim.padEnd(10)} ${proves}`);
    }
    const failed = claims.filter(({ result }) => result === 'fail');
    const claim = 'acra-enclave verify: every claim holds, under the root of the emulated module';
    steps.check(verdict === 'pass', claim, failed);
  }

  stop(): Promise<void> {
    return this.#stack.stop();
  }
}
