/** `make example-secrets-server`: OpenBao, unmodified, which KMS unseals in the measured enclave and nowhere else. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnclavePair } from '../../cli/demo/enclave-pair.ts';
import type { Machine } from '../../cli/qemu/provide-machine.ts';
import { freePort } from '../../emulator/free-port.ts';
import { findProgram } from '../../system/processes/find-program.ts';
import { type AppStack, type BuiltEnclave, filledIn, untilReady } from '../support/app-stack.ts';
import { type ExampleContext, runExample, Unavailable } from '../support/example.ts';
import { MachineStack } from '../support/machine-stack.ts';
import { nativeApplication } from '../support/native-application.ts';
import { SimulatedStack } from '../support/simulated-stack.ts';
import type { VerifiedClient } from '../support/verified-client.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SERVER = 'secrets.example.org';
const VSOCK_PORT = 18_500;
const SECRET = 'correct horse battery staple';
const RECOVERY = { recovery_shares: 1, recovery_threshold: 1 };
const USES = ['Decrypt', 'DescribeKey', 'Encrypt'];

/** @throws Unavailable */
function findBao(): string {
  const { OPENBAO = '' } = process.env;
  try {
    return findProgram(OPENBAO === '' ? 'bao' : resolve(OPENBAO));
  } catch {
    const where = OPENBAO === '' ? 'there is no bao in PATH' : `OPENBAO=${OPENBAO} is no program`;
    throw new Unavailable(`${where}: name that of OpenBao in OPENBAO (https://openbao.org/downloads)`);
  }
}

/** Where OpenBao finds what, and where it and KMS listen. */
interface Place {
  readonly command: readonly string[];
  readonly port: number;
  readonly kmsPort: number;
}

interface Server {
  readonly app: AppStack;
  readonly keyArn: string;
  /** Of this machine; undefined where it lies in the memory of the enclave. */
  readonly storage: string | undefined;
  /** Another one each time: simulated enclaves share the ports of this machine. */
  readonly newPlace: () => Promise<Place>;
}

const hcl = (port: number, keyArn: string, storage: string) =>
  filledIn(join(HERE, 'bao.hcl'), { PORT: String(port), KEY_ARN: keyArn, STORAGE: storage });

async function prepareSimulated(bao: string, context: ExampleContext): Promise<Server> {
  const app = await SimulatedStack.prepare(context);
  const keyArn = await app.cloud.createKey();
  const storage = join(context.root, 'storage');
  mkdirSync(storage);
  const newPlace = async () => {
    const [port, kmsPort] = [await freePort(), await freePort()];
    const configuration = join(context.root, `${port}.hcl`);
    writeFileSync(configuration, hcl(port, keyArn, storage));
    return { command: [bao, 'server', `-config=${configuration}`], port, kmsPort };
  };
  return { app, keyArn, storage, newPlace };
}

async function prepareMachine(machine: Machine, bao: string, context: ExampleContext): Promise<Server> {
  const app = await MachineStack.prepare(context, machine, join(context.root, 'oci'));
  const keyArn = await app.cloud.createKey();
  const [program, configuration, port] = ['/usr/bin/bao', '/etc/bao.hcl', 8_200];
  await nativeApplication(context.root, [program, bao], { [configuration]: hcl(port, keyArn, '/tmp/storage') });
  const place = { command: [program, 'server', `-config=${configuration}`], port, kmsPort: 10_001 };
  return { app, keyArn, storage: undefined, newPlace: async () => place };
}

/** @param remark what makes it another one */
async function build({ app, keyArn, newPlace }: Server, name: string, remark: string): Promise<BuiltEnclave> {
  const { command, port, kmsPort } = await newPlace();
  const values = { COMMAND: JSON.stringify(command), PORT: String(port), KMS_PORT: String(kmsPort), KEY_ARN: keyArn };
  const yaml = filledIn(join(HERE, 'enclave.yaml'), values);
  return app.build(name, { 'enclave.yaml': `${yaml}# ${remark}\n`, 'kms-ca.pem': app.cloud.kms.caPem });
}

const host = (port: number) => ({ ingress: { https: { listen: `tcp://127.0.0.1:${port}`, vsockPort: VSOCK_PORT } } });

/** @returns the token of whoever may do everything */
async function initialise(client: VerifiedClient, { steps }: ExampleContext): Promise<string> {
  steps.title('Its owner initialises it: no unseal keys for people, KMS unseals');
  const { status, body } = await client.ask({
    method: 'PUT',
    path: '/v1/sys/init',
    body: RECOVERY,
  });
  steps.check(status === 200, 'it is initialised', [status, status === 200 ? '' : body]);
  const seal = JSON.parse((await client.ask({ path: '/v1/sys/seal-status' })).body);
  steps.check(seal.type === 'awskms' && seal.sealed === false, 'and unsealed, by awskms', seal);
  return JSON.parse(body).root_token;
}

