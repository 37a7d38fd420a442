/**
 * A program of an application that has KMS by nothing but its environment and HTTP, as an SDK writes it: it seals a secret, opens it again,
 * and tries what it may not. Of secrets it prints only that they are right. Arguments: the key it may use, one that it may not, and
 * `named` where Decrypt must say its key, because there are several.
 */
const { AWS_ENDPOINT_URL_KMS: url = '', AWS_REGION: region = '', AWS_ACCESS_KEY_ID: keyId = '' } = process.env;
const [, , KeyId = '', other = '', how] = process.argv;
const Plaintext = Buffer.from('a secret of the program').toString('base64');
const SCOPE = `${keyId}/20260101/${region}/kms/aws4_request`;

async function kms(action: string, body: object): Promise<Record<string, string>> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${action}`,
      'x-amz-date': '20260101T000000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=${SCOPE}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
    },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Record<string, string>;
}

const { CiphertextBlob, __type: refused } = await kms('Encrypt', { KeyId, Plaintext });
const opened = await kms('Decrypt', { CiphertextBlob, ...(how === 'named' && { KeyId }) });
const random = await kms('GenerateRandom', { NumberOfBytes: 32 });
const told = {
  sealed: refused ?? 'sealed',
  opened: opened['__type'] ?? (opened['Plaintext'] === Plaintext ? 'opened' : 'another'),
  random: random['__type'] ?? Buffer.from(random['Plaintext'] ?? '', 'base64').length,
  other: (await kms('Encrypt', { KeyId: other, Plaintext }))['__type'],
};
console.log(JSON.stringify(told));
