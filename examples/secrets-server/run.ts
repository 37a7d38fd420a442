/** `make example-secrets-server`: OpenBao, unmodified, which KMS unseals in the measured enclave and nowhere else. */
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../emulator/free-port.ts';
import { type AppStack, type BuiltEnclave, filledIn } from '../support/app-stack.ts';
import { type ExampleContext, runExample, Unavailable } from '../support/example.ts';
import { SimulatedStack } from '../support/simulated-stack.ts';
import type { VerifiedClient } from '../support/verified-client.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SERVER = 'secrets.example.org';
const VSOCK_PORT = 18_500;
const SECRET = 'correct horse battery staple';
const USES = ['Decrypt', 'DescribeKey', 'Encrypt'];

/** @throws Unavailable */
function findBao(): string {
  const { OPENBAO, PATH = '' } = process.env;
  const places = OPENBAO === undefined ? PATH.split(delimiter).map((folder) => join(folder, 'bao')) : [OPENBAO];
  const found = places.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found !== undefined) return found;
  throw new Unavailable('there is no OpenBao: name its program in OPENBAO, or have bao in PATH');
}

interface Server {
  readonly app: AppStack;
  readonly bao: string;
  readonly keyArn: string;
  readonly storage: string;
}

async function build(
  { app, bao, keyArn, storage }: Server,
  { root }: ExampleContext,
  name: string,
): Promise<BuiltEnclave> {
  const [port, kmsPort] = [await freePort(), await freePort()];
  const configuration = join(root, `${name}.hcl`);
  const values = { PORT: String(port), KMS_PORT: String(kmsPort), KEY_ARN: keyArn, STORAGE: storage };
  writeFileSync(configuration, filledIn(join(HERE, 'bao.hcl'), values));
  const COMMAND = JSON.stringify([bao, 'server', `-config=${configuration}`]);
  const yaml = filledIn(join(HERE, 'enclave.yaml'), { ...values, COMMAND });
  return app.build(name, { 'enclave.yaml': yaml, 'kms-ca.pem': app.cloud.kms.caPem });
}

const host = (port: number) => ({ ingress: { https: { listen: `tcp://127.0.0.1:${port}`, vsockPort: VSOCK_PORT } } });

/** @returns the token of whoever may do everything */
async function initialise(client: VerifiedClient, { steps }: ExampleContext): Promise<string> {
  steps.title('Its owner initialises it: no unseal keys for people, KMS unseals');
  const { status, body } = await client.ask({
    method: 'PUT',
    path: '/v1/sys/init',
    body: { recovery_shares: 1, recovery_threshold: 1 },
  });
  steps.check(status === 200, 'it is initialised', [status, status === 200 ? '' : body]);
  const seal = JSON.parse((await client.ask({ path: '/v1/sys/seal-status' })).body);
  steps.check(seal.type === 'awskms' && seal.sealed === false, 'and unsealed, by awskms', seal);
  return JSON.parse(body).root_token;
}

async function keepSecret(client: VerifiedClient, token: string, storage: string, { steps }: ExampleContext) {
  steps.title('It keeps a secret');
  const headers = { 'x-vault-token': token };
  const mount = await client.ask({ method: 'POST', path: '/v1/sys/mounts/kv', headers, body: { type: 'kv' } });
  const put = await client.ask({ method: 'PUT', path: '/v1/kv/ward-7', headers, body: { password: SECRET } });
  steps.check(mount.status === 204 && put.status === 204, 'a password is stored', [mount, put]);
  const files = readdirSync(storage, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const isThere = files.some((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').includes(SECRET));
  steps.check(files.length > 0 && !isThere, `its ${files.length} files on disk do not hold it`, files.length);
}

async function readAgain(client: VerifiedClient, token: string, { steps }: ExampleContext): Promise<void> {
  const { status, body } = await client.ask({ path: '/v1/kv/ward-7', headers: { 'x-vault-token': token } });
  const holds = status === 200 && JSON.parse(body).data.password === SECRET;
  steps.check(holds, 'the password is there, and nobody was asked for a key', status);
}

/** Another configuration, so other measurements. */
async function refuseAnother(server: Server, context: ExampleContext): Promise<void> {
  const { steps, signal } = context;
  steps.title('The provider starts it with another configuration');
  const { kms } = server.app.cloud;
  const pair = await server.app.start(await build(server, context, 'other'), host(await freePort()));
  const refused = () => kms.audit().find(({ operation, outcome }) => operation === 'Decrypt' && outcome === 'error');
  const { ready } = await pair.until(() => refused() !== undefined, signal);
  steps.show(`KMS: ${refused()?.errorCode}, asked by PCR0 ${refused()?.recipientPcr0?.slice(0, 16)}…`);
  steps.check(!ready, 'KMS does not unseal it, and it serves nobody', ready);
  await pair.stop();
}

await runExample({
  title: 'secrets-server: OpenBao, unmodified, unsealed by KMS in the measured enclave and nowhere else',
  async run(context) {
    const { steps, signal, root } = context;
    const bao = findBao();
    const app = await SimulatedStack.prepare(context);
    const storage = join(root, 'storage');
    mkdirSync(storage);
    const server = { app, bao, keyArn: await app.cloud.createKey(), storage };
    steps.title('An enclave with OpenBao starts; its key opens for this measurement alone');
    const enclave = await build(server, context, 'enclave');
    await app.cloud.putKeyPolicy(server.keyArn, enclave.pcrs, { uses: USES });
    const port = await freePort();
    const pair = await app.start(enclave, host(port));
    await pair.until(({ ready }) => ready, signal);
    const client = await app.client(enclave, { port, name: SERVER });
    const token = await initialise(client, context);
    await keepSecret(client, token, storage, context);
    steps.title('The enclave ends, and another one of the same measurement begins');
    await pair.supervisor?.stop();
    pair.startSupervisor();
    await pair.until(({ ready }) => ready, signal);
    await readAgain(await app.client(enclave, { port, name: SERVER }), token, context);
    await pair.supervisor?.stop();
    await refuseAnother(server, context);
    pair.startSupervisor();
    return `OpenBao: https://127.0.0.1:${port}; verify it first (docs/attestation.md).`;
  },
});
