/**
 * What `make demo` shows, step by step. Every step checks what it tells: one that does not hold ends the demo with an
 * error and a non-zero exit code.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { CliError } from '../errors.ts';
import { bold, dim, green, printLine } from '../output.ts';
import { connectDirectly, connectThroughEnclave } from './clients.ts';
import type { Stack } from './stack.ts';
import { verifyAsStranger, writeVerificationFiles } from './verification.ts';

const PATIENT = {
  id: 1,
  name: 'Ada Lovelace',
  email: 'ada@example.org',
  diagnosis: 'nephritis; allergic to penicillin',
};
/** Of the whole list, those that a reader of the demo cares for first. */
const TOLD_CLAIMS: ReadonlySet<string> = new Set(['signature', 'nonce', 'pcr0', 'pcr16', 'guard', 'tls-key']);
const OTHER = { id: 2, name: 'Charles Babbage', email: 'charles@example.org', diagnosis: 'exhaustion' };

export class Story {
  readonly #stack: Stack;
  readonly #signal: AbortSignal;
  #step = 0;

  constructor(stack: Stack, signal: AbortSignal) {
    this.#stack = stack;
    this.#signal = signal;
  }

  /** Returns the public address of the enclave that serves. */
  async tell(): Promise<TcpEndpoint> {
    this.#showMeasurements();
    await this.#showPolicy();
    const address = await this.#bootEnclave();
    await this.#verify(address);
    await this.#storeAndRead(address);
    await this.#refuseAnotherEnclave();
    return address;
  }

  #title(text: string): void {
    this.#signal.throwIfAborted();
    this.#step += 1;
    printLine(`\n${bold(`${this.#step}. ${text}`)}`);
  }

  #check(holds: boolean, claim: string, found: unknown): void {
    if (!holds) {
      throw new CliError('CLI_DEMO_STEP', `step ${this.#step} does not hold: ${claim}`, {
        found: JSON.stringify(found),
        action: `Read the logs in ${join(this.#stack.options.root, 'logs')}.`,
      });
    }
    printLine(`   ${green('✓')} ${claim}`);
  }

  #showMeasurements(): void {
    this.#title('The enclave is measured: code, configuration, sealed keys, acra-server');
    for (const [index, value] of this.#stack.measure()) printLine(`   PCR${index}  ${value.toString('hex')}`);
    printLine(dim('   PCR0 is everything, PCR1 the supervisor, PCR2 the measured folder and acra-server.'));
  }

