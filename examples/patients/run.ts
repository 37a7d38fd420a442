/** `make example-patients`: an ordinary Flask application on a PostgreSQL whose columns are encrypted in the enclave. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import { userCacheFolder } from '../../cli/cache-folder.ts';
import { DATABASE_NAME } from '../../cli/demo/certificates.ts';
import { libpqConninfo } from '../../cli/demo/clients.ts';
import { DATABASE, OWNER } from '../../cli/demo/database.ts';
import { MachinePlace } from '../../cli/demo/machine-place.ts';
import { allowOnly, type OutsideParts } from '../../cli/demo/parts.ts';
import type { DemoPlace } from '../../cli/demo/place.ts';
import { SimulatedPlace } from '../../cli/demo/simulated-place.ts';
import { STAND_IN_COMMAND } from '../../emulator/acra-server/command.ts';
import { freePort } from '../../emulator/free-port.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { type ExampleContext, runExample } from '../support/example.ts';
import { type Python, pythonWith } from '../support/python.ts';
import { WebProgram } from '../support/web-program.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ADA = { id: '1', name: 'Ada Lovelace', email: 'ada@example.org', diagnosis: 'nephritis; allergic to penicillin' };
const BEN = { id: '2', name: 'Ben Nevis', email: 'ben@example.org', diagnosis: '<b>vertigo</b>' };

/** What the application needs to know of either enclave. */
interface Reached {
  readonly address: TcpEndpoint;
  readonly parts: OutsideParts;
}

async function placeOf({ root, signal, machine, steps }: ExampleContext): Promise<DemoPlace> {
  const acraProgram = await locateAcraServer({
    environment: process.env,
    cacheFolder: userCacheFolder(process.env, 'acra-server'),
    standIn: STAND_IN_COMMAND,
  });
  steps.show(`acra-server: ${acraProgram.description}`);
  if (machine === undefined) return SimulatedPlace.prepare(root, acraProgram, signal);
  return MachinePlace.prepare({ root, tools: machine.tools, signal });
}

async function startEnclave(context: ExampleContext): Promise<Reached> {
  const { steps, signal, cleanups } = context;
  steps.title('PostgreSQL, and an enclave with Acra before it; its key opens for this measurement alone');
  const place = await placeOf(context);
  cleanups.defer(() => place.stop());
  const { pcrs, runner } = await place.measure(signal);
  await allowOnly(place.parts, pcrs);
  await runner.start();
  const address = await runner.untilServing(signal);
  const { host, port } = address;
  const decrypt = place.parts.cloud.kms.audit().find(({ operation }) => operation === 'Decrypt');
  steps.check(decrypt?.outcome === 'success', `the enclave serves on ${host}:${port}`, decrypt);
  return { address, parts: place.parts };
}

/** The two ways to the data, as libpq names them. */
function databases({ address, parts }: Reached): Readonly<Record<string, string>> {
  const { postgres, clientFiles } = parts;
  const { applicationCa, databaseCa, certificate, key } = clientFiles;
  const owner = {
    host: DATABASE_NAME,
    hostaddr: postgres.host,
    port: postgres.port,
    dbname: DATABASE,
    ...OWNER,
    sslmode: 'verify-full',
    sslrootcert: databaseCa,
  };
  return {
    APPLICATION_DATABASE: libpqConninfo(address, { ca: applicationCa, cert: certificate, key }),
    OWNER_DATABASE: Object.entries(owner)
      .map(([name, value]) => `${name}='${value}'`)
      .join(' '),
  };
}

async function startApplication(
  { steps, signal, cleanups, root }: ExampleContext,
  { program, packages }: Python,
  environment: Readonly<Record<string, string>>,
) {
  steps.title('An ordinary application: Flask and psycopg, which know nothing of encryption');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const web = new WebProgram({
    command: [
      program,
      '-m',
      'flask',
      '--app',
      'app',
      'run',
      '--no-reload',
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
    ],
    environment: { ...environment, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
    logFile: join(root, 'application.log'),
    folder: HERE,
  });
  cleanups.defer(() => web.stop());
  await web.untilAnswering(url, signal);
  steps.check(true, `it serves ${url}`, url);
  return url;
}

async function useIt(url: string, { steps, signal }: ExampleContext): Promise<void> {
  const read = async (path: string) => (await fetch(`${url}${path}`, { signal })).text();
  const save = (patient: Readonly<Record<string, string>>) =>
    fetch(`${url}/patients`, { method: 'POST', body: new URLSearchParams(patient), redirect: 'manual', signal });
  steps.title('Somebody uses it');
  for (const patient of [ADA, BEN]) {
    const { status } = await save(patient);
    steps.check(status === 303, `saves ${patient.name}`, status);
  }
  const all = await read('/');
  steps.check(all.includes(ADA.diagnosis) && all.includes(ADA.email), 'reads them in plaintext', all);
  steps.check(!all.includes(BEN.diagnosis), 'what looks like HTML is shown as text', all);
  const found = await read(`/?email=${encodeURIComponent(BEN.email)}`);
  steps.check(
    found.includes(BEN.name) && !found.includes(ADA.name),
    `finds ${BEN.email} in the encrypted column`,
    found,
  );
  await save({ ...ADA, diagnosis: 'recovered' });
  const changed = await read('/');
  steps.check(
    changed.includes('recovered') && !changed.includes('nephritis'),
    'changes a patient (ON CONFLICT)',
    changed,
  );
  const { status } = await save({ ...ADA, id: '0' });
  steps.check(status === 422, 'refuses a number that is none', status);
  const unstorable = await save({ ...ADA, name: 'Ada\0' });
  steps.check(unstorable.status === 422, 'refuses a character that no text of PostgreSQL can have', unstorable.status);
}

async function lookIntoDatabase(url: string, { steps, signal }: ExampleContext): Promise<void> {
  steps.title('Somebody who holds the database looks into it');
  const page = await (await fetch(`${url}/database`, { signal })).text();
  const hex = (text: string) => Buffer.from(text).toString('hex');
  steps.check(page.includes(ADA.name), 'sees names, which are not protected', page);
  const isSealed = ![ADA.email, BEN.email, 'recovered', 'vertigo'].some(
    (text) => page.includes(text) || page.includes(hex(text)),
  );
  steps.check(
    isSealed && page.includes(hex('%%%')),
    'sees ciphertext of addresses and diagnoses, and nothing else',
    page,
  );
}

await runExample({
  title: 'patients: an ordinary Flask application, whose database holds ciphertext',
  find: (signal) => pythonWith(join(HERE, 'requirements.txt'), signal),
  async run(context, python) {
    const reached = await startEnclave(context);
    const url = await startApplication(context, python, databases(reached));
    await useIt(url, context);
    await lookIntoDatabase(url, context);
    return `The application: ${url}; what the database holds: ${url}/database.`;
  },
});
