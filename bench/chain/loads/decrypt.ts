/**
 * The attestation-bound Decrypt of a simulated enclave's master key, as the supervisor asks for it, again and again, and its steps each by itself:
 *
 *   decrypt.ts FACTS     FACTS: JSON (DecryptFacts). Says `ready`; for each number on stdin decrypts so often and prints what each step took
 */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AcraProgram } from '../../../acra/obtain/program.ts';
import { REGION } from '../../../cli/demo/cloud.ts';
import { simulatedPlatform } from '../../../cli/simulated/platform.ts';
import { encodeEnvelope, sealForRecipient } from '../../../emulator/kms/recipient-envelope.ts';
import { parseMasterKeyFile } from '../../../keys/master-key-file.ts';
import { AttestedKms } from '../../../kms/client.ts';
import { openEnvelopedData } from '../../../kms/cms/enveloped-data.ts';
import { attestRecipient, makeRecipientKey } from '../../../kms/recipient.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { fetchRoleCredentials } from '../../../supervisor/credentials/imds.ts';

export interface DecryptFacts {
  readonly stateFolder: string;
  readonly enclaveFolder: string;
  readonly acraProgram: AcraProgram;
  readonly kms: { readonly url: string; readonly caPem: string; readonly host: string; readonly port: number };
  readonly keyArn: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** The enclave's way to instance metadata. */
  readonly imdsSocketPath: string;
}

const REQUEST_MS = 10_000;

/** ms of each, the whole of a Decrypt included. */
export const STEPS = ['key', 'document', 'unwrapping', 'whole'] as const;
export type StepCost = Readonly<Record<(typeof STEPS)[number], { readonly tookMs: number; readonly cpuMs: number }>>;

const facts: DecryptFacts = JSON.parse(process.argv[2] ?? '');
const { stateFolder, enclaveFolder, acraProgram, kms, keyArn, encryptionContext } = facts;
const nsm = await (await simulatedPlatform({ stateFolder, enclaveFolder, acraProgram })).openNsm();
const file = readFileSync(join(enclaveFolder, 'master-key.json'), 'utf8');
const ciphertext = parseMasterKeyFile(file, { keyArn, encryptionContext });
const imds = { socketPath: facts.imdsSocketPath, timeoutMs: REQUEST_MS, nowMs: Date.now };
const credentials = await fetchRoleCredentials(imds, new AbortController().signal);
const connection = {
  region: REGION,
  endpoint: new URL(kms.url),
  caPem: kms.caPem,
  dial: { host: kms.host, port: kms.port },
  credentials: async () => credentials,
  requestTimeoutMs: REQUEST_MS,
};

/** Its client is new each time, as at a boot: key pair, connection and TLS session are made for it. */
async function decryptOnce(): Promise<void> {
  const client = new AttestedKms(connection, nsm);
  const signal = new AbortController().signal;
  const secret = await client.decrypt({ ciphertext, keyArn, encryptionContext, signal });
  secret.dispose();
  client.close();
}

async function cost(times: number, run: () => unknown) {
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  for (let count = 0; count < times; count += 1) await run();
  const { user, system } = process.cpuUsage(before);
  return { tookMs: (performance.now() - startedMs) / times, cpuMs: (user + system) / 1_000 / times };
}

const key = await makeRecipientKey();
const publicKey = createPublicKey({ key: key.publicKeyDer, format: 'der', type: 'spki' });
const envelope = encodeEnvelope(sealForRecipient(Buffer.alloc(32, 7), publicKey, systemRandom));

async function measure(times: number): Promise<StepCost> {
  return {
    key: await cost(times, makeRecipientKey),
    document: await cost(times, () => attestRecipient(nsm, key)),
    unwrapping: await cost(times, () => openEnvelopedData(envelope, key.privateKey).dispose()),
    whole: await cost(times, decryptOnce),
  };
}

await measure(2);
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await measure(Number(line))));
}
await nsm.close();
