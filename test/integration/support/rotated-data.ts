/** A protected table behind the whole product, whose client gets new keys; the commands as an operator runs them. */
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import type pg from 'pg';
import type { Test } from 'tap';
import { checkFor } from '../../../acra/belts/check.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { connectDirectly, connectThroughEnclave } from '../../../cli/demo/clients.ts';
import { REGION } from '../../../cli/demo/cloud.ts';
import { APPLICATION } from '../../../cli/demo/database.ts';
import type { EnclavePair } from '../../../cli/demo/enclave-pair.ts';
import type { Stack } from '../../../cli/demo/stack.ts';
import { freePort } from '../../../emulator/free-port.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { acraEnclave, type Run, start } from '../../cli/support/acra-enclave.ts';
import { prepareStack, step } from '../../support/stack.ts';
import { applicationDirectly, LOGIN, wordsThrough } from './existing-data.ts';

const ENCRYPTOR = `schemas:
  - table: people
    columns: [id, name, town]
    encrypted:
      - {column: name, data_type: str, searchable: true}
`;
/** Where the id of its key is in a stored value. */
const KEY_ID = 'substr(name, 59, 2)';

/** An enclave with a folder of its own, behind the one port. */
export interface Stage {
  readonly folder: string;
  readonly pair: EnclavePair;
}

export interface RotatedData {
  readonly stack: Stack;
  readonly first: Stage;
  /** A copy of another's folder as it is now; nothing runs. */
  copy(name: string, of: Stage): Stage;
  /** Stops what runs, and boots this one. */
  serve(stage: Stage): Promise<void>;
  /** `acra-enclave keys …` by somebody whom the key policy lets decrypt for the moment. @throws unless it exits with 0 */
  keys(stage: Stage, words: readonly string[]): Promise<string>;
  /** `acra-enclave data …` @param environment of the process */
  data(stage: Stage, words: readonly string[], environment?: Readonly<Record<string, string>>): Run;
  direct(): Promise<pg.Client>;
  application(): Promise<pg.Client>;
  /** SQL: how many values are under a key. */
  under(keyId: string): string;
}

async function makeTables(stack: Stack): Promise<void> {
  const owner = await connectDirectly(stack);
  const [column] = parseEncryptorConfig(ENCRYPTOR, 'encryptor.yaml').tables.get('people')?.encrypted.values() ?? [];
  const belt = column ? `CHECK ${checkFor(column, 'name')}` : '';
  await owner.query(`GRANT CREATE ON SCHEMA public TO ${APPLICATION.user}`);
  await owner.query(`CREATE TABLE people (id int PRIMARY KEY, name bytea ${belt}, town text NOT NULL)`);
  await owner.query('CREATE INDEX ON people (substr(name, 1, 33))');
  await owner.query('CREATE TABLE twin (id int PRIMARY KEY, name text, town text NOT NULL)');
  await owner.query(`GRANT ALL ON people, twin TO ${APPLICATION.user}`);
  await owner.end();
  const application = await applicationDirectly(stack);
  // What is acknowledged must be there when a server process is killed.
  await application.query(`ALTER ROLE ${APPLICATION.user} SET synchronous_commit = on`);
  await application.end();
}

/** Lets the administrator decrypt: the statement of docs/errors.md, KEY_DECRYPT_DENIED. */
async function letDecrypt({ parts }: Stack): Promise<void> {
  const { kms } = parts.cloud;
  const { accessKeyId, secretAccessKey } = kms.adminCredentials;
  const client = new KMSClient({
    region: REGION,
    endpoint: kms.url,
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: { httpsAgent: new Agent({ ca: kms.caPem }) },
  });
  const statement = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:*', Resource: '*' };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await client.send(new PutKeyPolicyCommand({ KeyId: parts.keyArn, Policy: policy }));
  client.destroy();
}

export async function rotatedData(t: Test): Promise<RotatedData> {
  const port = await freePort();
  const address: TcpEndpoint = { kind: 'tcp', host: '127.0.0.1', port };
  const stack = await prepareStack(t, {
    enclaveSettings: { restart: { minMs: 10, maxMs: 100 } },
    hostSettings: { ingress: { listen: `tcp://127.0.0.1:${port}` } },
  });
  writeFileSync(join(stack.enclaveFolder, 'encryptor.yaml'), ENCRYPTOR);
  await makeTables(stack);
  const { parts } = stack;
  const through = wordsThrough(stack, address);
  const { accessKeyId, secretAccessKey } = parts.cloud.kms.adminCredentials;
  let serving: EnclavePair | undefined;
  return {
    stack,
    first: { folder: stack.enclaveFolder, pair: stack.enclave },
    copy: (name, { folder }) => stack.copyEnclave(name, folder),
    serve: async ({ folder, pair }) => {
      await parts.cloud.putKeyPolicy(parts.keyArn, stack.measure(folder));
      await serving?.stop();
      serving = pair;
      await pair.startHostProxy();
      pair.startSupervisor();
      await pair.untilServing(step());
    },
    keys: async ({ folder }, words) => {
      await letDecrypt(stack);
      const environment = {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_ENDPOINT_URL_KMS: parts.cloud.kms.url,
      };
      const { code, stdout, stderr } = await acraEnclave(['keys', ...words, '--enclave', folder], environment);
      if (code !== 0) throw new Error(stderr);
      return stdout;
    },
    data: ({ folder }, [command = '', ...words], environment = {}) =>
      start(['data', command, '--enclave', folder, ...LOGIN, ...through, ...words], environment),
    direct: () => applicationDirectly(stack),
    application: () => connectThroughEnclave(stack, address),
    under: (keyId) => `SELECT count(*)::int FROM people WHERE ${KEY_ID} = '\\x${keyId}'`,
  };
}
