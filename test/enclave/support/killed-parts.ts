/** A machine whose keys the parent's daemon keeps, each of which can be killed; and what both must have kept then. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { Test } from 'tap';
import { readChain } from '../../../host-proxy/keys/audit-chain.ts';
import { AUDIT_FILE } from '../../../host-proxy/keys/audit-log.ts';
import { type ChangeAnswer, changeAnswer } from '../../../host-proxy/keys/key-answers.ts';
import { askDaemon } from '../../../host-proxy/operator/command/client.ts';
import type { CommandReply } from '../../../host-proxy/operator/command/protocol.ts';
import { commandSocketPath } from '../../../host-proxy/operator/command/runtime-folder.ts';
import type { KeyAction } from '../../../keys/requests/key-request.ts';
import { connect, tellDatabase } from '../../support/key-parent.ts';
import { EnclaveStack, step } from './enclave-stack.ts';
import { HeldKms } from './held-kms.ts';
import { newestStored, storedGenerations, untilServingWith } from './kept-keys.ts';
import { SeparateParts } from './separate-parts.ts';

export class KilledParts {
  readonly stack: EnclaveStack;
  readonly folder: string;
  readonly parts: SeparateParts;
  /** Only where KMS is an emulated one. */
  readonly kms: HeldKms | undefined;
  /** Generations that must be on disk. */
  readonly stored: number[] = [];
  #rows = 0;

  private constructor(t: Test, stack: EnclaveStack, folder: string) {
    const { emulated } = stack.parts.cloud;
    this.stack = stack;
    this.folder = folder;
    this.parts = new SeparateParts(t, stack);
    this.kms = emulated && new HeldKms(emulated);
  }

  static async prepare(t: Test): Promise<KilledParts> {
    const stack = await EnclaveStack.prepare(t, {}, { keysSource: 'parent' });
    const folder = join(stack.root, 'keys');
    const image = await stack.build();
    await stack.allow(image);
    await stack.writeConfig(image, { host: { keys: { folder } } });
    return new KilledParts(t, stack, folder);
  }

  /** Asks the daemon, which asks the enclave, stores the set and brings it. @throws CodedError; HOST_COMMAND_BROKEN: the daemon is gone */
  async change(action: KeyAction): Promise<ChangeAnswer> {
    const { root, keys } = this.stack;
    const request = keys.signed(await keys.request(action));
    const lines: string[] = [];
    const onReply = (reply: CommandReply) => void (reply.type === 'line' && lines.push(reply.text));
    await askDaemon(commandSocketPath(join(root, 'host')), { command: 'change-keys', request }, onReply, step());
    return changeAnswer.parse(JSON.parse(lines.join('')));
  }

  /** The next generation must be on disk from now on. */
  async expectStored(): Promise<void> {
    this.stored.push(this.stored.length + 1);
    if (this.stored.length === 1) await tellDatabase(this.stack, await newestStored(this.folder));
  }

  /** Serves with the newest set on disk; where there is none, waits for a ceremony. */
  async untilWell(): Promise<void> {
    const newest = this.stored.at(-1);
    await this.parts.start();
    if (newest === undefined) await this.stack.keys.untilAwaited();
    else await untilServingWith(this.stack, newest);
  }

  async connect(): Promise<Client> {
    return connect(this.stack, await this.stack.untilServing());
  }

  /** Every row is there, and one more. @returns how many there were */
  async requireRows(t: Test, given?: Client): Promise<number> {
    const client = given ?? (await this.connect());
    const { rows } = await client.query('SELECT id, diagnosis FROM patients ORDER BY id');
    const expected = Array.from({ length: this.#rows }, (_, index) => ({ id: index + 1, diagnosis: `d${index + 1}` }));
    t.same(rows, expected, 'what was written is readable');
    this.#rows += 1;
    const id = this.#rows;
    await client.query("INSERT INTO patients VALUES ($1, 'Ada', $2, $3)", [id, `${id}@example.org`, `d${id}`]);
    if (given === undefined) await client.end();
    return rows.length;
  }

  async requireSets(t: Test): Promise<void> {
    t.same(await storedGenerations(this.folder), this.stored, 'no set is lost, none is there twice');
    t.equal(readChain(readFileSync(join(this.folder, AUDIT_FILE))).broken, undefined, 'the audit log is a chain');
  }
}
