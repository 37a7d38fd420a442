/**
 * The credentials that the emulated account has issued. IMDS issues, KMS checks signatures against them; the two may be
 * separate processes, so each credential is a file of its own that is written once and looked up by name.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Principal } from './principal.ts';
import { administratorPrincipal } from './principal.ts';
import { createOnce, makeStateFolder, parseState, readIfPresent, writeAtomically } from './state-file.ts';

/** Prefixes of access key IDs (IAM identifiers): long-lived user keys and temporary ones. */
const LONG_LIVED_PREFIX = 'AKIA';
const TEMPORARY_PREFIX = 'ASIA';
const ACCESS_KEY_ID = /^(?:AKIA|ASIA)[A-Z2-7]{16}$/;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Expired credentials are kept this long, so that their use is told from the use of unknown ones. */
const KEEP_EXPIRED_MS = 86_400_000;

const credentialSchema = z.strictObject({
  accessKeyId: z.string().regex(ACCESS_KEY_ID),
  secretAccessKey: z.string().length(40),
  sessionToken: z.string().min(1).optional(),
  principal: z.strictObject({ arn: z.string(), policyArn: z.string(), administrator: z.boolean() }),
  issuedAtMs: z.int(),
  expiresAtMs: z.int().optional(),
});

const temporaryCredentialSchema = credentialSchema.required({ sessionToken: true, expiresAtMs: true });

export type Credential = z.infer<typeof credentialSchema>;
export type TemporaryCredential = z.infer<typeof temporaryCredentialSchema>;

interface CredentialStoreOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
}

export class CredentialStore {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(options: CredentialStoreOptions) {
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /** Issues credentials with a session token, valid for `lifetimeMs`. @throws EmulatorError EMULATOR_STATE */
  async issueTemporary(principal: Principal, lifetimeMs: number): Promise<TemporaryCredential> {
    await this.#prune();
    const issuedAtMs = this.#clock.nowMs();
    const credential: TemporaryCredential = {
      accessKeyId: this.#accessKeyId(TEMPORARY_PREFIX),
      secretAccessKey: this.#secret(),
      sessionToken: this.#random.bytes(192).toString('base64'),
      principal,
      issuedAtMs,
      expiresAtMs: issuedAtMs + lifetimeMs,
    };
    await writeAtomically(this.#path(credential.accessKeyId), JSON.stringify(credential));
    return credential;
  }

  /** The credential of the principal that expires last, if one is still valid. @throws EmulatorError EMULATOR_STATE */
  async newestTemporary(principal: Principal): Promise<TemporaryCredential | undefined> {
    const temporary = (await this.#all()).flatMap((credential) => {
      const parsed = temporaryCredentialSchema.safeParse(credential);
      return parsed.success && parsed.data.principal.arn === principal.arn ? [parsed.data] : [];
    });
    const [newest] = temporary.sort((a, b) => b.expiresAtMs - a.expiresAtMs);
    return newest !== undefined && newest.expiresAtMs > this.#clock.nowMs() ? newest : undefined;
  }

  /** The long-lived credential of the account's administrator; the same after a restart. @throws EmulatorError EMULATOR_STATE */
  async administrator(): Promise<Credential> {
    const path = join(this.#folder, 'administrator.json');
    const text = await createOnce(path, () =>
      JSON.stringify({
        accessKeyId: this.#accessKeyId(LONG_LIVED_PREFIX),
        secretAccessKey: this.#secret(),
        principal: administratorPrincipal('administrator'),
        issuedAtMs: this.#clock.nowMs(),
      }),
    );
    return parseState(path, text, credentialSchema);
  }

  /** Expired ones are found too: the caller tells the two cases apart. @throws EmulatorError EMULATOR_STATE */
  async find(accessKeyId: string): Promise<Credential | undefined> {
    if (!ACCESS_KEY_ID.test(accessKeyId)) return undefined;
    if (accessKeyId.startsWith(LONG_LIVED_PREFIX)) {
      const administrator = await this.administrator();
      return administrator.accessKeyId === accessKeyId ? administrator : undefined;
    }
    return this.#read(this.#path(accessKeyId));
  }

  async #read(path: string): Promise<Credential | undefined> {
    const text = await readIfPresent(path);
    return text === undefined ? undefined : parseState(path, text, credentialSchema);
  }

  async #all(): Promise<Credential[]> {
    await makeStateFolder(this.#folder);
    const names = (await readdir(this.#folder)).filter((name) => ACCESS_KEY_ID.test(name.replace(/\.json$/, '')));
    const read = await Promise.all(names.map((name) => this.#read(join(this.#folder, name))));
    return read.filter((credential) => credential !== undefined);
  }

  async #prune(): Promise<void> {
    const oldestMs = this.#clock.nowMs() - KEEP_EXPIRED_MS;
    const stale = (await this.#all()).filter(({ expiresAtMs }) => expiresAtMs !== undefined && expiresAtMs < oldestMs);
    await Promise.all(stale.map(({ accessKeyId }) => rm(this.#path(accessKeyId), { force: true })));
  }

  #path(accessKeyId: string): string {
    return join(this.#folder, `${accessKeyId}.json`);
  }

  #accessKeyId(prefix: string): string {
    const letters = [...this.#random.bytes(16)].map((byte) => BASE32.charAt(byte % BASE32.length));
    return prefix + letters.join('');
  }

  /** 30 random bytes are 40 characters of base64, as AWS's secret keys. */
  #secret(): string {
    return this.#random.bytes(30).toString('base64');
  }
}
