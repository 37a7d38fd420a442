/**
 * The desk of an enclave with all that is behind it: an emulated KMS whose policy lets the role do everything, without attestation too, as
 * if the parent had written it; an emulated security module; Themis in processes of its own. Each boot is another enclave of that KMS.
 */
import { randomBytes } from 'node:crypto';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { clientIdFromName } from '../../../../acra/client-id.ts';
import { parseEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import { encodeEnvelope, withSignatureOf } from '../../../../attestation/published/envelope.ts';
import { parentKeysOf } from '../../../../config/keys.ts';
import type { NsmRoot } from '../../../../emulator/nsm/root.ts';
import { readOperators } from '../../../../keys/operators.ts';
import { type KeyAction, type KeyRequest, toKeyRequestEnvelope } from '../../../../keys/requests/key-request.ts';
import { sealSecretFor } from '../../../../keys/requests/sealed-secret.ts';
import { decodeKeySet, type KeySet } from '../../../../keys/set/key-set.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { createEnclaveKey } from '../../../../supervisor/attestation/enclave-key.ts';
import { type BroughtKeys, keySetPhase } from '../../../../supervisor/boot/phases/key-set.ts';
import { KeyAudit } from '../../../../supervisor/keys/audit.ts';
import { KeyDesk, type KeyQuestion } from '../../../../supervisor/keys/key-desk.ts';
import { StatusBoard } from '../../../../supervisor/status.ts';
import { RotatableTlsKey } from '../../../../supervisor/tls/rotatable-key.ts';
import type { ParentAnswer } from '../../../../wire/requests/parent-messages.ts';
import { makeSigner } from '../../../attestation/published/support/published.ts';
import { nsmFixture } from '../../../emulator/support/nsm-fixture.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { kmsNeeds } from '../../support/kms-needs.ts';

export const USER = 'app';
const CLIENT = 'CN=billing,O=Example';
export const CLIENT_ID: string = clientIdFromName(CLIENT, 'distinguished_name');
const OPERATORS = ['anna', 'ben'].map((name) => ({ name, ...makeSigner(name, 'ed25519') }));

const ENCRYPTOR_YAML = `schemas:
  - table: patients
    columns: [id, diagnosis]
    encrypted:
      - column: diagnosis
        data_type: str
`;

/** As the parent keeps it. */
export interface KeptSet {
  readonly keySet: string;
  readonly transcript: string;
}

export interface BootOptions {
  /** What is measured. */
  readonly image?: string;
  /** Of the security module; default: that which KMS trusts. */
  readonly root?: NsmRoot;
  readonly name?: string;
}

const sections = (keys: object, database: object) => ({
  ingress: {},
  tls: { key: 'attested', names: ['db.test'] },
  database: { serverName: 'db.test', users: [{ name: USER, clients: [CLIENT] }], ...database },
  keys: {
    source: 'parent',
    operators: OPERATORS.map(({ name }) => ({ name, key: `${name}.pem` })),
    ceremony: 'allowed',
    ...keys,
  },
});

/** @param keys section of enclave.yaml, over the usual one @param database the same */
export async function keyRig(t: Test, keys: object = {}, database: object = {}) {
  const rig = await kmsNeeds(t, sections(keys, database));
  for (const { name, publicPem } of OPERATORS) writeFileSync(join(rig.folder, `${name}.pem`), publicPem);
  writeFileSync(join(rig.folder, 'encryptor.yaml'), ENCRYPTOR_YAML);
  return { ...rig, boot: (options?: BootOptions) => BootedRig.boot(t, rig, options) };
}

export type KeyRig = Awaited<ReturnType<typeof keyRig>>;
type Needs = Awaited<ReturnType<typeof kmsNeeds>>;

export class BootedRig {
  readonly desk: KeyDesk;
  readonly logger: MemoryLogger;
  readonly status: StatusBoard;
  /** Where keys are in memory. */
  readonly keysFolder: string;
  /** Resolves when the phase is over. */
  readonly brought: Promise<BroughtKeys | undefined>;
  readonly #identity: Pick<KeyRequest, 'enclave' | 'commitment' | 'enclaveKey'>;

  private constructor(
    parts: Pick<BootedRig, 'desk' | 'logger' | 'status' | 'brought' | 'keysFolder'>,
    identity: BootedRig['boundTo'],
  ) {
    this.desk = parts.desk;
    this.logger = parts.logger;
    this.status = parts.status;
    this.brought = parts.brought;
    this.keysFolder = parts.keysFolder;
    this.#identity = identity;
  }

  /** In the phase `key-set`, which goes on. */
  static async boot(t: Test, rig: Needs, { image = 'image', root, name }: BootOptions = {}): Promise<BootedRig> {
    const { nsm: own, needs, clock, context } = rig;
    const { provider, pcrs } = await nsmFixture(t, { clock, image, root: root ?? own.root });
    const config = { ...needs.config, ...(name === undefined ? {} : { name }) };
    const { approvals = 1, ceremony = 'refused' } = parentKeysOf(config) ?? {};
    const enclaveKey = createEnclaveKey();
    const stated = {
      statement: {} as never,
      encoding: Buffer.alloc(0),
      commitment: randomBytes(48),
      pcr16: randomBytes(48),
    };
    const logger = new MemoryLogger();
    const demands = {
      operators: readOperators(rig.folder, config),
      approvals,
      name: config.name,
      commitment: stated.commitment,
      enclaveKey: enclaveKey.publicKey,
    };
    const desk = new KeyDesk({ demands, ceremony, audit: new KeyAudit(logger), tlsKey: new RotatableTlsKey(logger) });
    const status = new StatusBoard(clock);
    const undo: (() => Promise<void> | void)[] = [];
    const runtimeFolder = temporaryFolder(t);
    symlinkSync(join(context.platform.runtimeFolder, 'kms.sock'), join(runtimeFolder, 'kms.sock'));
    const platform = { ...context.platform, runtimeFolder };
    const phase = keySetPhase.run(
      {
        ...needs,
        folder: rig.folder,
        config,
        nsm: provider,
        encryptorConfig: parseEncryptorConfig(Buffer.from(ENCRYPTOR_YAML), 'encryptor.yaml'),
        measurements: { PCR0: pcrs.values().next().value?.toString('hex') ?? '' },
        stated,
        enclaveKey,
        keyDesk: desk,
      },
      { ...context, platform, logger, status, signal: new AbortController().signal, defer: (each) => undo.push(each) },
    );
    t.teardown(() => Promise.all(undo.map((each) => each())));
    const brought = phase.then((gives) => gives.brought);
    brought.catch(() => undefined);
    // The phase opens the desk when it has a folder.
    while (undo.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return new BootedRig(
      { desk, logger, status, brought, keysFolder: join(runtimeFolder, 'keys') },
      {
        enclave: config.name,
        commitment: stated.commitment.toString('hex'),
        enclaveKey: enclaveKey.publicKey.toString('base64'),
      },
    );
  }

  /** What requests for this boot name. */
  get boundTo(): Pick<KeyRequest, 'enclave' | 'commitment' | 'enclaveKey'> {
    return this.#identity;
  }

  ask(question: KeyQuestion, signal = new AbortController().signal): Promise<ParentAnswer> {
    return this.desk.answer(question, signal);
  }

  async request(action: KeyAction, changed: Partial<KeyRequest> = {}): Promise<KeyRequest> {
    const status = await this.ask({ type: 'keys-status' });
    const from = status.type === 'keys-status' ? (status.taken?.sha256 ?? null) : null;
    const nonce = randomBytes(32).toString('hex');
    return { version: 1, nonce, from, action, ...this.#identity, ...changed };
  }

  sealed(user: string, text: string, request: Omit<KeyRequest, 'action'>) {
    const key = Buffer.from(request.enclaveKey, 'base64');
    return sealSecretFor(key, request, user, SecretBuffer.take(Buffer.from(text)));
  }

  change(request: KeyRequest, signers = 1): Promise<ParentAnswer> {
    return this.ask({ type: 'change-keys', request: signedBy(request, signers) });
  }

  async make(action: KeyAction): Promise<KeptSet> {
    return madeSet(await this.change(await this.request(action)));
  }

  ceremony(): Promise<KeptSet> {
    return this.make({ kind: 'ceremony', clients: [CLIENT_ID], secrets: [] });
  }

  bring({ keySet, transcript }: KeptSet): Promise<ParentAnswer> {
    return this.ask({ type: 'bring-keys', keySet, transcript });
  }
}

/** By as many of the operators, in their order. @returns base64 */
export function signedBy(request: KeyRequest, signers = 1): string {
  const envelope = OPERATORS.slice(0, signers).reduce(
    (unsigned, { key }) => withSignatureOf(unsigned, key),
    toKeyRequestEnvelope(request),
  );
  return Buffer.from(encodeEnvelope(envelope)).toString('base64');
}

export function madeSet(answer: ParentAnswer): KeptSet {
  if (answer.type === 'keys-made') return { keySet: answer.keySet, transcript: answer.transcript };
  throw new Error(`no set was made: ${JSON.stringify(answer)}`);
}

export function setOf({ keySet }: KeptSet): KeySet {
  return decodeKeySet(Buffer.from(keySet, 'base64'));
}
