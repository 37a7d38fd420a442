/**
 * What serves sessions, with real processes, a real PostgreSQL and clients of node-postgres, in a supervisor of the test's: its keys are the
 * test's to exchange.
 */
import { once } from 'node:events';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial } from 'node:net';
import { join } from 'node:path';
import type pg from 'pg';
import type { Test } from 'tap';
import { clientIdFromCertificate, clientNameFromCertificate } from '../../../../../acra/client-id.ts';
import { encodeAcraBlock, encodeContainer } from '../../../../../acra/container.ts';
import { parseEncryptorConfig } from '../../../../../acra/encryptor-config/lint.ts';
import { createKeystore } from '../../../../../acra/keystore/create.ts';
import { rewrapKeys } from '../../../../../acra/keystore/rewrap.ts';
import { themis } from '../../../../../acra/keystore/themis.ts';
import {
  DATABASE_NAME,
  type DemoCertificates,
  ENCLAVE_NAME,
  makeCertificates,
} from '../../../../../cli/demo/certificates.ts';
import { connectDirectly, connectThroughEnclave } from '../../../../../cli/demo/clients.ts';
import { APPLICATION, DATABASE, ENCRYPTOR_YAML } from '../../../../../cli/demo/database.ts';
import { startDemoPostgres } from '../../../../../cli/demo/postgres.ts';
import { enclaveSchema } from '../../../../../config/enclave.ts';
import { guardListSchema } from '../../../../../config/guard-list.ts';
import { Keyring } from '../../../../../emulator/acra-server/keyring.ts';
import type { IssuedCertificate } from '../../../../../emulator/pki/authority.ts';
import type { RunningPostgres } from '../../../../../emulator/postgres/server.ts';
import { systemClock } from '../../../../../runtime/clock.ts';
import { systemRandom } from '../../../../../runtime/random.ts';
import { SecretBuffer } from '../../../../../runtime/secret-buffer.ts';
import { type EnclaveKeys, KeysInUse } from '../../../../../supervisor/keys/keys-in-use.ts';
import { RotatableTlsKey } from '../../../../../supervisor/tls/rotatable-key.ts';
import { showSelfSigned } from '../../../../../supervisor/tls/self-signed.ts';
import { ServerCertificate } from '../../../../../supervisor/tls/server-certificate.ts';
import { SessionFleet } from '../../../../../supervisor/workloads/sessions/fleet.ts';
import type { Confinement } from '../../../../../system/processes/confinement.ts';
import type { TcpEndpoint } from '../../../../../wire/endpoint.ts';
import { encodeProxyHeader } from '../../../../../wire/proxy-protocol.ts';
import { RequestError } from '../../../../../wire/requests/errors.ts';
import { refusalOf } from '../../../../../wire/requests/messages.ts';
import { DATABASE_PACKAGE } from '../../../../support/database-package.ts';
import { DATABASE_TEMPLATES } from '../../../../support/database-templates.ts';
import { MemoryLogger } from '../../../../support/memory-logger.ts';
import { acraUnderTest, step } from '../../../../support/stack.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';

const KMS = {
  region: 'eu-central-1',
  keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  encryptionContext: { purpose: 'test' },
};
const ID_FROM = 'distinguished_name';
/** Has keys from the start, beside the application. */
const REPORTS = 'reports';
/** Is allowed by the configuration, and has keys when they are added. */
const LATE = 'late';

const secretOf = (text: string) => SecretBuffer.take(Buffer.from(text));
const idOf = ({ certificatePem }: IssuedCertificate) => clientIdFromCertificate(certificatePem, ID_FROM);

interface Parts {
  readonly certificates: DemoCertificates;
  readonly postgres: RunningPostgres;
}

export class FleetRig {
  readonly logger = new MemoryLogger();
  readonly keys: KeysInUse;
  readonly fleet: SessionFleet;
  readonly parts: Parts;
  /** Of its clients' TLS; its certificate is `serverCertificate`'s. */
  readonly tlsKey: RotatableTlsKey;
  readonly serverCertificate: ServerCertificate;
  readonly #folder: string;
  #port = 0;
  #made = 0;

