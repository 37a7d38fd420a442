/**
 * A program for PID 1 in tests: loads what an enclave runs, tells that it works, and ends. It starts the relay's worker and
 * looks for a keystore, so that every program of the image is run from where it lies there.
 */
import koffi from 'koffi';
import { inspectKeystore } from '../../../../acra/keystore/inspect.ts';
import { Relay } from '../../../../relay/relay.ts';
import { errorCode } from '../../../../runtime/errors.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { Supervisor } from '../../../../supervisor/daemon.ts';
import { launch as startProgram } from '../../../../system/processes/launch.ts';

/** There is no encryptor configuration, which the check tells. */
async function checkKeystore(): Promise<string | undefined> {
  try {
    await inspectKeystore({
      keystoreFolder: '/nonexistent',
      masterKey: SecretBuffer.take(Buffer.alloc(32)),
      clientIds: [],
      encryptorConfigFile: '/nonexistent',
      sealedFiles: [],
      signal: AbortSignal.timeout(20_000),
    });
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}

/** The launcher replaces itself by Node, which prints its version. */
function launch(): Promise<string> {
  const { process: child } = startProgram({
    program: process.execPath,
    arguments: ['--version'],
    environment: {},
    secrets: [{ variable: 'KEY', value: SecretBuffer.take(Buffer.alloc(32)), encoding: 'base64' }],
    confinement: { user: undefined, enclose: () => undefined },
  });
  return new Promise((resolve) => {
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += String(chunk);
    });
    child.once('close', () => resolve(output.trim()));
  });
}

/** The relay's thread has started and ended. */
async function relay(): Promise<string> {
  const own = new Relay({ logger: { log: () => undefined } });
  await own.start(AbortSignal.timeout(20_000));
  await own.stop();
  return 'stopped';
}

const keystore = await checkKeystore();
const launched = await launch();
console.log(
  JSON.stringify({
    koffi: koffi.version,
    keystore,
    launched,
    supervisor: typeof Supervisor,
    relay: await relay(),
  }),
);
