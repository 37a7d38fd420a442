/**
 * The demo's enclaves as measured images on QEMU's nitro-enclave machine: real registers, made by code that is not ours, of a module that
 * signs nothing. The emulated KMS believes it; nobody outside can.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { MEASUREMENTS_NAME } from '../../eif/image/measurements.ts';
import { UNSIGNED_BY_QEMU } from '../../emulator/kms/nsm-trust.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { progress } from '../output.ts';
import { EMULATED_SETTINGS } from '../qemu/machine-section.ts';
import type { VmTools } from '../qemu/vm-tools.ts';
import { writeEnclaveFolder } from './enclave-folder.ts';
import { EnclaveMachine } from './enclave-machine.ts';
import { buildMeasuredImage, type MeasuredImage } from './measured-image.ts';
import { type OutsideParts, operatorsKms, outsideSections, startParts } from './parts.ts';
import type { DemoEnclave, DemoPlace, PublishedFiles } from './place.ts';
import type { Steps } from './steps.ts';
import { showUnsigned } from './unsigned-document.ts';

const FIRST = 'm';

export interface MachinePlaceOptions {
  /** Short, because unix sockets lie in it. */
  readonly root: string;
  readonly tools: VmTools;
  readonly signal: AbortSignal;
}

export class MachinePlace implements DemoPlace {
  readonly registers = 'PCR0 is the whole image, PCR1 kernel and supervisor, PCR2 the measured folder and acra-server.';
  readonly root: string;
  readonly parts: OutsideParts;
  readonly #tools: VmTools;
  readonly #machines: EnclaveMachine[] = [];

  private constructor({ root, tools }: MachinePlaceOptions, parts: OutsideParts) {
    this.root = root;
    this.#tools = tools;
    this.parts = parts;
  }

  /** Starts what lies outside the product and writes the measured folder; no machine runs yet. */
  static async prepare(options: MachinePlaceOptions): Promise<MachinePlace> {
    await using started = new AsyncDisposableStack();
    const parts = await startParts({ ...options, nsmTrust: UNSIGNED_BY_QEMU }, started);
    const place = new MachinePlace(options, parts);
    const { certificates } = parts;
    const kms = operatorsKms(parts);
    await writeEnclaveFolder({ folder: place.#folder(FIRST), certificates, kms, settings: EMULATED_SETTINGS });
    started.move();
    return place;
  }

  measure(signal: AbortSignal): Promise<DemoEnclave> {
    return this.#build(FIRST, signal);
  }

  measureAltered(change: (folder: string) => void, signal: AbortSignal): Promise<DemoEnclave> {
    const name = 'altered';
    cpSync(this.#folder(FIRST), this.#folder(name), { recursive: true });
    change(this.#folder(name));
    return this.#build(name, signal);
  }

  async publish(): Promise<PublishedFiles> {
    return { measurements: join(this.root, FIRST, 'build', MEASUREMENTS_NAME) };
  }

  async showToStranger({ pcrs }: DemoEnclave, address: TcpEndpoint, steps: Steps): Promise<void> {
    const { measurements } = await this.publish();
    await showUnsigned({ measurements, pcrs, address }, steps);
  }

  /** In the order of an operator: enclaves, then what they need. */
  async stop(): Promise<void> {
    for (const machine of this.#machines) await machine.stop();
    await Promise.all([this.parts.cloud.stop(), this.parts.postgres.stop()]);
  }

  #folder(name: string): string {
    return join(this.root, name, 'enclave');
  }

  async #build(name: string, signal: AbortSignal): Promise<DemoEnclave> {
    progress('building the image …');
    const output = join(this.root, name, 'build');
    const { path, pcrs }: MeasuredImage = await buildMeasuredImage({ folder: this.#folder(name), output, signal });
    const runner = new EnclaveMachine({
      root: join(this.root, name),
      image: path,
      tools: this.#tools,
      hostSettings: { ...outsideSections(this.parts), ingress: { listen: 'tcp://127.0.0.1:0' } },
    });
    this.#machines.push(runner);
    return { pcrs, runner };
  }
}