  private constructor(folder: string, parts: Parts, keys: KeysInUse, fleet: (rig: FleetRig) => SessionFleet) {
    this.#folder = folder;
    this.parts = parts;
    this.keys = keys;
    const shown = new ServerCertificate(this.logger);
    const deps = { clock: systemClock, random: systemRandom };
    const show = () =>
      showSelfSigned({ name: 'demo', names: [ENCLAVE_NAME], days: 1, key: () => this.tlsKey.shown }, shown, deps);
    this.tlsKey = new RotatableTlsKey(this.logger, show);
    show();
    this.serverCertificate = shown;
    this.fleet = fleet(this);
  }

  static async start(t: Test, settings: { readonly restart?: object } = {}): Promise<FleetRig> {
    const folder = temporaryFolder(t);
    const certificates = await makeCertificates([REPORTS, LATE]);
    const postgres = await startDemoPostgres({
      folder: join(folder, 'pg'),
      tls: true,
      certificates,
      templates: DATABASE_TEMPLATES,
      packageFolder: DATABASE_PACKAGE,
      signal: step(),
    });
    t.teardown(() => postgres.stop());
    writeFileSync(join(folder, 'encryptor.yaml'), ENCRYPTOR_YAML);
    const [reports] = certificates.otherClients;
    if (!reports) throw new Error('no certificate');
    const masterKey = SecretBuffer.take(Buffer.alloc(32, 1));
    const mockKey = SecretBuffer.take(Buffer.alloc(32, 2));
    const keyClients = [certificates.client, reports].map(idOf);
    const keystoreFolder = join(folder, 'keys-0');
    await createKeystore({ folder: keystoreFolder, masterKey, clientIds: keyClients, random: systemRandom });
    const databaseSecrets = new Map([[APPLICATION.user, [secretOf(APPLICATION.password)]]]);
    const keys = new KeysInUse({ masterKey, mockKey, keystoreFolder, databaseSecrets, keyClients });
    const program = await acraUnderTest();
    t.comment(`acra-server under test: ${program.description}`);
    const rig = new FleetRig(folder, { certificates, postgres }, keys, ({ logger, tlsKey, serverCertificate }) => {
      const clients = [certificates.client, ...certificates.otherClients].map(({ certificatePem }) =>
        clientNameFromCertificate(certificatePem, ID_FROM),
      );
      const user = { name: APPLICATION.user, clients, databases: [DATABASE] };
      return new SessionFleet({
        program,
        config: enclaveSchema.parse({
          version: 1,
          name: 'demo',
          kms: KMS,
          database: { serverName: DATABASE_NAME, users: [user] },
          ...settings,
        }),
        pathOf: (file) => join(folder, file),
        keys,
        columnClients: [],
        tables: parseEncryptorConfig(ENCRYPTOR_YAML, 'encryptor.yaml').tables,
        guardList: guardListSchema.parse({ version: 1 }),
        serverCertificate,
        serverKey: () => tlsKey.shown.privateKey,
        clientCaPem: certificates.applicationCaPem,
        tokensAddress: undefined,
        databaseTokens: undefined,
        databaseTarget: {
          address: { kind: 'tcp', host: postgres.host, port: postgres.port },
          serverName: DATABASE_NAME,
          caPem: certificates.databaseCaPem,
          minTls: 'TLSv1.3',
        },
        answerRequest: async () => refusalOf(new RequestError('REQUEST_FAILED', 'nobody answers here')),
        confine: (name) => confinementIn(join(folder, name)),
        clock: systemClock,
        random: systemRandom,
        logger,
        onFailure: (error) => t.fail(String(error)),
      });
    });
    t.teardown(() => rig.fleet.stop());
    await rig.fleet.start(step());
    await rig.#listen(t);
    return rig;
  }

