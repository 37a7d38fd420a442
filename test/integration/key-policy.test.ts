/** The policy that `policy print` makes, in the emulated KMS, with an enclave that boots under it and keys that nobody else gets at. */

import { Agent } from 'node:https';
import { EncryptCommand, GenerateDataKeyCommand, GetKeyPolicyCommand, KMSClient } from '@aws-sdk/client-kms';
import t, { type Test as TapTest } from 'tap';
import { REGION } from '../../cli/demo/cloud.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { administratorPrincipal } from '../../emulator/principal.ts';
import { checkPolicy } from '../../kms/policy/check/check.ts';
import { parseKeyPolicy } from '../../kms/policy/language/document.ts';
import { prepareStack, step } from '../support/stack.ts';

const ENCRYPTION_CONTEXT = { purpose: 'acra-master-key', application: 'demo' };

function administratorOf(t: TapTest, { parts }: Stack): KMSClient {
  const { kms } = parts.cloud;
  const client = new KMSClient({
    region: REGION,
    endpoint: kms.url,
    maxAttempts: 1,
    credentials: kms.adminCredentials,
    requestHandler: { httpsAgent: new Agent({ ca: kms.caPem }) },
  });
  t.teardown(() => client.destroy());
  return client;
}

async function livePolicy(client: KMSClient, keyArn: string): Promise<string> {
  return (await client.send(new GetKeyPolicyCommand({ KeyId: keyArn }))).Policy ?? '';
}

for (const keysBornInEnclave of [false, true]) {
  const name = keysBornInEnclave ? 'for keys that are born in an enclave' : 'as it is by default';
  t.test(`boots and serves under the printed policy, ${name}; nobody else gets the key`, async (t) => {
    const stack = await prepareStack(t);
    const { keyArn, cloud } = stack.parts;
    await stack.allowMeasuredEnclave({ keysBornInEnclave });
    await stack.enclave.startHostProxy();
    stack.enclave.startSupervisor();
    await stack.enclave.untilServing(step());
    const client = administratorOf(t, stack);
    const sealing = client.send(
      new EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.alloc(32), EncryptionContext: ENCRYPTION_CONTEXT }),
    );
    if (keysBornInEnclave) await t.rejects(sealing, { name: 'AccessDeniedException' });
    else await t.resolves(sealing);
    const dataKey = new GenerateDataKeyCommand({
      KeyId: keyArn,
      NumberOfBytes: 32,
      EncryptionContext: ENCRYPTION_CONTEXT,
    });
    await t.rejects(client.send(dataKey), { name: 'AccessDeniedException' });
    const administrator = administratorPrincipal('administrator').policyArn;
    const wish = {
      roleArn: cloud.roleArn,
      measurements: [stack.measure()],
      administrators: [administrator],
      policyAdministrators: [administrator],
      encryptionContext: ENCRYPTION_CONTEXT,
      keysBornInEnclave,
    };
    const live = parseKeyPolicy(await livePolicy(client, keyArn));
    t.same(checkPolicy({ live, wish, keyArn }), [], 'and the check finds nothing in the live one');
  });
}
