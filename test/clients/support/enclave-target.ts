/** The whole product, simulated, as the clients' target: TLS ends in the enclave, and two columns are stored as ciphertext. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { connectDirectly } from '../../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import { prepareStack, step } from '../../support/stack.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import type { ClientTarget } from '../target.ts';
import { writeCertificateFiles } from './certificate-files.ts';
import { watchDatabase } from './database-watch.ts';

const HOST = 'localhost';
const TABLE = `
DROP TABLE patients;
CREATE TABLE patients (
  id int PRIMARY KEY,
  name bytea CHECK (length(name) = 0 OR (substring(name from 1 for 1) = '\\x7f' AND substring(name from 34 for 3) = '\\x252525')),
  diagnosis bytea CHECK (length(diagnosis) = 0 OR substring(diagnosis from 1 for 3) = '\\x252525'),
  note text
);
GRANT SELECT, INSERT, UPDATE, DELETE ON patients TO ${APPLICATION.user};
`;
const ENCRYPTOR = `schemas:
  - table: patients
    columns: [id, name, diagnosis, note]
    encrypted:
      - column: name
        searchable: true
        data_type: str
      - column: diagnosis
        data_type: str
`;

export async function enclaveTarget(t: Test): Promise<ClientTarget> {
  const stack = await prepareStack(t);
  const owner = await connectDirectly(stack);
  t.teardown(() => owner.end());
  await owner.query(TABLE);
  writeFileSync(join(stack.enclaveFolder, 'encryptor.yaml'), ENCRYPTOR);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const { port } = await stack.enclave.untilServing(step());
  const { certificates, postgres } = stack.parts;
  return {
    host: HOST,
    port,
    user: APPLICATION.user,
    database: DATABASE,
    description: `the enclave, simulated, with ${stack.options.acraProgram.kind === 'stand-in' ? 'the stand-in for acra-server' : `acra-server ${stack.options.acraProgram.sha256.slice(0, 12)}`}`,
    ...(await writeCertificateFiles(temporaryFolder(t), {
      caPem: certificates.applicationCaPem,
      ...certificates.client,
    })),
    ...watchDatabase(owner, postgres.logFile),
  };
}