  get address(): TcpEndpoint {
    return { kind: 'tcp', host: '127.0.0.1', port: this.#port };
  }

  get late(): IssuedCertificate {
    return this.#client(1);
  }

  get reports(): IssuedCertificate {
    return this.#client(0);
  }

  get ids() {
    const { client } = this.parts.certificates;
    return { application: idOf(client), reports: idOf(this.reports), late: idOf(this.late) };
  }

  async connect(as?: IssuedCertificate): Promise<pg.Client> {
    const certificates = { ...this.parts.certificates, applicationCaPem: this.serverCertificate.pem };
    return await connectThroughEnclave({ parts: { ...this.parts, certificates } }, this.address, as);
  }

  /** What closes an identity that reads it, put into the database past the enclave, as a name. */
  async storePoison(id: number): Promise<void> {
    const { masterKey, keystoreFolder } = this.keys.current;
    const copied = masterKey.use((bytes) => SecretBuffer.take(Buffer.from(bytes)));
    const keyring = await Keyring.load(themis, keystoreFolder, copied);
    const [key = Buffer.alloc(0)] = keyring.keys('poison-symmetric', '');
    const block = encodeAcraBlock(themis, key, Buffer.from('bait'), systemRandom);
    const record = encodeContainer('acrablock', block).toString('hex');
    const owner = await connectDirectly(this);
    await owner.query('INSERT INTO patients (id, name) VALUES ($1, $2)', [id, `\\x${record}`]);
    await owner.end();
  }

  /** The keys in use, under another master key. */
  async rewrapped(over: Partial<Pick<EnclaveKeys, 'databaseSecrets'>> = {}): Promise<EnclaveKeys> {
    const { current } = this.keys;
    const masterKey = SecretBuffer.take(systemRandom.bytes(32));
    const keystoreFolder = this.#newFolder();
    await rewrapKeys({
      folder: current.keystoreFolder,
      newFolder: keystoreFolder,
      masterKey: current.masterKey,
      newMasterKey: masterKey,
    });
    const { mockKey, keyClients } = current;
    return { masterKey, mockKey, keystoreFolder, databaseSecrets: copyOf(current), keyClients, ...over };
  }

  /** The keys in use, and some for one more client. */
  async withLateClient(): Promise<EnclaveKeys> {
    const { current } = this.keys;
    const [keystoreFolder, added] = [this.#newFolder(), this.#newFolder()];
    const { late } = this.ids;
    const masterKey = current.masterKey.use((bytes) => SecretBuffer.take(Buffer.from(bytes)));
    await createKeystore({ folder: added, masterKey, clientIds: [late], random: systemRandom, poison: false });
    for (const from of [current.keystoreFolder, added]) cpSync(from, keystoreFolder, { recursive: true });
    const keyClients = [...current.keyClients, late];
    return { masterKey, mockKey: current.mockKey, keystoreFolder, databaseSecrets: copyOf(current), keyClients };
  }

  /** Exchanges them as the desk does: the old ones are zeroed as soon as they are out of use. */
  async change(next: EnclaveKeys, signal = step()): Promise<void> {
    const before = this.keys.current;
    await this.keys.change(next, signal);
    before.masterKey.dispose();
    for (const secret of [...before.databaseSecrets.values()].flat()) secret.dispose();
  }

  #client(index: number): IssuedCertificate {
    const found = this.parts.certificates.otherClients[index];
    if (!found) throw new Error('no certificate');
    return found;
  }

  #newFolder(): string {
    this.#made += 1;
    return join(this.#folder, `keys-${this.#made}`);
  }

  /** In the place of the parent, which says whose connection it is. */
  async #listen(t: Test): Promise<void> {
    const server = createServer((socket) => {
      const onward = dial(this.fleet.address.path).on('error', () => socket.destroy());
      onward.write(encodeProxyHeader(undefined));
      socket.on('error', () => onward.destroy()).pipe(onward);
      onward.pipe(socket);
      onward.once('close', () => socket.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    this.#port = (server.address() as AddressInfo).port;
    t.teardown(() => server.close());
  }
}

function copyOf({ databaseSecrets }: EnclaveKeys): EnclaveKeys['databaseSecrets'] {
  const copied = (secret: SecretBuffer) => secret.use((bytes) => SecretBuffer.take(Buffer.from(bytes)));
  return new Map([...databaseSecrets].map(([user, secrets]) => [user, secrets.map(copied)]));
}

function confinementIn(folder: string): Confinement {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const nothing = () => undefined;
  return { folder, user: undefined, openDoor: () => folder, enclose: nothing, clear: nothing, release: nothing };
}
