/** An engine with its acra-server, stand-in or real, on the keystore that acra-server itself wrote (test/acra/support/at-rest.ts). */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { loadEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import type { EncryptedColumn } from '../../../../acra/encryptor-config/schema.ts';
import { AcraEngine } from '../../../../acra/engine/engine.ts';
import type { EngineLimits } from '../../../../acra/engine/limits.ts';
import type { ProgramCommand } from '../../../../acra/obtain/program.ts';
import { acraEngineArguments } from '../../../../acra/server/engine-command-line.ts';
import { acraServerEnvironment, MASTER_KEY_VARIABLE } from '../../../../acra/server/environment.ts';
import type { TokenStore } from '../../../../acra/server/options.ts';
import { STAND_IN_COMMAND } from '../../../../emulator/acra-server/command.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import type { TcpEndpoint } from '../../../../wire/endpoint.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { atRest, masterKeyBytes, writeKeystore } from '../../support/at-rest.ts';
import { realAcraServer, withoutRealAcraServer } from '../../support/real-acra-server.ts';

type Teardown = { teardown(run: () => void | Promise<void>): void };

/** By name, with the reason to skip it. */
export const PROGRAMS: Readonly<Record<string, { readonly command: ProgramCommand; readonly skip: string | false }>> = {
  'the stand-in': { command: STAND_IN_COMMAND, skip: false },
  'acra-server': { command: { program: realAcraServer, args: [] }, skip: withoutRealAcraServer },
};

export interface EngineRigOptions {
  readonly command?: ProgramCommand;
  readonly encryptorConfig?: string;
  readonly clientId?: string;
  /** Default: the one of the at-rest vectors. */
  readonly keystore?: { readonly folder: string; readonly masterKey: Buffer };
  readonly poisonDetection?: boolean;
  /** Default: in its memory. */
  readonly tokens?: TokenStore;
  readonly limits?: Partial<EngineLimits>;
}

export class EngineRig {
  readonly engine: AcraEngine;
  readonly #folder: string;
  readonly #options: EngineRigOptions;
  #database: TcpEndpoint | undefined;
  #child: ChildProcess | undefined;
  #log = '';

  constructor(t: Teardown, options: EngineRigOptions) {
    this.#folder = temporaryFolder(t);
    this.#options = options;
    const acra = { kind: 'unix', path: this.#socket } as const;
    const { limits = {} } = options;
    this.engine = new AcraEngine({ acra, clock: systemClock, random: systemRandom, limits });
    writeFileSync(this.#file('encryptor.yaml'), options.encryptorConfig ?? atRest.encryptorConfig);
    if (!options.keystore) writeKeystore(this.#folder);
    t.teardown(async () => {
      await this.engine.stop();
      await this.kill();
    });
  }

  get database(): TcpEndpoint {
    if (!this.#database) throw new Error('not started');
    return this.#database;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get log(): string {
    return this.#log;
  }

  async start(): Promise<void> {
    this.#database = await this.engine.start();
    this.launch();
  }

  /** Does not wait until it listens: the engine does. */
  launch(): void {
    rmSync(this.#socket, { force: true });
    const { command = STAND_IN_COMMAND, clientId = atRest.clientId, poisonDetection = false, tokens } = this.#options;
    const { folder, masterKey } = this.#options.keystore ?? {
      folder: this.#file('keystore'),
      masterKey: masterKeyBytes(),
    };
    const args = acraEngineArguments({
      listen: { kind: 'unix', path: this.#socket },
      database: this.database,
      keysFolder: folder,
      encryptorConfigFile: this.#file('encryptor.yaml'),
      clientId,
      poisonDetection,
      tokens,
    });
    const key = masterKey.toString('base64');
    const env = {
      ...acraServerEnvironment(256, { kind: 'engine', processors: availableParallelism() }),
      [MASTER_KEY_VARIABLE]: key,
    };
    const child = spawn(command.program, [...command.args, ...args], {
      cwd: this.#folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (chunk) => {
      this.#log += String(chunk);
    });
    this.#child = child;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  }

  /** Resolves with its exit code when it ends by itself. */
  async ended(): Promise<number | null> {
    if (!this.#child) throw new Error('not launched');
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const [code] = await once(this.#child, 'close');
    return code;
  }

  column(name: string): EncryptedColumn {
    for (const table of loadEncryptorConfig(this.#file('encryptor.yaml'), 'kept').tables.values()) {
      const column = table.encrypted.get(name);
      if (column) return column;
    }
    throw new Error(`no column ${name}`);
  }

  get #socket(): string {
    return this.#file('acra.sock');
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

export async function startEngine(t: Teardown, options: EngineRigOptions = {}): Promise<EngineRig> {
  const rig = new EngineRig(t, options);
  await rig.start();
  return rig;
}
