/** `connect` as a user runs it: what is refused before anything is dialled or opened. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commitmentTo, encodeStatement, pcrOfCommitment } from '../../attestation/runtime/statement.ts';
import { MEASUREMENTS_JSON } from '../attestation/published/support/published.ts';
import { APP } from '../attestation/support/app-statement.ts';
import { GOOD, makeCertificate } from '../keys/support/certificate-maker.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const root = temporaryFolder(t);
const file = (name: string, content: string) => {
  writeFileSync(join(root, name), content, { mode: 0o600 });
  return join(root, name);
};
const { pem, keyPem } = makeCertificate(GOOD.client, Date.now());
const [cert, key] = [file('client.pem', pem), file('client.key', keyPem)];
const measurements = file('measurements.json', JSON.stringify(MEASUREMENTS_JSON));
const runtime = { statement: APP, PCR16: pcrOfCommitment(commitmentTo(encodeStatement(APP))).toString('hex') };
const ofApplication = file('application.json', JSON.stringify({ ...MEASUREMENTS_JSON, runtime }));
const socket = join(root, 'socket');

interface Refusal {
  readonly what: string;
  readonly code: string;
  readonly options: readonly string[];
}

const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const TO = ['--cert', cert, '--key', key];
const IMAGE = ['--measurements', measurements];
const HERE = ['--socket-dir', socket];

const REFUSALS: readonly Refusal[] = [
  { what: 'no measurements', code: 'CLI_OPTION', options: [...TO, ...HERE] },
  { what: 'measurements that are not judged', code: 'CLI_OPTION', options: [...TO, ...HERE, '--no-measurements'] },
  {
    what: 'measurements of an application, which has no PostgreSQL',
    code: 'CLI_OPTION',
    options: [...TO, ...HERE, '--measurements', ofApplication],
  },
  { what: 'no place for the socket', code: 'CLI_OPTION', options: [...TO, ...IMAGE] },
  {
    what: 'an address that others can reach',
    code: 'CLI_OPTION',
    options: [...TO, ...IMAGE, '--listen', 'tcp://0.0.0.0:5432'],
  },
  {
    what: 'a name, which may be anything',
    code: 'CLI_OPTION',
    options: [...TO, ...IMAGE, '--listen', 'tcp://localhost:5432'],
  },
  { what: 'two places', code: 'CLI_OPTION', options: [...TO, ...IMAGE, ...HERE, '--listen', 'tcp://127.0.0.1:0'] },
  {
    what: 'a key of another certificate',
    code: 'CONNECT_CREDENTIALS',
    options: [
      '--cert',
      cert,
      '--key',
      file('other.key', makeCertificate(GOOD.client, Date.now()).keyPem),
      ...IMAGE,
      ...HERE,
    ],
  },
  {
    what: 'a key of another kind than the certificate',
    code: 'CONNECT_CREDENTIALS',
    options: ['--cert', cert, '--key', file('ed25519.key', ed25519), ...IMAGE, ...HERE],
  },
  {
    what: 'a socket of another kind to listen on',
    code: 'CLI_OPTION',
    options: [...TO, ...IMAGE, '--listen', 'unix:///tmp/x'],
  },
  { what: 'a port that there is not', code: 'CLI_OPTION', options: [...TO, ...IMAGE, '--listen', '127.0.0.1:65536'] },
  {
    what: 'a key that is not there',
    code: 'CONNECT_CREDENTIALS',
    options: ['--cert', cert, '--key', '/nonexistent', ...IMAGE, ...HERE],
  },
  {
    what: 'measurements that nobody signed',
    code: 'MEASUREMENTS_KEY_INVALID',
    options: [...TO, ...IMAGE, ...HERE, '--require', cert],
  },
  { what: 'a server that does not answer', code: 'CLI_ATTESTATION_UNREACHABLE', options: [...TO, ...IMAGE, ...HERE] },
];

for (const { what, code, options } of REFUSALS) {
  t.test(`rejects ${what} (${code})`, async (t) => {
    const outcome = await acraEnclave(['connect', '127.0.0.1:1', ...options], { XDG_RUNTIME_DIR: undefined });
    t.equal(outcome.code, 1);
    t.match(outcome.stderr, `error ${code}:`);
    t.notOk(existsSync(join(socket, '.s.PGSQL.5432')));
  });
}

for (const enclave of ['localhost', 'localhost:0', 'localhost:65536', 'unix:///tmp/x', 'vsock://3:5000', '']) {
  t.test(`rejects ${JSON.stringify(enclave)} as the address of an enclave (CLI_OPTION)`, async (t) => {
    const outcome = await acraEnclave(['connect', enclave, ...TO, ...IMAGE, ...HERE]);
    t.equal(outcome.code, 1);
    t.match(outcome.stderr, /error CLI_OPTION: the enclave is no address; .*allowed: HOST:PORT/);
  });
}
