import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createKeystore } from '../../../acra/keystore/create.ts';
import { acraServerArguments } from '../../../acra/server/command-line.ts';
import { acraServerEnvironment, IN_LINE, MASTER_KEY_VARIABLE } from '../../../acra/server/environment.ts';
import { explainExit } from '../../../acra/server/exit.ts';
import { UNREADABLE_RECORD } from '../../../acra/server/log-concerns.ts';
import { CONSTANT_ERRORS } from '../../../acra/server/log-errors.ts';
import { CONSTANT_MESSAGES } from '../../../acra/server/log-messages.ts';
import type { AcraLogRecord } from '../../../acra/server/log-record.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { atRest, masterKey, masterKeyBytes, writeKeystore } from '../support/at-rest.ts';
import type { AcraServerRun } from '../support/real-acra-server.ts';
import { realAcraServer, runAcraServer, withoutRealAcraServer } from '../support/real-acra-server.ts';

const vector = (name: string) => fileURLToPath(new URL(`../../vectors/acra/${name}`, import.meta.url));
/** The last thing that it says at start when everything was accepted. */
const STARTED = 'Disabling future logs... Set -v -d to see logs';

/** What came before we stopped it. It must have started; how it ends when told to so early is its own affair. */
function untilStarted(records: readonly AcraLogRecord[]): readonly AcraLogRecord[] {
  const at = records.findIndex(({ message }) => message === STARTED);
  if (at === -1) throw new Error(`acra-server did not start: ${JSON.stringify(records.at(-1))}`);
  return records.slice(0, at + 1);
}

const isProgram = (file: string) => readFileSync(file).subarray(0, 4).equals(Buffer.from('\x7fELF'));

interface RunOptions {
  readonly folder: string;
  readonly keysFolder: string;
  readonly masterKey?: Buffer;
  readonly encryptorConfig?: string;
}

function run({ folder, keysFolder, masterKey, encryptorConfig }: RunOptions): Promise<AcraServerRun> {
  const encryptorConfigFile = join(folder, 'encryptor.yaml');
  writeFileSync(encryptorConfigFile, encryptorConfig ?? atRest.encryptorConfig);
  const args = acraServerArguments({
    listen: { kind: 'unix', path: join(folder, 'acra.sock') },
    database: { host: '127.0.0.1', port: 1, serverName: 'db.example' },
    keysFolder,
    encryptorConfigFile,
    tls: {
      clientCaFile: vector('test-server.pem'),
      serverCertFile: vector('test-server.pem'),
      serverKeyFile: vector('test-server.key'),
      databaseCaFile: vector('test-server.pem'),
    },
    clientId: { from: 'distinguished_name' },
    poisonDetection: true,
  });
  const key = (masterKey ?? masterKeyBytes()).toString('base64');
  const environment = { ...acraServerEnvironment(256, IN_LINE), [MASTER_KEY_VARIABLE]: key };
  return runAcraServer({ args, environment, cwd: folder, stopAfter: STARTED });
}

t.test('the real acra-server', { skip: withoutRealAcraServer }, async (t) => {
  t.test('starts with our arguments without a single warning', async (t) => {
    const folder = temporaryFolder(t);
    const { records } = await run({ folder, keysFolder: writeKeystore(folder) });
    t.same(
      untilStarted(records).filter(({ level, withheldBytes }) => level !== 'info' || withheldBytes !== undefined),
      [],
    );
    t.equal(records[0]?.version, '0.96.0');
  });

  t.test('accepts a keystore that we made, every key of it opened at start', async (t) => {
    const folder = temporaryFolder(t);
    const keysFolder = join(folder, 'made');
    const clientIds = ['tenant one_x-1', 'f'.repeat(128)];
    await createKeystore({ folder: keysFolder, masterKey: masterKey(), clientIds, random: systemRandom });
    const { records } = await run({ folder, keysFolder });
    t.ok(untilStarted(records).some(({ message }) => message === 'Cached keystore on start successfully'));
  });

  t.test('refuses to start with another master key', async (t) => {
    const folder = temporaryFolder(t);
    const { code, records } = await run({ folder, keysFolder: writeKeystore(folder), masterKey: Buffer.alloc(32, 5) });
    t.equal(code, 1);
    t.match(records.at(-1), { message: 'Failed to cache keystore on start', error: 'failed to unprotect data' });
  });

  t.test('ends as a wrong configuration when it refuses the encryptor file', async (t) => {
    const folder = temporaryFolder(t);
    const encryptorConfig = atRest.encryptorConfig.replace('data_type: str', 'data_type: text');
    const { code, records } = await run({ folder, keysFolder: writeKeystore(folder), encryptorConfig });
    const logCodes = new Set(records.flatMap((record) => record.code ?? []));
    const explained = explainExit({ code, signal: null, requested: false, logCodes });
    t.equal(explained.errorCode, 'ACRA_EXIT_CONFIGURATION');
  });

  t.test('reads no configuration file that lies in its working folder', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'configs'));
    writeFileSync(join(folder, 'configs/acra-server.yaml'), 'version: 0.96.0\nv: true\n');
    const { records } = await run({ folder, keysFolder: writeKeystore(folder) });
    t.ok(untilStarted(records), 'it is not verbose, or it would say something else');
  });

  const wrapper = isProgram(realAcraServer) ? false : 'ACRA_SERVER names a wrapper around the program';
  t.test('contains every message and error that we pass on', { skip: wrapper }, async (t) => {
    const program = readFileSync(realAcraServer, 'latin1');
    const formats = (text: string) => [
      text,
      text.replace('ACRA_MASTER_KEY', '%s'),
      text.replace('ACRA_MASTER_KEY', '%v'),
      text.replace('default mode', '%s mode'),
    ];
    t.same(
      [...CONSTANT_MESSAGES, ...CONSTANT_ERRORS]
        .filter((text) => text !== UNREADABLE_RECORD)
        .filter((text) => !formats(text).some((format) => program.includes(format))),
      [],
    );
  });
});
