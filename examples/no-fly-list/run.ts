/** `make example-no-fly-list`: a service whose data only the measured enclave can read, and a client that looks before it asks. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cloud } from '../../cli/demo/cloud.ts';
import type { Machine } from '../../cli/qemu/provide-machine.ts';
import { freePort } from '../../emulator/free-port.ts';
import { kmsEncrypt } from '../../kms/operator-encrypt.ts';
import { type AppStack, type BuiltEnclave, filledIn, operatorOf, untilReady } from '../support/app-stack.ts';
import { type ExampleContext, runExample } from '../support/example.ts';
import { MachineStack } from '../support/machine-stack.ts';
import { NODE_IN_IMAGE, nodeApplication } from '../support/node-application.ts';
import { SimulatedStack } from '../support/simulated-stack.ts';
import { CONTEXT, sealList } from './sealed-list.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const NAMES = ['Alma Storm', 'Jón Þór Vídalín', 'Carmen Sandiego'];
const KEY_BYTES = 32;
const SERVER = 'list.example.org';
const VSOCK_PORT = 18_500;

/** Where the service finds what, in its own file system, and where it and KMS listen. */
interface Place {
  readonly command: readonly string[];
  readonly list: string;
  readonly port: number;
  readonly kmsPort: number;
}

interface Prepared {
  readonly app: AppStack;
  readonly keyArn: string;
  /** Another one each time: simulated enclaves share the ports of this machine. */
  readonly newPlace: () => Promise<Place>;
}

async function sealTheList(cloud: Cloud, file: string, { steps, signal }: ExampleContext): Promise<string> {
  steps.title('Whoever keeps the list encrypts it, under a key that KMS keeps');
  const keyArn = await cloud.createKey();
  const key = randomBytes(KEY_BYTES);
  const encryptedKey = await kmsEncrypt(key, { ...operatorOf(cloud, keyArn, signal), encryptionContext: CONTEXT });
  const sealed = JSON.stringify(sealList(NAMES, keyArn, key, encryptedKey));
  writeFileSync(file, sealed);
  key.fill(0);
  steps.check(!/storm|sandiego/i.test(sealed), `${NAMES.length} names lie encrypted in ${file}`, sealed);
  return keyArn;
}

async function prepareSimulated(context: ExampleContext): Promise<Prepared> {
  const app = await SimulatedStack.prepare(context);
  const list = join(context.root, 'list.json');
  const keyArn = await sealTheList(app.cloud, list, context);
  const command = [process.execPath, join(HERE, 'service.ts')];
  return { app, keyArn, newPlace: async () => ({ command, list, port: await freePort(), kmsPort: await freePort() }) };
}

/** The list lies in the image, as anybody may see it. */
async function prepareMachine(machine: Machine, context: ExampleContext): Promise<Prepared> {
  const { root } = context;
  const app = await MachineStack.prepare(context, machine, join(root, 'oci'));
  const list = join(root, 'list.json');
  const keyArn = await sealTheList(app.cloud, list, context);
  await nodeApplication(root, join(HERE, 'service.ts'), { 'list.json': readFileSync(list, 'utf8') });
  const place = { command: [NODE_IN_IMAGE, '/srv/program.mjs'], list: '/srv/list.json', port: 8_000, kmsPort: 10_001 };
  return { app, keyArn, newPlace: async () => place };
}

/** @param remark what makes it another one */
async function build({ app, keyArn, newPlace }: Prepared, name: string, remark: string): Promise<BuiltEnclave> {
  const { command, list, port, kmsPort } = await newPlace();
  const yaml = filledIn(join(HERE, 'enclave.yaml'), {
    COMMAND: JSON.stringify(command),
    LIST_FILE: list,
    PORT: String(port),
    KMS_PORT: String(kmsPort),
    KEY_ARN: keyArn,
  });
  return app.build(name, { 'enclave.yaml': `${yaml}# ${remark}\n`, 'kms-ca.pem': app.cloud.kms.caPem });
}

const host = (port: number) => ({
  ingress: { https: { listen: `tcp://127.0.0.1:${port}`, vsockPort: VSOCK_PORT } },
});

async function verifyAndAsk(app: AppStack, enclave: BuiltEnclave, port: number, { steps }: ExampleContext) {
  steps.title('An airline that trusts nobody here verifies the service, then asks it');
  const client = await app.client(enclave, { port, name: SERVER });
  const ask = (name: string) => client.ask({ path: `/v1/passenger?name=${encodeURIComponent(name)}` });
  for (const [name, mayFly] of [
    ['Ada Lovelace', true],
    ['carmen  SANDIEGO', false],
    [NAMES[1] ?? '', false],
  ] as const) {
    const { status, body } = await ask(name);
    const holds = status === 200 && JSON.parse(body).mayFly === mayFly;
    steps.check(holds, `${name} ${mayFly ? 'may' : 'may not'} fly`, [status, body]);
  }
  const { status } = await ask(' ');
  steps.check(status === 400, 'a question without a name is refused', status);
}

async function refuseAnother(prepared: Prepared, { steps, signal }: ExampleContext) {
  steps.title('The provider changes the configuration, to look into the list');
  const { app } = prepared;
  const other = await app.start(await build(prepared, 'other', 'changed'), host(await freePort()));
  const refused = () =>
    app.cloud.kms.audit().find(({ operation, outcome }) => operation === 'Decrypt' && outcome === 'error');
  const { ready } = await other.until(() => refused() !== undefined, signal);
  steps.show(`KMS: ${refused()?.errorCode}, asked by PCR0 ${refused()?.recipientPcr0?.slice(0, 16)}…`);
  steps.check(!ready, 'KMS refuses it the key, and it serves nobody', ready);
  await other.stop();
}

await runExample({
  title: 'no-fly-list: a service whose data only the measured enclave can read',
  find: async () => undefined,
  async run(context) {
    const { steps, signal, machine } = context;
    const prepared = await (machine ? prepareMachine(machine, context) : prepareSimulated(context));
    const { app, keyArn } = prepared;
    steps.title('An enclave with the service starts; KMS gives the key to this measurement alone');
    const enclave = await build(prepared, 'enclave', 'as published');
    await app.cloud.putKeyPolicy(keyArn, enclave.pcrs, { encryptionContext: CONTEXT });
    const port = await freePort();
    const running = await app.start(enclave, host(port));
    await untilReady(running, signal);
    const decrypt = app.cloud.kms.audit().find(({ operation }) => operation === 'Decrypt');
    steps.check(decrypt?.outcome === 'success', 'the service asked KMS by its SDK, and reads the list', decrypt);
    await verifyAndAsk(app, enclave, port, context);
    await refuseAnother(prepared, context);
    return `The service: https://127.0.0.1:${port}/v1/passenger?name=…; verify it first (docs/attestation.md).`;
  },
});
