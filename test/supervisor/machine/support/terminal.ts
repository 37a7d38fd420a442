/** A terminal (pty(7)): what a program writes to it waits in the kernel until the other end reads. */
import { closeSync, constants, openSync } from 'node:fs';
import koffi from 'koffi';
import type { Test } from 'tap';

const library = koffi.load(null);
const c = {
  open: library.func('int posix_openpt(int)'),
  unlock: library.func('int unlockpt(int)'),
  name: library.func('int ptsname_r(int, void *, size_t)'),
};

/** Descriptors of the end that reads and of the terminal; closed after the test. Undefined where the system has none. */
export function openTerminal(t: Test): { readonly reader: number; readonly terminal: number } | undefined {
  const { O_RDWR, O_NOCTTY } = constants;
  const reader = c.open(O_RDWR | O_NOCTTY);
  if (reader < 0) return undefined;
  t.teardown(() => closeSync(reader));
  const name = Buffer.alloc(64);
  if (c.unlock(reader) !== 0 || c.name(reader, name, name.length) !== 0) return undefined;
  const terminal = openSync(name.toString('latin1', 0, name.indexOf(0)), O_RDWR | O_NOCTTY);
  t.teardown(() => closeSync(terminal));
  return { reader, terminal };
}
