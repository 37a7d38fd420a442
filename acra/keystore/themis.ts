/** What of Themis Acra's keystore and values are made of: Secure Cells in Seal mode, and EC key pairs. One interface, which tests give the real library as well. */
import { isKeyPair, type KeyPair, newKeyPair } from './ec-key.ts';
import { openCell, sealCell } from './secure-cell.ts';

export interface Themis {
  /**
   * Secure Cell Seal. @param plaintext at least one byte.
   * @throws KeystoreError KEYSTORE_NOTHING_TO_SEAL
   */
  seal(key: Buffer, plaintext: Buffer, context: string): Buffer;
  /** The plaintext, or undefined when the cell does not open: other key, other context, or changed bytes. */
  open(key: Buffer, sealed: Buffer, context: string): Buffer | undefined;
  /** A fresh EC key pair in Themis's own encoding, 45 bytes each. */
  newKeyPair(): KeyPair;
  /** Whether both are well-formed and belong together. */
  isKeyPair(privateKey: Buffer, publicKey: Buffer): boolean;
}

export const themis: Themis = { seal: sealCell, open: openCell, newKeyPair, isKeyPair };
