/**
 * A service that knows who may not fly, and tells airlines of one passenger at a time. The list lies encrypted wherever the image lies; the key
 * comes from KMS, asked with an ordinary SDK, which finds the KMS proxy by its own variables. Nothing here knows of enclaves.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { CONTEXT, nameOf, openList, type SealedList } from './sealed-list.ts';

const MAX_NAME = 200;

const { LIST_FILE = '', PORT = '8080' } = process.env;

async function loadNames(file: string): Promise<ReadonlySet<string>> {
  const sealed = JSON.parse(await readFile(file, 'utf8')) as SealedList;
  const kms = new KMSClient({});
  const answer = await kms.send(
    new DecryptCommand({
      CiphertextBlob: Buffer.from(sealed.key, 'base64'),
      KeyId: sealed.keyArn,
      EncryptionContext: CONTEXT,
    }),
  );
  kms.destroy();
  const key = answer.Plaintext ?? new Uint8Array();
  try {
    return new Set(openList(sealed, key));
  } finally {
    key.fill(0);
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

const names = await loadNames(LIST_FILE);
const server = createServer(({ method, url = '/' }, response) => {
  const { pathname, searchParams } = new URL(url, 'http://service');
  if (method !== 'GET') return reply(response, 405, { error: 'only GET' });
  if (pathname === '/healthz') return reply(response, 200, { ok: true });
  const name = searchParams.get('name') ?? '';
  if (pathname !== '/v1/passenger') return reply(response, 404, { error: 'ask /v1/passenger?name=' });
  if (name.trim() === '' || name.length > MAX_NAME) return reply(response, 400, { error: 'name: 1 to 200 characters' });
  return reply(response, 200, { mayFly: !names.has(nameOf(name)) });
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`the list has ${names.size} names`));
process.once('SIGTERM', () => server.close(() => process.exit(0)));
