/** Operators and the parent at the enclaves of a simulated stack. */
import { join } from 'node:path';
import type { EnclavePair } from '../../../cli/demo/enclave-pair.ts';
import type { Stack } from '../../../cli/demo/stack.ts';
import { KeyParent } from '../../support/key-parent.ts';
import { step } from '../../support/stack.ts';

export { connect, type KeptSet, setOf, tellDatabase, verifierIn } from '../../support/key-parent.ts';

export class Keys extends KeyParent {
  /** @param of another enclave of the stack: its root and pair; default: the stack's own */
  constructor(stack: Stack, of: { readonly root: string; readonly pair: EnclavePair } | undefined = undefined) {
    const { root, pair } = of ?? { root: stack.options.root, pair: stack.enclave };
    super({
      runtimeFolder: join(root, 'host'),
      certificates: stack.parts.certificates,
      operators: stack.parts.operators,
      until: (wanted, signal) => pair.until(wanted, signal),
      step,
    });
  }
}