async function keepSecret(client: VerifiedClient, token: string, { steps }: ExampleContext) {
  steps.title('It keeps a secret');
  const headers = { 'x-vault-token': token };
  const mount = await client.ask({ method: 'POST', path: '/v1/sys/mounts/kv', headers, body: { type: 'kv' } });
  const put = await client.ask({ method: 'PUT', path: '/v1/kv/ward-7', headers, body: { password: SECRET } });
  steps.check(mount.status === 204 && put.status === 204, 'a password is stored', [mount, put]);
}

function lookIntoStorage(storage: string, { steps }: ExampleContext): void {
  const files = readdirSync(storage, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const isThere = files.some((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').includes(SECRET));
  steps.check(files.length > 0 && !isThere, `its ${files.length} files on disk do not hold it`, files.length);
}

async function readIt(client: VerifiedClient, token: string, { steps }: ExampleContext): Promise<void> {
  const { status, body } = await client.ask({ path: '/v1/kv/ward-7', headers: { 'x-vault-token': token } });
  const holds = status === 200 && JSON.parse(body).data.password === SECRET;
  steps.check(holds, 'the password is read, and nobody was asked for a key', status);
}

const decryptRefused = ({ cloud }: AppStack) =>
  cloud.kms.audit().find(({ operation, outcome }) => operation === 'Decrypt' && outcome === 'error');

/** Another configuration, so other measurements. */
async function refuseAnother(server: Server, context: ExampleContext): Promise<void> {
  const { steps, signal } = context;
  const { app, storage } = server;
  steps.title('The provider starts it with another configuration');
  const enclave = await build(server, 'other', 'changed');
  const port = await freePort();
  const other = await app.start(enclave, host(port));
  // With a storage that was initialised it asks KMS at once, else when somebody initialises it.
  const state = await other.until(({ ready }) => ready || decryptRefused(app) !== undefined, signal);
  if (storage === undefined) {
    const client = await app.client(enclave, { port, name: SERVER });
    await client.ask({ method: 'PUT', path: '/v1/sys/init', body: RECOVERY });
    const seal = await client.ask({ path: '/v1/sys/seal-status' });
    steps.check(JSON.parse(seal.body).sealed === true, 'it stays sealed', seal);
  } else steps.check(!state.ready, 'it serves nobody', state.ready);
  const refused = decryptRefused(app);
  steps.show(`KMS: ${refused?.errorCode}, asked by PCR0 ${refused?.recipientPcr0?.slice(0, 16)}…`);
  steps.check(refused !== undefined, 'KMS did not unseal it', refused);
  await other.stop();
}

/** Its storage is on this machine, and so outlives the enclave. */
async function startAgain(pair: EnclavePair, { steps, signal }: ExampleContext): Promise<void> {
  steps.title('The enclave ends, and another one of the same measurement begins');
  await pair.supervisor?.stop();
  pair.startSupervisor();
  await untilReady(pair, signal);
}

await runExample({
  title: 'secrets-server: OpenBao, unmodified, unsealed by KMS in the measured enclave and nowhere else',
  find: async () => findBao(),
  async run(context, bao) {
    const { steps, signal, machine } = context;
    const server = await (machine ? prepareMachine(machine, bao, context) : prepareSimulated(bao, context));
    const { app, keyArn, storage } = server;
    steps.title('An enclave with OpenBao starts; its key opens for this measurement alone');
    const enclave = await build(server, 'enclave', 'as published');
    await app.cloud.putKeyPolicy(keyArn, enclave.pcrs, { uses: USES });
    const port = await freePort();
    const running = await app.start(enclave, host(port));
    await untilReady(running, signal);
    const client = await app.client(enclave, { port, name: SERVER });
    const token = await initialise(client, context);
    await keepSecret(client, token, context);
    await readIt(client, token, context);
    if (storage !== undefined) lookIntoStorage(storage, context);
    if (running instanceof EnclavePair) {
      await startAgain(running, context);
      await readIt(await app.client(enclave, { port, name: SERVER }), token, context);
      // Two cannot have one storage.
      await running.supervisor?.stop();
    }
    await refuseAnother(server, context);
    if (running instanceof EnclavePair) running.startSupervisor();
    return `OpenBao: https://127.0.0.1:${port}; verify it first (docs/attestation.md).`;
  },
});
