/**
 * A program of an application that keeps a secret under a KMS key, by the SDK and nothing else. It prints what it sees, and of secrets
 * only that they are right. Arguments: the key it may use, and one that it may not.
 */
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';

const [, , KeyId = '', other = ''] = process.argv;
const kms = new KMSClient();
const Plaintext = Buffer.from('the plaintext of the program');

async function step(name: string, run: () => Promise<string>): Promise<void> {
  const result = await run().catch((error: Error) => error.name);
  process.stdout.write(`${name}: ${result}\n`);
}

await step('secret', async () => {
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }));
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob }));
  return Plaintext.equals(opened.Plaintext ?? Buffer.alloc(0)) ? 'opened' : 'another';
});
await step('data key', async () => {
  const made = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
  return `${made.Plaintext?.length} bytes`;
});
await step('other key', async () => {
  await kms.send(new EncryptCommand({ KeyId: other, Plaintext }));
  return 'encrypted';
});
process.stdout.write('done\n');
// Runs for as long as the enclave does.
new MessageChannel().port1.ref();
