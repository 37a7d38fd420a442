/**
 * The audit trail: what was asked, by whom, under which measurements, and how it ended; never plaintext, key material
 * or documents. In memory for tests, and as JSON lines in a file for people.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

/** Older entries stay in the file only. */
const MAX_ENTRIES_IN_MEMORY = 10_000;

export interface AuditEntry {
  /** ISO 8601. */
  readonly time: string;
  readonly requestId: string;
  readonly operation: string;
  /** ARN; absent when the signature did not verify. */
  readonly principal?: string;
  readonly keyArn?: string;
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** Lower-case hex; absent without an authentic attestation document. */
  readonly recipientPcr0?: string;
  /** `unanswered`: an injected fault kept the answer back. */
  readonly outcome: 'success' | 'error' | 'unanswered';
  readonly errorCode?: string;
  readonly fault?: string;
}

export class AuditTrail {
  readonly #file: FileHandle;
  readonly #entries: AuditEntry[] = [];

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<AuditTrail> {
    return new AuditTrail(await open(path, 'a', 0o600));
  }

  /** Resolves when the entry is in the file. */
  async record(entry: AuditEntry): Promise<void> {
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ENTRIES_IN_MEMORY) this.#entries.shift();
    await this.#file.appendFile(`${JSON.stringify(entry)}\n`);
  }

  /** Of this run, oldest first. */
  entries(): readonly AuditEntry[] {
    return [...this.#entries];
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
