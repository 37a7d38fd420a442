/**
 * What `make demo` shows, step by step. Every step checks what it tells: one that does not hold ends the demo with an
 * error and a non-zero exit code.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { AuditEntry } from '../../emulator/kms/audit.ts';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { dim, printLine } from '../output.ts';
import { connectDirectly, connectThroughEnclave } from './clients.ts';
import { allowOnly } from './parts.ts';
import type { DemoEnclave, DemoPlace } from './place.ts';
import type { Steps } from './steps.ts';

const WHOLE = toPcrIndex(0);
const PATIENT = {
  id: 1,
  name: 'Ada Lovelace',
  email: 'ada@example.org',
  diagnosis: 'nephritis; allergic to penicillin',
};
const OTHER = { id: 2, name: 'Charles Babbage', email: 'charles@example.org', diagnosis: 'exhaustion' };

export class Story {
  readonly #place: DemoPlace;
  readonly #steps: Steps;

  constructor(place: DemoPlace, steps: Steps) {
    this.#place = place;
    this.#steps = steps;
  }

  /** Returns the enclave that serves, and its public address. */
  async tell(): Promise<{ readonly enclave: DemoEnclave; readonly address: TcpEndpoint }> {
    const enclave = await this.#measure();
    await this.#showPolicy(enclave);
    const address = await this.#bootEnclave(enclave);
    this.#steps.title(
      'Somebody outside who trusts nobody here asks on the public port what runs there, with a nonce of their own',
    );
    await this.#place.showToStranger(enclave, address, this.#steps);
    await this.#storeAndRead(address);
    await this.#refuseAnotherEnclave();
    return { enclave, address };
  }

  async #measure(): Promise<DemoEnclave> {
    const steps = this.#steps;
    steps.title('The enclave is measured: code, configuration, sealed keys, acra-server');
    const enclave = await this.#place.measure(steps.signal);
    for (const [index, value] of enclave.pcrs) printLine(`   PCR${index}  ${value.toString('hex')}`);
    steps.show(this.#place.registers);
    return enclave;
  }

  async #showPolicy({ pcrs }: DemoEnclave): Promise<void> {
    this.#steps.title(
      'A KMS key policy names these measurements: only this enclave may decrypt, not even the administrator',
    );
    const policy = await allowOnly(this.#place.parts, pcrs);
    for (const statement of policy.Statement) this.#steps.show(JSON.stringify(statement));
    this.#steps.show('`acra-enclave policy print` makes it from measurements.json.');
  }

  async #bootEnclave({ runner, pcrs }: DemoEnclave): Promise<TcpEndpoint> {
    const steps = this.#steps;
    steps.title(
      'Host-proxy and supervisor start; the supervisor asks KMS for the master key with an attestation document',
    );
    await runner.start();
    const phases = new Set<string>();
    const address = await runner.untilServing(steps.signal, (status) => this.#showPhase(status, phases));
    const decrypt = this.#audit('success');
    steps.show(`KMS audit: ${JSON.stringify(decrypt)}`);
    steps.check(
      decrypt?.outcome === 'success' && decrypt.recipientPcr0 === pcrs.get(WHOLE)?.toString('hex'),
      'KMS decrypted the master key for this measurement, encrypted to the enclave alone',
      decrypt,
    );
    const { acraServer, publicAddress } = await runner.until((status) => status.acraServer !== null, steps.signal);
    steps.check(publicAddress !== null, `acra-server is up behind ${publicAddress}: ${acraServer}`, publicAddress);
    return address;
  }

  /** The first one that ended so. */
  #audit(ended: AuditEntry['outcome']): AuditEntry | undefined {
    const entries = this.#place.parts.cloud.kms.audit();
    return entries.find(({ operation, outcome }) => operation === 'Decrypt' && outcome === ended);
  }

  #showPhase({ enclave, machine }: HostStatus, shown: Set<string>): void {
    const step = enclave ? `boot phase: ${enclave.phase}` : machine && `machine: ${machine.stage}`;
    if (!step || shown.has(step)) return;
    shown.add(step);
    this.#steps.show(step);
  }

  async #storeAndRead(address: TcpEndpoint): Promise<void> {
    const application = await connectThroughEnclave(this.#place, address);
    const owner = await connectDirectly(this.#place);
    try {
      await this.#insert(application);
      await this.#compare(application, owner);
      await this.#search(application);
    } finally {
      await Promise.all([application.end(), owner.end()]);
    }
  }

  async #insert(application: Client): Promise<void> {
    this.#steps.title(
      'An application stores a patient through the enclave: its certificate is the login, the INSERT an ordinary one',
    );
    for (const { id, name, email, diagnosis } of [PATIENT, OTHER]) {
      const sql = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
      const { rowCount } = await application.query(sql, [id, name, email, diagnosis]);
      this.#steps.check(rowCount === 1, `INSERT ${JSON.stringify({ id, name, email, diagnosis })}`, rowCount);
    }
  }

  async #compare(application: Client, owner: Client): Promise<void> {
    const steps = this.#steps;
    steps.title('The same row, read twice');
    const sql = 'SELECT id, name, email, diagnosis FROM patients WHERE id = 1';
    const [stored] = (await owner.query<{ email: Buffer; diagnosis: Buffer }>(sql)).rows;
    printLine(
      `   directly from PostgreSQL, as the owner of its data:\n${dim(`     email     ${stored?.email.toString('hex')}`)}`,
    );
    steps.show(`  diagnosis ${stored?.diagnosis.toString('hex')}`);
    const bytes = Buffer.concat([stored?.email ?? Buffer.alloc(0), stored?.diagnosis ?? Buffer.alloc(0)]);
    const isSealed = bytes.includes('%%%') && !bytes.includes(PATIENT.email) && !bytes.includes('nephritis');
    steps.check(isSealed, 'the database holds ciphertext only', stored);
    const [read] = (await application.query<typeof PATIENT>(sql)).rows;
    printLine(`   through the enclave:\n${dim(`     ${JSON.stringify(read)}`)}`);
    steps.check(
      read?.email === PATIENT.email && read.diagnosis === PATIENT.diagnosis,
      'the application reads plaintext',
      read,
    );
  }

  async #search(application: Client): Promise<void> {
    this.#steps.title('Equality search on an encrypted column');
    const { rows } = await application.query<typeof PATIENT>('SELECT id, name FROM patients WHERE email = $1', [
      OTHER.email,
    ]);
    this.#steps.check(
      rows.length === 1 && rows[0]?.name === OTHER.name,
      `WHERE email = '${OTHER.email}' finds ${rows[0]?.name}`,
      rows,
    );
  }

  async #refuseAnotherEnclave(): Promise<void> {
    const steps = this.#steps;
    steps.title('An enclave with another measurement: one line of its configuration was changed');
    const change = (folder: string) => appendFileSync(join(folder, 'encryptor.yaml'), '# changed by the operator\n');
    const { pcrs, runner } = await this.#place.measureAltered(change, steps.signal);
    const pcr0 = pcrs.get(WHOLE)?.toString('hex');
    steps.show(`its PCR0 ${pcr0}`);
    await runner.start();
    const phases = new Set<string>();
    const show = (status: HostStatus) => status.machine && this.#showPhase(status, phases);
    const status = await runner.until((seen) => seen.enclave?.state === 'failed', steps.signal, show);
    steps.show(`host-proxy says: ${status.enclave?.errorCode}; ${status.enclave?.detail}`);
    const isRefused = status.enclave?.errorCode === 'KMS_ACCESS_DENIED' && this.#audit('error')?.recipientPcr0 === pcr0;
    steps.check(isRefused, 'KMS refused it the master key', status.enclave);
    steps.check(status.publicAddress === null, 'its public port never opened', status.publicAddress);
    const { code } = await runner.exited;
    steps.check(code !== 0, `it stopped by itself, with exit code ${code}`, code);
    await runner.stop();
  }
}
