/**
 * A simulated stack whose data key several keep: KMS keys of two regions, or operators with X25519 keys and no KMS. What is measured is written
 * anew after the stack is prepared, because it names keys that are made with it.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import { join } from 'node:path';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import type { Test as TapTest } from 'tap';
import { parse, stringify } from 'yaml';
import type { YamlDocument } from '../../../cli/demo/enclave-folder.ts';
import type { Stack } from '../../../cli/demo/stack.ts';
import { simulatedFolders } from '../../../cli/simulated/folders.ts';
import { CredentialStore } from '../../../emulator/credentials.ts';
import { startKms } from '../../../emulator/kms/server.ts';
import { loadOrCreateNsmRoot } from '../../../emulator/nsm/root.ts';
import { administratorPrincipal } from '../../../emulator/principal.ts';
import { openOperatorShare } from '../../../keys/keepers/operator-share.ts';
import { sealShareFor } from '../../../keys/requests/loaded-share.ts';
import { encodeKeySet, type KeySet, keySetDigest } from '../../../keys/set/key-set.ts';
import { makeKeyPolicy } from '../../../kms/policy/key-policy.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { ParentAnswer } from '../../../wire/requests/parent-messages.ts';
import { sdkClient } from '../../emulator/support/kms-fixture.ts';
import type { Keys } from './key-desk.ts';

const FAR_REGION = 'us-east-1';

interface EnclaveYaml {
  kms: { readonly keyArn: string; readonly encryptionContext: Readonly<Record<string, string>> } | undefined;
  readonly keys: YamlDocument & { operators: YamlDocument[] };
}

function rewrite(stack: Stack, change: (yaml: EnclaveYaml) => object): void {
  const file = join(stack.enclaveFolder, 'enclave.yaml');
  writeFileSync(file, stringify(change(parse(readFileSync(file, 'utf8')) as EnclaveYaml)));
}

/** The parent's way to KMS of another region, before that is there. */
export async function farRoute(t: TapTest, path: string) {
  let port = 0;
  const server = createServer((socket) => {
    const upstream = dial({ host: '127.0.0.1', port });
    for (const each of [socket, upstream]) each.on('error', () => each.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  return { leadTo: (to: number) => (port = to) };
}

/** 2 of 3 KMS keys, one of another region. */
export async function keepByKmsKeys(t: TapTest, stack: Stack, route: { leadTo(port: number): void }) {
  const { root } = stack.options;
  const { cloud, keyArn } = stack.parts;
  const { rootDer } = await loadOrCreateNsmRoot(simulatedFolders(join(root, 'sim')).nsmFolder);
  const shared = { clock: systemClock, random: systemRandom };
  const credentials = new CredentialStore({ folder: join(root, 'cloud', 'credentials'), ...shared });
  const nsmTrust = { kind: 'signed', rootDer } as const;
  const far = await startKms({ folder: join(root, 'far'), region: FAR_REGION, nsmTrust, credentials, ...shared });
  t.teardown(() => far.stop());
  route.leadTo(far.port);
  const admins = {
    home: sdkClient(t, cloud.kms, cloud.kms.adminCredentials),
    far: sdkClient(t, far, far.adminCredentials, { region: FAR_REGION }),
  };
  const farArn = (await admins.far.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  const keys = [
    { keyArn, admin: admins.home },
    { keyArn: await cloud.createKey(), admin: admins.home },
    { keyArn: farArn, admin: admins.far },
  ] as const;
  writeFileSync(join(stack.enclaveFolder, 'tls/far-ca.pem'), far.caPem);
  let encryptionContext = {};
  rewrite(stack, (yaml) => {
    encryptionContext = yaml.kms?.encryptionContext ?? {};
    const named = [{ keyArn }, { keyArn: keys[1].keyArn }, { keyArn: farArn, route: 'kms2', ca: 'tls/far-ca.pem' }];
    return { ...yaml, keys: { ...yaml.keys, keeper: { kind: 'threshold', k: 2, keys: named } } };
  });
  const administrators = [administratorPrincipal('administrator').policyArn];
  const policy = makeKeyPolicy({
    roleArn: cloud.roleArn,
    measurements: [stack.measure()],
    administrators,
    policyAdministrators: administrators,
    encryptionContext,
    keysBornInEnclave: true,
  });
  for (const { keyArn: KeyId, admin } of keys) {
    await admin.send(new PutKeyPolicyCommand({ KeyId, Policy: JSON.stringify(policy) }));
  }
  return keys.map(({ keyArn: KeyId, admin }) => ({
    keyArn: KeyId,
    disable: () => admin.send(new DisableKeyCommand({ KeyId })),
    enable: () => admin.send(new EnableKeyCommand({ KeyId })),
  }));
}

/** 2 of the stack's operators, and no KMS. @returns their private keys, by name */
export function keepByOperators(stack: Stack): ReadonlyMap<string, KeyObject> {
  const pairs = stack.parts.operators.map(({ name }) => [name, generateKeyPairSync('x25519')] as const);
  for (const [name, { publicKey }] of pairs) {
    const file = join(stack.enclaveFolder, `operators/${name}.x25519.pem`);
    writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }));
  }
  rmSync(join(stack.enclaveFolder, 'tls/kms-ca.pem'));
  rewrite(stack, ({ kms: _, keys, ...rest }) => {
    const operators = keys.operators.map((operator) => ({
      ...operator,
      encryptionKey: `operators/${String(operator['name'])}.x25519.pem`,
    }));
    const keeper = { kind: 'operators', k: 2, operators: pairs.map(([name]) => name) };
    return { ...rest, keys: { ...keys, operators, keeper } };
  });
  return new Map(pairs.map(([name, { privateKey }]) => [name, privateKey]));
}

/** As an operator does whose share of the set it is, or who says so. @param share default: the own one */
export async function loadShare(
  keys: Keys,
  set: KeySet,
  privateKey: KeyObject,
  share?: { readonly operator: string; readonly share: SecretBuffer },
): Promise<ParentAnswer> {
  const own = share ?? (await openOperatorShare(set, privateKey));
  const { commitment, enclaveKey } = await keys.boot();
  const nonce = randomBytes(32).toString('hex');
  const context = {
    operator: own.operator,
    keySet: keySetDigest(encodeKeySet(set)),
    enclave: set.name,
    commitment,
    nonce,
  };
  const loaded = await sealShareFor(Buffer.from(enclaveKey, 'base64'), context, own.share);
  return keys.ask({ type: 'load-share', share: Buffer.from(JSON.stringify(loaded)).toString('base64') });
}