  async #showPolicy(): Promise<void> {
    this.#title('A KMS key policy names these measurements: only this enclave may decrypt, not even the administrator');
    const policy = await this.#stack.allowMeasuredEnclave();
    for (const statement of policy.Statement) printLine(dim(`   ${JSON.stringify(statement)}`));
    printLine(dim('   `acra-enclave policy print` makes it from measurements.json.'));
  }

  async #bootEnclave(): Promise<TcpEndpoint> {
    const { enclave, parts } = this.#stack;
    this.#title(
      'Host-proxy and supervisor start; the supervisor asks KMS for the master key with an attestation document',
    );
    await enclave.startHostProxy();
    enclave.startSupervisor();
    const phases = new Set<string>();
    const address = await enclave.untilServing(this.#signal, (status) => this.#showPhase(status, phases));
    const decrypt = parts.cloud.kms.audit().find((entry) => entry.operation === 'Decrypt');
    printLine(dim(`   KMS audit: ${JSON.stringify(decrypt)}`));
    this.#check(
      decrypt?.outcome === 'success',
      'KMS decrypted the master key for this measurement, encrypted to the enclave alone',
      decrypt,
    );
    const { acraServer, publicAddress } = await enclave.until((status) => status.acraServer !== null, this.#signal);
    this.#check(publicAddress !== null, `acra-server is up behind ${publicAddress}: ${acraServer}`, publicAddress);
    return address;
  }

  async #verify(address: TcpEndpoint): Promise<void> {
    this.#title(
      'Somebody outside who trusts nobody here asks on the public port what runs there, with a nonce of their own',
    );
    const files = await writeVerificationFiles(this.#stack);
    const { verdict, claims } = await verifyAsStranger(files, address, this.#signal);
    for (const { claim, result, proves } of claims) {
      if (TOLD_CLAIMS.has(claim))
        printLine(dim(`   ${result === 'pass' ? 'pass' : 'FAIL'} ${claim.padEnd(10)} ${proves}`));
    }
    const failed = claims.filter(({ result }) => result === 'fail');
    this.#check(
      verdict === 'pass',
      'acra-enclave verify: every claim holds, under the root of the emulated module',
      failed,
    );
  }

  #showPhase({ enclave }: HostStatus, shown: Set<string>): void {
    if (!enclave || shown.has(enclave.phase)) return;
    shown.add(enclave.phase);
    printLine(dim(`   boot phase: ${enclave.phase}`));
  }

  async #storeAndRead(address: TcpEndpoint): Promise<void> {
    const application = await connectThroughEnclave(this.#stack, address);
    const owner = await connectDirectly(this.#stack);
    try {
      await this.#insert(application);
      await this.#compare(application, owner);
      await this.#search(application);
    } finally {
      await Promise.all([application.end(), owner.end()]);
    }
  }

  async #insert(application: Client): Promise<void> {
    this.#title(
      'An application stores a patient through the enclave: its certificate is the login, the INSERT an ordinary one',
    );
    for (const { id, name, email, diagnosis } of [PATIENT, OTHER]) {
      const sql = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
      const { rowCount } = await application.query(sql, [id, name, email, diagnosis]);
      this.#check(rowCount === 1, `INSERT ${JSON.stringify({ id, name, email, diagnosis })}`, rowCount);
    }
  }

  async #compare(application: Client, owner: Client): Promise<void> {
    this.#title('The same row, read twice');
    const sql = 'SELECT id, name, email, diagnosis FROM patients WHERE id = 1';
    const [stored] = (await owner.query<{ email: Buffer; diagnosis: Buffer }>(sql)).rows;
    printLine(
      `   directly from PostgreSQL, as the owner of its data:\n${dim(`     email     ${stored?.email.toString('hex')}`)}`,
    );
    printLine(dim(`     diagnosis ${stored?.diagnosis.toString('hex')}`));
    const bytes = Buffer.concat([stored?.email ?? Buffer.alloc(0), stored?.diagnosis ?? Buffer.alloc(0)]);
    const isSealed = bytes.includes('%%%') && !bytes.includes(PATIENT.email) && !bytes.includes('nephritis');
    this.#check(isSealed, 'the database holds ciphertext only', stored);
    const [read] = (await application.query<typeof PATIENT>(sql)).rows;
    printLine(`   through the enclave:\n${dim(`     ${JSON.stringify(read)}`)}`);
    this.#check(
      read?.email === PATIENT.email && read.diagnosis === PATIENT.diagnosis,
      'the application reads plaintext',
      read,
    );
  }

  async #search(application: Client): Promise<void> {
    this.#title('Equality search on an encrypted column');
    const { rows } = await application.query<typeof PATIENT>('SELECT id, name FROM patients WHERE email = $1', [
      OTHER.email,
    ]);
    this.#check(
      rows.length === 1 && rows[0]?.name === OTHER.name,
      `WHERE email = '${OTHER.email}' finds ${rows[0]?.name}`,
      rows,
    );
  }

  async #refuseAnotherEnclave(): Promise<void> {
    this.#title('An enclave with another measurement: one line of its configuration was changed');
    const { folder, pair } = this.#stack.copyEnclave('altered');
    appendFileSync(join(folder, 'encryptor.yaml'), '# changed by the operator\n');
    printLine(dim(`   its PCR0 ${this.#stack.measure(folder).values().next().value?.toString('hex')}`));
    await pair.startHostProxy();
    const supervisor = pair.startSupervisor();
    const status = await pair.until((seen) => seen.enclave?.state === 'failed', this.#signal);
    printLine(dim(`   host-proxy says: ${status.enclave?.errorCode}; ${status.enclave?.detail}`));
    this.#check(status.enclave?.errorCode === 'KMS_ACCESS_DENIED', 'KMS refused it the master key', status.enclave);
    this.#check(status.publicAddress === null, 'its public port never opened', status.publicAddress);
    const { code } = await supervisor.exited;
    this.#check(code !== 0, `it stopped by itself, with exit code ${code}`, code);
    await pair.stop();
  }
}
