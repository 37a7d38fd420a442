/** Operators with a measured folder, host-proxy as a process, and behind it an enclave whose keys the parent keeps. */
import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { digestFiles } from '../../../../attestation/runtime/folder-digest.ts';
import { stateRuntime } from '../../../../attestation/runtime/state-runtime.ts';
import type { RuntimeStatement } from '../../../../attestation/runtime/statement.ts';
import { enclaveSchema } from '../../../../config/enclave.ts';
import { loadConfig } from '../../../../config/load.ts';
import { RELEASE } from '../../../../runtime/release.ts';
import { EnclaveMachine } from '../../../keys/support/enclave-machine.ts';
import { KeyEnclave, type KeyEnclaveOptions, makeOperator, type Operator } from '../../../keys/support/key-enclave.ts';
import { verifyingKeyOf } from '../../../keys/support/signed-request.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { untilChanged } from '../../../support/watched-files.ts';
import { acraEnclave, type Outcome, type Run, start } from '../../support/acra-enclave.ts';
import { type KeysFolder, keysFolder } from '../../support/keys-folder.ts';
import { changeYaml, setUsers } from '../../support/users-folder.ts';

const PARENT_USERS = [{ name: 'app', clients: ['CN=first application'] }];

/** Rewrites the section `keys` of a folder. @returns the operators’ private keys, as files */
function keepKeysAtParent(folder: KeysFolder, operators: readonly Operator[], keys: object = {}): string[] {
  setUsers(folder, PARENT_USERS);
  const named = operators.map(({ name }) => ({ name, key: `operators/${name}.pem` }));
  changeYaml(folder, () => ({
    name: 'patients',
    tls: { key: 'attested', names: ['db.example.com'] },
    keys: { source: 'parent', operators: named, ceremony: 'allowed', ...keys },
  }));
  return operators.map(({ name, publicPem, privatePem }) => {
    folder.write(`enclave/operators/${name}.pem`, publicPem);
    const file = folder.write(`${name}.key`, privatePem);
    chmodSync(file, 0o600);
    return file;
  });
}

async function statementOf(folder: string): Promise<RuntimeStatement> {
  const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  return stateRuntime({ config, files: await digestFiles(folder), release: RELEASE }).statement;
}

export interface KeptKeys {
  readonly folder: KeysFolder;
  readonly enclave: KeyEnclave;
  readonly machine: EnclaveMachine;
  /** Files of the operators’ private keys. */
  readonly keys: readonly string[];
  /** Of host-proxy.yaml. */
  readonly config: string;
  readonly keysFolder: string;
  readonly trustRoot: string;
  /** What every command needs that judges the enclave. */
  readonly proof: readonly string[];
  /** host-proxy; resolves when it listens, or has ended. @param environment of the process */
  startDaemon(environment?: Readonly<Record<string, string>>): Promise<Run>;
  killDaemon(): Promise<void>;
  /** `acra-enclave keys approve`, which asks no daemon. */
  approve(...words: readonly string[]): Promise<Outcome>;
  /** `acra-enclave keys …` with the daemon of this test. */
  run(...words: readonly string[]): Promise<Outcome>;
}

/** @param names of operators */
export async function keptKeys(
  t: Test,
  names: readonly string[],
  { keys: section = {}, ...options }: Partial<KeyEnclaveOptions> & { readonly keys?: object } = {},
): Promise<KeptKeys> {
  const folder = await keysFolder(t);
  const operators = names.map(makeOperator);
  const keys = keepKeysAtParent(folder, operators, section);
  const stated = await statementOf(folder.enclave);
  const enclave = new KeyEnclave({ operators: operators.map(verifyingKeyOf), stated, ...options });
  const root = temporaryFolder(t);
  const machine = await EnclaveMachine.start(t, enclave, join(root, 'vm'));
  const log = join(root, 'log');
  const yaml = {
    version: 1,
    enclave: { transport: 'vsock-uds', cid: 16, path: join(root, 'vm') },
    ingress: { listen: 'tcp://127.0.0.1:0' },
    database: { connect: 'tcp://127.0.0.1:1' },
    kms: { connect: 'tcp://127.0.0.1:1' },
    admin: { listen: 'tcp://127.0.0.1:0' },
    keys: { folder: join(root, 'keys') },
    logs: { file: log },
    runtimeFolder: join(root, 'run'),
    statusStaleMs: 3_600_000,
  };
  const config = folder.write('host-proxy.yaml', stringify(yaml));
  const trustRoot = folder.write('root.pem', enclave.rootPem);
  let daemon: Run | undefined;
  const starts = () => {
    try {
      return readFileSync(log, 'utf8').split('host-proxy.started').length - 1;
    } catch {
      return 0;
    }
  };
  const killDaemon = async () => {
    const child = daemon?.child;
    daemon = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  t.teardown(killDaemon);
  return {
    folder,
    enclave,
    machine,
    keys,
    config,
    keysFolder: join(root, 'keys'),
    trustRoot,
    proof: ['--pcr', `0=${enclave.pcr0}`, '--trust-root', trustRoot],
    killDaemon,
    async startDaemon(environment) {
      const before = starts();
      daemon = start(['host-proxy', '--config', config], environment);
      const over = new AbortController();
      const started = untilChanged(log, () => starts() > before, over.signal).catch(() => undefined);
      await Promise.race([started, daemon.outcome]);
      over.abort();
      return daemon;
    },
    approve: (...words) => acraEnclave(['keys', 'approve', ...words]),
    run: (...words) => acraEnclave(['keys', ...words, '--config', config]),
  };
}
