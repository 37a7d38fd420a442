/**
 * The 32 platform configuration registers: 0-15 are measured and locked before the enclave runs, 16-31 are zero and
 * the application's to extend and lock (nitro-formats 3.2 and 3.5). Refusals are values, as the module answers them.
 */
import { extendPcrValue, PCR_BYTES, PCR_COUNT } from '../../attestation/pcr.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { EmulatorError } from '../errors.ts';

/** The first register that is not locked at boot. */
const FIRST_UNLOCKED = 16;

interface Register {
  readonly locked: boolean;
  readonly value: Buffer;
}

export class PcrBank {
  readonly #registers: Register[];

  /** @param initial values of measured registers; all others are zero. @throws EmulatorError EMULATOR_NSM_PCR */
  constructor(initial: ReadonlyMap<PcrIndex, Buffer>) {
    this.#registers = Array.from({ length: PCR_COUNT }, (_, index) => {
      const value = initial.get(toPcrIndex(index)) ?? Buffer.alloc(PCR_BYTES);
      if (value.length !== PCR_BYTES) {
        throw new EmulatorError('EMULATOR_NSM_PCR', `the initial value of PCR${index} has a wrong length`, {
          found: `${value.length} bytes`,
          allowed: `${PCR_BYTES} bytes`,
        });
      }
      return { locked: index < FIRST_UNLOCKED, value: Buffer.from(value) };
    });
  }

  describe(index: number): Register | 'InvalidIndex' {
    return this.#registers[index] ?? 'InvalidIndex';
  }

  /** @returns the new value. */
  extend(index: number, data: Buffer): Buffer | 'InvalidIndex' | 'ReadOnlyIndex' {
    const register = this.#registers[index];
    if (register === undefined) return 'InvalidIndex';
    if (register.locked) return 'ReadOnlyIndex';
    const value = extendPcrValue(register.value, data);
    this.#registers[index] = { locked: false, value };
    return value;
  }

  lock(index: number): 'locked' | 'InvalidIndex' | 'ReadOnlyIndex' {
    const register = this.#registers[index];
    if (register === undefined) return 'InvalidIndex';
    if (register.locked) return 'ReadOnlyIndex';
    this.#registers[index] = { ...register, locked: true };
    return 'locked';
  }

  /** Locks the registers below `range`; those that are locked already stay so. */
  lockRange(range: number): 'locked' | 'InvalidIndex' {
    if (range > PCR_COUNT) return 'InvalidIndex';
    for (const [index, register] of this.#registers.entries()) {
      if (index < range) this.#registers[index] = { ...register, locked: true };
    }
    return 'locked';
  }

  /** What attestation documents carry. */
  locked(): ReadonlyMap<PcrIndex, Buffer> {
    const entries = [...this.#registers.entries()].filter(([, register]) => register.locked);
    return new Map(entries.map(([index, register]) => [toPcrIndex(index), register.value]));
  }
}
