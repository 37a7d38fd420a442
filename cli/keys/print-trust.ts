/** Whose root is trusted, where it is not that of AWS: said before anything else. */
import { harmlessText } from '../../runtime/harmless-text.ts';
import { printLine, yellow } from '../output.ts';

export function printTrust(trustRoot: string | undefined): void {
  if (trustRoot === undefined) return;
  printLine(yellow(`Trusts ${harmlessText(trustRoot)} in the place of AWS: this proves nothing about a real enclave.`));
}
